/**
 * What a settler has to know of a model's epochs, as records beside the log: every payment with the cumulative amount
 * that its chain commits to, and every sealed epoch. They are written in the same atomic write as the operation that
 * they come from, so they survive exactly what the operation survives. A rebuilt batch changes none of them: it has the
 * same operations in the same order, and keeps its number.
 */
import { decodeAmount } from "../circuits/amount-float.ts";
import { unpackCounters } from "../circuits/leaf.ts";
import type { Ledger } from "../circuits/ledger.ts";
import type { SignedOperation } from "../circuits/operation.ts";
import { KIND } from "../circuits/protocol.ts";
import type { SlotTrace } from "../circuits/slot-trace.ts";
import type { LedgerLog, StoreWrite } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

/** One link of an epoch's chain: H[PAYMENT](chain, receipt, payerId | cumulativeWei << 24). */
export interface PaymentRecord {
  /** Of the operation. */
  readonly hash: `0x${string}`;
  readonly receipt: bigint;
  readonly payerId: number;
  readonly amountWei: bigint;
  /** Of the epoch, this payment included. */
  readonly cumulativeWei: bigint;
  readonly batchNumber: number;
}

export interface EpochRecord {
  readonly modelId: number;
  readonly epoch: number;
  /** The batch whose place on L1 gives the randomness. */
  readonly sealBatch: number;
  readonly chain: bigint;
  readonly amountWei: bigint;
  readonly paymentCount: number;
  /** The model's `sealed` after the Seal. */
  readonly sealed: bigint;
  /** Of the Seal. */
  readonly hash: `0x${string}`;
}

/** The records that an operation leaves behind; `ledger` is as it was right after it. */
export function epochWrites(
  ledger: Ledger,
  operation: SignedOperation,
  trace: Pick<SlotTrace, "b" | "record">,
  facts: { hash: `0x${string}`; batchNumber: number },
): StoreWrite[] {
  const { hash, batchNumber } = facts;
  const modelId = trace.record.b;
  switch (operation.kind) {
    case KIND.payInference: {
      const { leaf } = ledger.requireRecord(modelId);
      const { epoch, paymentCount } = unpackCounters(leaf.counters);
      const value: PaymentRecord = {
        hash,
        receipt: operation.words[0]!,
        payerId: operation.a,
        amountWei: decodeAmount(operation.amountCode),
        cumulativeWei: leaf.openAmount,
        batchNumber,
      };
      return [{ key: storeKeys.payment(modelId, Number(epoch), Number(paymentCount) - 1), value }];
    }
    case KIND.seal: {
      // As the slot opened it: before the Seal took the epoch out of the leaf.
      const { epoch, paymentCount } = unpackCounters(trace.b.counters);
      const value: EpochRecord = {
        modelId,
        epoch: Number(epoch),
        sealBatch: batchNumber,
        chain: trace.b.chain,
        amountWei: trace.b.openAmount,
        paymentCount: Number(paymentCount),
        sealed: ledger.requireRecord(modelId).model!.sealed,
        hash,
      };
      return [{ key: storeKeys.epoch(modelId, value.epoch), value }];
    }
    default:
      return [];
  }
}

/** An epoch's payments in the chain's order, `limit` of them from place `from` on. */
export async function readPayments(
  log: LedgerLog,
  modelId: number,
  epoch: number,
  page: { from: number; limit: number },
): Promise<PaymentRecord[]> {
  return log.range<PaymentRecord>({
    gte: storeKeys.payment(modelId, epoch, page.from),
    lt: storeKeys.payment(modelId, epoch + 1, 0),
    limit: page.limit,
  });
}

/** The epoch's record, undefined while it is open. */
export function readEpoch(log: LedgerLog, modelId: number, epoch: number): Promise<EpochRecord | undefined> {
  return log.get<EpochRecord>(storeKeys.epoch(modelId, epoch));
}
