/**
 * `openledger models register`: creates a trained model on the ledger, and proves, signs and sends its activation. A second call
 * goes on after an interruption.
 */

import { readModel } from "@openledger/attribution/model/model-directory";
import { figureWords } from "@openledger/attribution/model/model-figure";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { approvalsOf, getSettlement } from "@openledger/client/sequencer/model-reads";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { type RegisterProgress, registerOnLedger } from "@openledger/client/tasks/register-model";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { writeSignedFigure } from "@openledger/models/serving/answers/figure-file";
import { prepareActivation } from "@openledger/models/settling/prepare-settlement";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { payeeTableFor, settlementCircuitFor } from "@openledger/verifier/circuits/rollup-circuits";
import { accountOf, openSigner, signFor } from "../../cli/context.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { openSettlementContext, proveWithOutput } from "../../cli/settlement-context.ts";
import { approvalWords, askHostOf } from "../datanet/approval-terms.ts";

export interface RegisterOptions {
  price: string;
  amount: string;
  circuits: string[];
  prover: string;
  /** Datanet host whose signed terms are asked for. */
  host?: string;
}

/** Registers the model in a folder. Prices and balances are in OPEN. */
export async function registerModel({
  options,
  args,
  output,
}: CommandContext<RegisterOptions>): Promise<void> {
  const model = await readModel(args[0]!, await modelFamilies());
  const signer = await openSigner(options);
  const context = await openSettlementContext(options);
  const payeeCount = model.payees.filter(({ rowCount }) => rowCount > 0).length;
  const settling = settlementCircuitFor(context.circuits, modelShape(model.statics, model.payees)).circuit;
  const table = payeeTableFor(context.circuits, model.payees);
  const { address: l1Owner } = signer.account.l1;
  const payer = await accountOf(signer.client, l1Owner);
  const client = await signFor(signer, payer);
  const { figure, leaf, modelId, terms, wasRegistered } = await registerOnLedger(client, {
    ...{ model, l1Owner, from: payer.id },
    priceWei: parseOpen(options.price),
    amountWei: parseOpen(options.amount),
    askHost: askHostOf(options),
    signer: (created) => signFor(signer, created),
    prove: async (created) => {
      const provable = prepareActivation(created, model, { table, settling });
      return (await proveWithOutput(provable, { ...context, output, prover: options.prover })).settlement;
    },
    onProgress: ({ step }) => output.progress(STEPS[step]),
  });
  if (figure !== null) await writeSignedFigure(args[0]!, figure);
  const activation = await getSettlement(signer.client, modelId, 0);
  const found = terms.flatMap(({ datanetId, ...one }) => approvalWords(datanetId, one));
  const lines = [
    ...new Set(found),
    `model ${modelId} ${wasRegistered ? "was registered before: nothing was sent" : "is ready"}: ${counted(payeeCount, "payee")}, at most ${settling.size0} payments an epoch`,
    ...(figure === null
      ? []
      : [`its leaf has signed its figure, which its server shows: ${figureWords(figure.body.figure)}`]),
    ...approvalsOf(leaf).map(
      ({ id }, position) =>
        `${position === 0 ? "it takes payments once its datanet approves it" : "and this one, too"}: openledger datanet approve-model ${id} ${modelId}`,
    ),
  ];
  output.answer(lines, {
    modelId,
    datanetId: leaf.model.datanetId,
    furtherDatanets: leaf.model.furtherDatanets,
    staticsHash: hex32(model.staticsHash),
    figure: figure?.body.figure ?? null,
    payeeCount,
    cap: settling.size0,
    circuit: settling.name,
    activation:
      activation === null ? null : { status: activation.status, batchNumber: activation.batchNumber },
  });
}

const STEPS: Readonly<Record<RegisterProgress["step"], string>> = {
  checking: "checking the model's terms, price and circuits",
  creating: "creating the model on the ledger",
  proving: "proving its payee table",
  sending: "sending the activation",
};
