/**
 * A trained job becomes a model of the ledger: the reader's key creates it, the factory proves its genesis, the key agrees
 * to that. Each step finds what an earlier call has done, so that it may be called again after whatever happened.
 */
import { settlementMessage } from "../../circuits/batch/settlement-operation.ts";
import { unpackBinding } from "../../circuits/ledger/leaf.ts";
import { leafReference } from "../../circuits/ledger/operation.ts";
import { unpackSplit } from "../../circuits/ledger/rewards.ts";
import { KIND, LEAF_KIND } from "../../circuits/protocol.ts";
import { type SettlementBody, sendSettlement } from "../../client/actions/l1/send-settlement.ts";
import { createModel } from "../../client/actions/ledger/create-model.ts";
import { clientError } from "../../client/client-errors.ts";
import { toHex32 } from "../../client/hex.ts";
import { findLeaves, getLeaf } from "../../client/sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../../client/sequencer/model-reads.ts";
import { waitFor } from "../../client/sequencer/wait-for.ts";
import type { FactoryRegistration } from "../../models/factory/factory-api.ts";
import type { FactoryDesk } from "./factory-desk.ts";

export interface RegisterTerms {
  /** Least payment for an answer. */
  readonly priceWei: bigint;
  /** The model's first balance, which pays for its seals. */
  readonly amountWei: bigint;
}

export type RegisterStep = "create" | "prove" | "agree" | "done";

const LOOK_MS = 700;

/** @returns the model's number @throws OP_BALANCE_TOO_LOW, MOD_FACTORY_…, and what sendSettlement throws */
export async function registerJob(
  desk: FactoryDesk,
  jobId: string,
  terms: RegisterTerms,
  onStep: (step: RegisterStep) => void,
): Promise<number> {
  onStep("create");
  let registration = await desk.factory.registration(jobId);
  const modelId =
    registration.modelId ??
    (await findCreated(desk, registration)) ??
    (await create(desk, registration, terms));
  onStep("prove");
  if (registration.genesis === null || registration.modelId !== modelId)
    registration = await desk.factory.proveGenesis(jobId, modelId);
  while (registration.state === "proving") {
    await new Promise((settle) => setTimeout(settle, LOOK_MS));
    registration = await desk.factory.registration(jobId);
  }
  const { failure, genesis } = registration;
  if (failure !== null || genesis === null)
    throw clientError("CLI_FACTORY_ANSWER_INVALID", failure?.message ?? "there is no genesis", {
      data: failure ?? {},
    });
  onStep("agree");
  await agree(desk, modelId, genesis as SettlementBody);
  onStep("done");
  return modelId;
}

/** A model of the account with these statics whose genesis is missing: an earlier call came only so far. */
async function findCreated({ client, leafId }: FactoryDesk, registration: FactoryRegistration) {
  const { l1Owner } = await getLeaf(client, leafId);
  for (const { id, kind } of await findLeaves(client, { owner: l1Owner })) {
    if (kind !== "model") continue;
    const leaf = await getModel(client, id);
    if (!leaf.counters.isReady && toHex32(staticsOf(leaf).hash) === registration.staticsHash) return id;
  }
  return null;
}

async function create(
  { client, leafId }: FactoryDesk,
  { statics }: FactoryRegistration,
  terms: RegisterTerms,
): Promise<number> {
  const { l1Owner } = await getLeaf(client, leafId);
  const { binding, earnerRoot, featuresCommitment, ownersCommitment, split } = statics!;
  const { hash } = await createModel(client, {
    from: leafId,
    l1Owner,
    keyX: client.l2Key!.keyX,
    featuresCommitment: BigInt(featuresCommitment),
    ownersCommitment: BigInt(ownersCommitment),
    earnerRoot: BigInt(earnerRoot),
    binding: unpackBinding(BigInt(binding)),
    split: unpackSplit(BigInt(split)),
    ...terms,
  });
  const { operation } = await waitFor(client, { hash }, "acknowledged");
  return operation!.createdId!;
}

/** The model's key signs over its genesis, which fixes how many payments an epoch may have. */
async function agree({ client }: FactoryDesk, modelId: number, genesis: SettlementBody): Promise<void> {
  const leaf = await getModel(client, modelId);
  if (leaf.counters.isReady) return;
  const bRef = leafReference({ l1Owner: BigInt(leaf.l1Owner), kind: LEAF_KIND.model });
  const settlement = { modelId, settlementHash: BigInt(genesis.settlementHash) };
  const message = settlementMessage(settlement, { domain: client.domain, bRef }, KIND.genesis);
  const { r8x, r8y, s } = client.l2Key!.sign(message);
  const signature = { r8x: toHex32(r8x), r8y: toHex32(r8y), s: toHex32(s) };
  await sendSettlement(client, { ...genesis, signature });
}
