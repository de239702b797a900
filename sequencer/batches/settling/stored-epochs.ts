/**
 * Records of models' epochs in the sequencer's store, which settlers read: every payment with the cumulative amount that its
 * hash chain commits to, and every closed epoch. They are written in the same atomic write as their operation, so they survive
 * exactly when it does. A rebuilt batch changes none of them: it has the same operations in the same order, and keeps its
 * number. Of queue entries a ForcedPayInference and a ForcedCloseEpoch leave one.
 */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { postedPayment } from "@openledger/circuits/batch/batch-data";
import { unpackForcedApproval } from "@openledger/circuits/batch/queue-slot";
import type { SlotTrace } from "@openledger/circuits/batch/slot-trace";
import { type Leaf, unpackCounters } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { APPROVAL_DELAY_SECONDS, EPOCH_SECONDS, KIND } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import type { LedgerLog } from "../../store/ledger-log.ts";
import type { ExecutedQueueEntry, StoredQueueEntry } from "../../store/log-entry.ts";
import { type StoreWrite, storeKeys } from "../../store/store-keys.ts";
import type { BatchRegistry } from "../batch-registry.ts";

/**
 * Hash of a payment or epoch without a known signed operation: L1's queue forced it, or L1 alone is known, which does not
 * hold the fee limit that the hash covers.
 */
export const NO_OPERATION_HASH = hex32(0n);

/** One link of an epoch's chain: H[PAYMENT](chain, receipt, payerId | cumulativeWei << 24). */
export interface StoredPayment {
  /** Hash of the operation; 0 where L1's queue forced it, or L1 alone is known. */
  readonly hash: `0x${string}`;
  /** Index of the queue entry that forced it; absent for a signed operation. */
  readonly queueIndex?: number;
  readonly receipt: bigint;
  readonly payerId: number;
  readonly amountWei: bigint;
  /** Paid in the epoch so far, this payment included, in wei. */
  readonly cumulativeWei: bigint;
  readonly batchNumber: number;
}

export interface StoredEpoch {
  readonly modelId: number;
  readonly epoch: number;
  /** The batch whose place on L1 gives the randomness. */
  readonly closingBatch: number;
  readonly chain: bigint;
  readonly amountWei: bigint;
  readonly paymentCount: number;
  /** The model's `closed` after the CloseEpoch. */
  readonly closed: bigint;
  /** Hash of the CloseEpoch; 0 where L1's queue forced it. */
  readonly hash: `0x${string}`;
}

/** The records that an operation leaves behind; `ledger` is as it was right after it. */
export function epochWrites(
  ledger: Ledger,
  operation: SignedOperation,
  trace: Pick<SlotTrace, "b" | "record">,
  facts: { hash: `0x${string}`; batchNumber: number },
): StoreWrite[] {
  const modelId = trace.record.b;
  if (operation.kind === KIND.closeEpoch) return [closeWrite(ledger, modelId, trace.b, facts)];
  return paymentWrites(ledger, trace.record, facts);
}

/** The records that an executed queue entry leaves behind: of a payment or a close. `before`: its leaf B as it was. */
export function forcedEpochWrites(
  ledger: Ledger,
  record: SlotRecord,
  before: Leaf,
  { batchNumber, operation: { queueIndex } }: Pick<ExecutedQueueEntry, "batchNumber" | "operation">,
): StoreWrite[] {
  const facts = { hash: NO_OPERATION_HASH, queueIndex, batchNumber };
  if (record.kind !== KIND.forcedCloseEpoch) return paymentWrites(ledger, record, facts);
  return record.isValid ? [closeWrite(ledger, record.b, before, facts)] : [];
}

function paymentWrites(
  ledger: Ledger,
  record: SlotRecord,
  facts: Pick<StoredPayment, "hash" | "queueIndex" | "batchNumber">,
): StoreWrite[] {
  const payment = postedPayment(record);
  if (payment === null) return [];
  const { leaf } = ledger.requireLeaf(record.b);
  const { epoch, paymentCount } = unpackCounters(leaf.counters);
  const value: StoredPayment = { ...payment, ...facts, cumulativeWei: leaf.openAmount };
  return [{ key: storeKeys.payment(record.b, Number(epoch), Number(paymentCount) - 1), value }];
}

/**
 * Returns true for a ForcedCloseEpoch until L1 has the beginning of the epoch that it would close, and for a
 * ForcedApproveModel until L1 has the publication of the model. A rebuild moves that time, and could so undo an executed
 * entry.
 */
export function waitsForL1(
  {
    a,
    b,
    kind,
    amountWei,
    word1: queuedAt,
  }: Pick<StoredQueueEntry, "a" | "b" | "kind" | "amountWei" | "word1">,
  ledger: Ledger,
  registry: BatchRegistry,
): boolean {
  if (kind === KIND.forcedApproveModel) {
    const publishedAt = ledger.leaf(a)?.datanet?.publishedAt ?? 0n;
    const isYoung = unpackForcedApproval(amountWei).queuedAt < publishedAt + BigInt(APPROVAL_DELAY_SECONDS);
    return (
      publishedAt !== 0n &&
      !isYoung &&
      registry.leafAfter(registry.reached("posted"), a)?.datanet?.publishedAt !== publishedAt
    );
  }
  const epochStart = ledger.leaf(b)?.model?.epochStart ?? 0n;
  // Younger epochs are not closed, wherever they begin; 0 belongs to a model without an activation.
  if (kind !== KIND.forcedCloseEpoch || epochStart === 0n || queuedAt < epochStart + BigInt(EPOCH_SECONDS))
    return false;
  return registry.leafAfter(registry.reached("posted"), b)?.model?.epochStart !== epochStart;
}

/** `before`: the model's leaf before the CloseEpoch took the epoch out of it; `ledger` is as it was right after it. */
function closeWrite(
  ledger: Ledger,
  modelId: number,
  before: Leaf,
  { hash, batchNumber }: { hash: `0x${string}`; batchNumber: number },
): StoreWrite {
  const { epoch, paymentCount } = unpackCounters(before.counters);
  const value: StoredEpoch = {
    modelId,
    epoch: Number(epoch),
    closingBatch: batchNumber,
    chain: before.chain,
    amountWei: before.openAmount,
    paymentCount: Number(paymentCount),
    closed: ledger.requireLeaf(modelId).model!.closed,
    hash,
  };
  return { key: storeKeys.epoch(modelId, value.epoch), value };
}

/** An epoch's payments in the chain's order, `limit` of them from place `from` on. */
export async function readPayments(
  log: LedgerLog,
  modelId: number,
  epoch: number,
  page: { from: number; limit: number },
): Promise<StoredPayment[]> {
  return log.range<StoredPayment>({
    gte: storeKeys.payment(modelId, epoch, page.from),
    lt: storeKeys.payment(modelId, epoch + 1, 0),
    limit: page.limit,
  });
}

/** The epoch's record, undefined while it is open. */
export function readEpoch(log: LedgerLog, modelId: number, epoch: number): Promise<StoredEpoch | undefined> {
  return log.get<StoredEpoch>(storeKeys.epoch(modelId, epoch));
}
