/**
 * Public reads about models from the sequencer. Their results are not proven: `openledger verify settlement` proves them.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { hashStatics, type ModelStatics } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { decodeEntries, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import { isRollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, rollupContract } from "../ledger-client.ts";
import {
  type LeafRewards,
  type LedgerModelLeaf,
  type LedgerPayment,
  type LedgerSettlement,
  modelSchema,
  paymentsSchema,
  preVerifiedSchema,
  rewardsSchema,
  settlementSchema,
} from "./model-schemas.ts";
import { requestSequencer, type SequencerAccess, type SequencerErrorCode } from "./sequencer-request.ts";

export type GetModelErrorCode = "CLI_LEAF_NOT_FOUND" | "OP_WRONG_LEAF_KIND" | SequencerErrorCode;

/** Reads a model. @throws CLI_LEAF_NOT_FOUND; OP_WRONG_LEAF_KIND where the leaf is no model */
export async function getModel(client: SequencerAccess, modelId: number): Promise<LedgerModelLeaf> {
  try {
    return await requestSequencer(client, `/v1/models/${modelId}`, modelSchema);
  } catch (cause) {
    if (!isRollupError(cause, "OP_UNKNOWN_LEAF")) throw cause;
    throw clientError("CLI_LEAF_NOT_FOUND", `there is no leaf ${modelId}`, { data: { id: modelId }, cause });
  }
}

/** A model's statics, and their hash. Needs `initPoseidon`, as every client has done. */
export function staticsOf({ model }: LedgerModelLeaf): ModelStatics & { readonly hash: bigint } {
  const { featuresCommitment, ownersCommitment, payeeRoot, binding, ownerParts, validatorParts } = model;
  const split = packSplit({ ownerParts: BigInt(ownerParts), validatorParts: BigInt(validatorParts) });
  const statics = { featuresCommitment, ownersCommitment, payeeRoot, binding, split };
  return { ...statics, hash: hashStatics(statics) };
}

/** Why the ledger takes no payment for a model now. */
export type NotPayable = "not-approved" | "not-activated" | "epoch-full";

/**
 * Says why the ledger takes no payment for a model now: a Datanet has not approved it, its activation is not settled, or its open epoch
 * has as many payments as it takes. null where it takes one.
 */
export function whyNotPayable({
  cap,
  isApproved,
  isReady,
  paymentCount,
}: Pick<LedgerModelLeaf["counters"], "cap" | "isApproved" | "isReady" | "paymentCount">): NotPayable | null {
  if (!isApproved) return "not-approved";
  if (!isReady) return "not-activated";
  return paymentCount >= cap ? "epoch-full" : null;
}

/** A model's Datanets in their places, and which of them have approved it. A payment needs all. */
export function approvalsOf({ counters, model }: LedgerModelLeaf): { id: number; hasApproved: boolean }[] {
  return [model.datanetId, ...model.furtherDatanets].map((id, position) => ({
    id,
    hasApproved: counters.isApproved || ((counters.approvals >> position) & 1) === 1,
  }));
}

export type EpochPayments = Omit<z.output<typeof paymentsSchema>, "payments"> & {
  /** All payments, in the order of the chain. */
  readonly payments: readonly LedgerPayment[];
};

/** Payments of one request to the sequencer. */
const PAGE_SIZE = 500;
/** Place behind every payment of an epoch: a page from there has their number alone. */
const PAST_END = 2 ** 31 - 1;

/** Reads an epoch's payments, the open epoch's by default. @throws SEQ_UNKNOWN */
export async function getPayments(
  client: SequencerAccess,
  modelId: number,
  epoch?: number,
): Promise<EpochPayments> {
  const payments: LedgerPayment[] = [];
  for (;;) {
    const page = await readPage(client, { modelId, from: payments.length, epoch });
    payments.push(...page.payments);
    if (page.payments.length < PAGE_SIZE) return { ...page, payments };
  }
}

/**
 * Finds an account's payment of a receipt in the model's open epoch, or in the one before it: an answer may be paid when its epoch
 * closes. Payments that the sequencer has pruned are older than any answer that waits for its payment.
 * @returns null where there is none
 * @throws CLI_LEAF_NOT_FOUND, OP_WRONG_LEAF_KIND
 * @internal
 */
export async function findReceiptPayment(
  client: SequencerAccess,
  { modelId, payerId, receipt }: { modelId: number; payerId: number; receipt: bigint },
): Promise<(LedgerPayment & { readonly epoch: number }) | null> {
  const { epoch: open } = (await getModel(client, modelId)).counters;
  for (const epoch of open > 1 ? [open, open - 1] : [open])
    for await (const { payments } of pagesOf(client, modelId, epoch)) {
      const found = payments.find((one) => one.receipt === receipt && one.payerId === payerId);
      if (found !== undefined) return { ...found, epoch };
    }
  return null;
}

/** Pages of an epoch's payments: the first one, then from the last one back to it, or to what the sequencer has pruned. */
async function* pagesOf(client: SequencerAccess, modelId: number, epoch: number) {
  const first = await unpruned(readPage(client, { modelId, from: 0, epoch }));
  if (first !== null) yield first;
  const { paymentCount } = first ?? (await readPage(client, { modelId, from: PAST_END, epoch }));
  for (let to = paymentCount; to > (first === null ? 0 : PAGE_SIZE); to -= PAGE_SIZE) {
    const page = await unpruned(readPage(client, { modelId, from: Math.max(0, to - PAGE_SIZE), epoch }));
    if (page === null) return;
    yield page;
  }
}

/**
 * Number of an epoch's payments.
 * @internal
 */
export async function countPayments(
  client: SequencerAccess,
  modelId: number,
  epoch: number,
): Promise<number> {
  return (await readPage(client, { modelId, from: PAST_END, epoch })).paymentCount;
}

/** A page of payments; null where the sequencer does not have them any more. */
const unpruned = (page: Promise<EpochPayments>): Promise<EpochPayments | null> =>
  page.catch((error: unknown) => {
    if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return null;
    throw error;
  });

/** Maximum payments of an epoch: the ledger's cap of a model has 16 bits. */
const MAX_PAYMENTS = 2 ** 16;

/** A page of an epoch's payments, the open epoch's by default. @throws CLI_ANSWER_INVALID for a list that does not end */
const readPage = async (
  client: SequencerAccess,
  { epoch, from, modelId }: { modelId: number; from: number; epoch?: number | undefined },
) => {
  const epochQuery = epoch === undefined ? "" : `&epoch=${epoch}`;
  const path = `/v1/models/${modelId}/payments?from=${from}&limit=${PAGE_SIZE}${epochQuery}`;
  const page = await requestSequencer(client, path, paymentsSchema);
  const { paymentCount, payments } = page;
  // Attack: payments without an end, for who looks for one of them.
  const isEndless = paymentCount > MAX_PAYMENTS || payments.length > Math.max(0, paymentCount - from);
  if (!isEndless && payments.length <= PAGE_SIZE) return page;
  throw clientError("CLI_ANSWER_INVALID", `the payments of model ${modelId} are more than an epoch has`, {
    data: { server: "sequencer", url: client.sequencerUrl, modelId },
  });
};

/**
 * Reads a model's first payment; null where it has none.
 * @throws SEQ_UNKNOWN, SEQ_HISTORY_PRUNED
 * @internal
 */
export async function getFirstPayment(
  client: SequencerAccess,
  modelId: number,
): Promise<LedgerPayment | null> {
  const path = `/v1/models/${modelId}/payments?from=0&limit=1&epoch=1`;
  return (await requestSequencer(client, path, paymentsSchema)).payments[0] ?? null;
}

/** Reads a leaf's rewards from every model. */
export function getRewards(client: SequencerAccess, leafId: number): Promise<LeafRewards> {
  return requestSequencer(client, `/v1/leaves/${leafId}/rewards`, rewardsSchema);
}

/** Reads the settlement of an epoch, 0 for the activation; null where there is none (yet). */
export async function getSettlement(
  client: SequencerAccess,
  modelId: number,
  epoch: number,
): Promise<LedgerSettlement | null> {
  try {
    return await requestSequencer(client, `/v1/settlements/${modelId}/${epoch}`, settlementSchema);
  } catch (error) {
    if (isRollupError(error, "SEQ_UNKNOWN")) return null;
    throw error;
  }
}

/**
 * Returns true if the ledger has a settlement of the epoch, 0 for the activation, by the model's leaf. A request for a
 * missing settlement gets an error, which browsers display.
 * @internal
 */
export function isSettled(
  {
    closedEpoch,
    counters,
  }: Pick<LedgerModelLeaf, "closedEpoch"> & {
    counters: Pick<LedgerModelLeaf["counters"], "epoch" | "isReady">;
  },
  epoch: number,
): boolean {
  if (epoch === 0) return counters.isReady;
  return epoch < counters.epoch && closedEpoch?.epoch !== epoch;
}

/** Decodes the posted bytes of all entries of a settlement. @throws CIR_WIRE_MALFORMED */
export const postedOf = ({
  data,
  further = [],
}: Pick<LedgerSettlement, "data" | "further">): PostedSettlement =>
  decodeEntries([data, ...further.map((entry) => entry.data)].map((hex) => hexToBytes(hex.slice(2))));

/** Maximum settlements of one answer. */
const MAX_SETTLEMENTS = 200;

export interface ListSettlementsOptions {
  /** Maximum settlements, at most 200, which is the default. The sequencer's rate limit counts it. */
  readonly limit?: number;
}

/** Lists a model's settlements, newest first. */
export function listSettlements(
  client: SequencerAccess,
  modelId: number,
  { limit = MAX_SETTLEMENTS }: ListSettlementsOptions = {},
): Promise<LedgerSettlement[]> {
  const path = `/v1/settlements?model=${modelId}&limit=${limit}`;
  return requestSequencer(client, path, z.array(settlementSchema));
}

/**
 * Number of settlements of a model in an epoch, at most: one for each earlier epoch, and the activation.
 * @internal
 */
export const settlementsUpTo = (epoch: number): number => Math.min(MAX_SETTLEMENTS, epoch + 1);

/**
 * Accrued wei of a model's payees before an epoch: the sum of the earlier settlements' payments.
 * @returns null where the sequencer lists too few of them
 * @internal
 */
export async function accruedBefore(
  client: SequencerAccess,
  { id, payees }: Pick<LedgerModelLeaf, "id" | "payees">,
  epoch: number,
): Promise<bigint[] | null> {
  const earlier = (await listSettlements(client, id)).filter(
    (settlement) => settlement.kind === "settle" && settlement.epoch < epoch,
  );
  // Each epoch is settled before the next is closed.
  if (earlier.length < epoch - 1) return null;
  return payees.map((_, m) => earlier.reduce((sum, { earnedWei }) => sum + (earnedWei?.[m] ?? 0n), 0n));
}

// Settlements that wait on L1 for a batch, as the sequencer reports them, with L1's times.

export interface PreVerifiedSettlementView {
  readonly modelId: number;
  readonly epoch: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Name of the circuit. */
  readonly circuit: string;
  /** "waiting" for a batch, "superseded" by another settlement, or the status of the batch that takes it. */
  readonly status: string;
  readonly batchNumber: number | null;
  /** Error code that prevents a batch from taking it. */
  readonly reason: string | null;
  /** Facts by L1's clock; null where L1 has it no more: a batch took it. */
  readonly onL1: {
    readonly blockNumber: number;
    readonly preVerifiedAtSeconds: number;
    /** L1 time from which anybody may post a batch with it, in seconds. */
    readonly anyonePostsFromSeconds: number;
    readonly burnedWei: bigint;
  } | null;
}

/**
 * Lists pre-verified settlements of one model, or of all.
 * @returns null at a full node, which does not know them
 * @throws CLI_NOT_CONFIGURED, CLI_UNREACHABLE, CLI_ANSWER_INVALID
 */
export async function listPreVerifiedSettlements(
  client: LedgerClient,
  modelId: number | null = null,
): Promise<PreVerifiedSettlementView[] | null> {
  const query = modelId === null ? "" : `?model=${modelId}`;
  try {
    const known = await requestSequencer(
      client,
      `/v1/pre-verified-settlements${query}`,
      z.array(preVerifiedSchema),
    );
    return await Promise.all(known.map(async (one) => ({ ...one, onL1: await readOnL1(client, one) })));
  } catch (error) {
    if (isRollupError(error, "SEQ_READ_ONLY")) return null;
    throw error;
  }
}

async function readOnL1(
  client: LedgerClient,
  { modelId, settlementHash }: { modelId: number; settlementHash: bigint },
): Promise<PreVerifiedSettlementView["onL1"]> {
  const contract = rollupContract(client);
  const args = [BigInt(modelId), settlementHash] as const;
  const [[blockNumber, timestamp, burnedWei], softSeconds] = await Promise.all([
    client.l1.readContract({ ...contract, functionName: "preVerifiedSettlements", args }),
    client.l1.readContract({ ...contract, functionName: "SOFT_DEADLINE" }),
  ]);
  if (timestamp === 0n) return null;
  return {
    blockNumber: Number(blockNumber),
    preVerifiedAtSeconds: Number(timestamp),
    anyonePostsFromSeconds: Number(timestamp + softSeconds) + 1,
    burnedWei,
  };
}
