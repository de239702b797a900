/**
 * Payments of every model's epochs, as the batches on L1 have them: the data with which anybody settles without the
 * operator. It follows the records alone; the user of an epoch checks that its chain is the ledger's.
 */

import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { postedPayment } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";

export interface Payment {
  readonly receipt: bigint;
  readonly payerId: number;
  readonly amountWei: bigint;
  /** Paid in the epoch so far, this payment included, in wei. */
  readonly cumulativeWei: bigint;
  readonly batchNumber: number;
}

interface ClosedPayments {
  readonly epoch: number;
  /** Number of the batch that holds the CloseEpoch. */
  readonly closingBatch: number;
  readonly payments: readonly Payment[];
}

/** The payments of a model that matter: of the open epoch, and of the one that waits for its settlement. */
export interface ModelPayments {
  readonly open: { readonly epoch: number; readonly payments: readonly Payment[] };
  readonly closed: ClosedPayments | null;
}

interface ModelHistory {
  epoch: number;
  open: Payment[];
  /** The last closed epoch until it is settled. */
  closed: ClosedPayments | null;
}

export class PaymentHistory {
  readonly #models = new Map<number, ModelHistory>();

  applyBatch(batch: BatchData): void {
    for (const record of [...batch.narrow, ...batch.wide]) this.#apply(record, Number(batch.batchNumber));
  }

  /** Starts a model from a snapshot, which is checked against the model's leaf before (ledger-snapshot.ts). */
  seed(modelId: number, { open, closed }: ModelPayments): void {
    this.#models.set(modelId, { epoch: open.epoch, open: [...open.payments], closed });
  }

  /** The model's closed epoch, null where none waits for its settlement. */
  closed(modelId: number): ClosedPayments | null {
    return this.#models.get(modelId)?.closed ?? null;
  }

  /** The model's open epoch; null before its activation. */
  open(modelId: number): { epoch: number; payments: readonly Payment[] } | null {
    const model = this.#models.get(modelId);
    return model === undefined ? null : { epoch: model.epoch, payments: model.open };
  }

  #apply(record: SlotRecord, batchNumber: number): void {
    const { b, isValid, kind } = record;
    const payment = postedPayment(record);
    if (payment !== null) {
      const { open } = this.#models.get(b)!;
      const cumulativeWei = (open.at(-1)?.cumulativeWei ?? 0n) + payment.amountWei;
      open.push({ ...payment, cumulativeWei, batchNumber });
    }
    switch (kind) {
      case KIND.activation:
        this.#models.set(b, { epoch: 1, open: [], closed: null });
        break;
      case KIND.forcedCloseEpoch:
        if (isValid) this.#close(b, batchNumber);
        break;
      case KIND.closeEpoch:
        this.#close(b, batchNumber);
        break;
      case KIND.settle:
        this.#models.get(b)!.closed = null;
        break;
    }
  }

  #close(modelId: number, batchNumber: number): void {
    const model = this.#models.get(modelId)!;
    model.closed = { epoch: model.epoch, closingBatch: batchNumber, payments: model.open };
    model.epoch += 1;
    model.open = [];
  }
}
