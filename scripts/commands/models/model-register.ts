import { unchallengedModel } from "@openledger/attribution/model/answering-hash";
import { readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import { promisesModelCommitment } from "@openledger/challenger/playing/disputes-contracts";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import {
  admitActivation,
  encodeSettlementBody,
  waitingGate,
} from "@openledger/client/actions/l1/send-settlement";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, getSettlement, staticsOf } from "@openledger/client/sequencer/model-reads";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { prepareActivation } from "@openledger/models/settling/prepare-settlement";
import { sendActivation, signSettlement } from "@openledger/models/settling/sign-settlement";
import { payeeTableFor, settlementCircuitFor } from "@openledger/verifier/circuits/rollup-circuits";
import type { Address } from "viem";
import { accountOf, openSigner, type Signer, signFor } from "../../cli/context.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { waitWithProgress } from "../../cli/run-command.ts";
import { openSettlementContext, proveWithOutput } from "../../cli/settlement-context.ts";

export interface RegisterOptions {
  price: string;
  amount: string;
  circuits: string[];
  prover: string;
}

export async function registerModel({
  options,
  args,
  output,
}: CommandContext<RegisterOptions>): Promise<void> {
  const signer = await openSigner(options);
  const context = await openSettlementContext(options);
  const model = await readModel(args[0]!, await modelFamilies());
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
    const { settlementHash } = provable.prepared.data;
    let admittedAt: number | undefined;
    const gate = await waitingGate(signer.client, modelId, settlementHash);
    if (gate !== null && promisesNothing(model)) {
      output.progress(`the contract ${gate} admits the activation: it promises no window`);
      ({ blockNumber: admittedAt } = await admitActivation(signer.client, {
        ...{ gate, model: leaf, cap: BigInt(settling.size0), settlementHash },
        ...unchallengedModel(model),
      }));
    } else if (gate !== null) {
      const lines = [
        `model ${modelId} is created; its activation waits for the contract ${gate}`,
        nextStepAt(gate, args[0]!, { modelId, cap: settling.size0, model }),
        "then register it again",
      ];
      output.answer(lines, { modelId, cap: settling.size0, gate, isAdmitted: false });
      return;
    }
    const { settlement } = await proveWithOutput(provable, {
      ...context,
      output,
      prover: options.prover,
    });
    const consented = signSettlement(await signFor(signer, leaf), leaf, settlement);
    await sendActivation(signer.client, encodeSettlementBody(consented), {
      admittedAt,
      onWait: () => output.progress("waiting until the sequencer sees that L1 admits the activation"),
    });
  }
  const activation = await getSettlement(signer.client, modelId, 0);
  const lines = [
    `model ${modelId} is ready: ${payeeCount} payees, at most ${settling.size0} payments an epoch`,
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

/** Whether the gate admits the model at once. */
const promisesNothing = (model: Pick<PublishedModel, "recipe">): boolean =>
  claimantOf(model.recipe) === null && !promisesModelCommitment(model);

/** What lets the gate take the activation of a model that promises something. */
export function nextStepAt(
  gate: Address,
  folder: string,
  {
    cap,
    model,
    modelId,
  }: { readonly modelId: number; readonly cap: number; readonly model: Pick<PublishedModel, "recipe"> },
): string {
  const of = `${gate} ${folder} --model-id ${modelId}`;
  const admit = `openledger disputes admit ${of} --cap ${cap}`;
  const post = `anyone may refute it for some days: openledger disputes commit-model ${of}; then ${admit}`;
  if (claimantOf(model.recipe) !== null) {
    const register = `its draws wait for claims: ${admit}`;
    return promisesModelCommitment(model) ? `${register}; then ${post} again` : register;
  }
  return post;
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
