/**
 * `openledger models register`: creates a trained model on the ledger, and proves, signs and sends its activation. A second call
 * goes on after an interruption.
 */

import { readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, getSettlement, staticsOf } from "@openledger/client/sequencer/model-reads";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { prepareActivation } from "@openledger/models/settling/prepare-settlement";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { payeeTableFor, settlementCircuitFor } from "@openledger/verifier/circuits/rollup-circuits";
import { accountOf, openReader, openSigner, type Signer, signFor } from "../../cli/context.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { waitWithProgress } from "../../cli/run-command.ts";
import { openSettlementContext, proveWithOutput } from "../../cli/settlement-context.ts";
import { termsOfRegistration } from "../datanet/approval-terms.ts";

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
  // Before anything is paid: a model that no Datanet's owner can approve would be of no use.
  const found = await termsOfRegistration(await openReader(options), model.recipe, options);
  const signer = await openSigner(options);
  const context = await openSettlementContext(options);
  const payeeCount = model.payees.filter(({ rowCount }) => rowCount > 0).length;
  // Before anything is paid: a model that no circuit settles would be of no use.
  const settling = settlementCircuitFor(context.circuits, modelShape(model.statics, model.payees)).circuit;
  const table = payeeTableFor(context.circuits, model.payees);
  const known = await findRegistered(signer, model.staticsHash);
  const modelId =
    known ??
    (await create(signer, model, {
      priceWei: parseOpen(options.price),
      amountWei: parseOpen(options.amount),
      wait: (hash) => waitWithProgress(signer.client, { hash }, "acknowledged", output),
    }));
  const leaf = await getModel(signer.client, modelId);
  if (!leaf.counters.isReady) {
    const provable = prepareActivation(leaf, model, { table, settling });
    const { settlement } = await proveWithOutput(provable, {
      ...context,
      output,
      prover: options.prover,
    });
    const consented = signSettlement(await signFor(signer, leaf), leaf, settlement);
    await sendSettlement(signer.client, encodeSettlementBody(consented));
  }
  const activation = await getSettlement(signer.client, modelId, 0);
  const lines = [
    ...found,
    `model ${modelId} is ready: ${counted(payeeCount, "payee")}, at most ${settling.size0} payments an epoch`,
    ...approvalsOf(leaf).map(
      ({ id }, place) =>
        `${place === 0 ? "it takes payments once its datanet approves it" : "and this one, too"}: openledger datanet approve-model ${id} ${modelId}`,
    ),
  ];
  output.answer(lines, {
    modelId,
    datanetId: leaf.model.datanetId,
    furtherDatanets: leaf.model.furtherDatanets,
    staticsHash: hex32(model.staticsHash),
    payeeCount,
    cap: settling.size0,
    circuit: settling.name,
    activation:
      activation === null ? null : { status: activation.status, batchNumber: activation.batchNumber },
  });
}

/** A model of the account with these statics whose activation is missing: an earlier call came only so far. */
async function findRegistered(signer: Signer, staticsHash: bigint): Promise<number | null> {
  const { client, account } = signer;
  for (const { id, kind } of await findLeaves(client, { owner: account.l1.address })) {
    if (kind !== "model") continue;
    const leaf = await getModel(client, id);
    if (!leaf.counters.isReady && staticsOf(leaf).hash === staticsHash) return id;
  }
  return null;
}

async function create(
  signer: Signer,
  { statics }: Pick<PublishedModel, "statics">,
  terms: {
    priceWei: bigint;
    amountWei: bigint;
    wait: (hash: `0x${string}`) => ReturnType<typeof waitWithProgress>;
  },
): Promise<number> {
  const payer = await accountOf(signer.client, signer.account.l1.address);
  const client = await signFor(signer, payer);
  const { featuresCommitment, ownersCommitment, payeeRoot, binding, split } = statics;
  const sent = await createModel(client, {
    from: payer.id,
    l1Owner: signer.account.l1.address,
    keyX: client.l2Key!.keyX,
    amountWei: terms.amountWei,
    featuresCommitment,
    ownersCommitment,
    payeeRoot,
    binding: unpackBinding(binding),
    split: unpackSplit(split),
    priceWei: terms.priceWei,
  });
  const { operation } = await terms.wait(sent.hash);
  return operation!.createdId!;
}
