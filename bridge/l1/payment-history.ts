/**
 * The payments of every model's epochs, as the batches on L1 have them: what somebody who settles without asking the
 * operator needs. It follows the records alone; that their chain is the ledger's is checked where an epoch is used.
 */

import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND } from "@openledger/circuits/protocol";

export interface Payment {
  readonly receipt: bigint;
  readonly payerId: number;
  readonly amountWei: bigint;
  /** Of the epoch, this payment included. */
  readonly cumulativeWei: bigint;
  readonly batchNumber: number;
}

interface SealedPayments {
  readonly epoch: number;
  /** Number of the batch that holds the Seal. */
  readonly sealBatch: number;
  readonly payments: readonly Payment[];
}

/** The payments of a model that matter: of the open epoch, and of the one that waits for its settlement. */
export interface ModelPayments {
  readonly open: { readonly epoch: number; readonly payments: readonly Payment[] };
  readonly sealed: SealedPayments | null;
}

interface ModelHistory {
  epoch: number;
  open: Payment[];
  /** The last sealed epoch until it is settled. */
  sealed: SealedPayments | null;
}

export class PaymentHistory {
  readonly #models = new Map<number, ModelHistory>();

  applyBatch(batch: BatchData): void {
    for (const record of [...batch.narrow, ...batch.wide]) this.#apply(record, Number(batch.batchNumber));
  }

  /** Goes on from what a snapshot says of a model; it is checked against the model's leaf before (ledger-snapshot.ts). */
  seed(modelId: number, { open, sealed }: ModelPayments): void {
    this.#models.set(modelId, { epoch: open.epoch, open: [...open.payments], sealed });
  }

  /** The model's sealed epoch, null where none waits for its settlement. */
  sealed(modelId: number): SealedPayments | null {
    return this.#models.get(modelId)?.sealed ?? null;
  }

  /** The model's open epoch; null before its activation. */
  open(modelId: number): { epoch: number; payments: readonly Payment[] } | null {
    const model = this.#models.get(modelId);
    return model === undefined ? null : { epoch: model.epoch, payments: model.open };
  }

  #apply({ a, amountCode, b, isValid, kind, words }: SlotRecord, batchNumber: number): void {
    switch (kind) {
      case KIND.activation:
        this.#models.set(b, { epoch: 1, open: [], sealed: null });
        break;
      case KIND.payInference: {
        const { open } = this.#models.get(b)!;
        const amountWei = decodeAmount(amountCode);
        const cumulativeWei = (open.at(-1)?.cumulativeWei ?? 0n) + amountWei;
        open.push({ receipt: words[0]!, payerId: a, amountWei, cumulativeWei, batchNumber });
        break;
      }
      case KIND.forcedSeal:
        if (isValid) this.#seal(b, batchNumber);
        break;
      case KIND.seal:
        this.#seal(b, batchNumber);
        break;
      case KIND.settle:
        this.#models.get(b)!.sealed = null;
        break;
    }
  }

  #seal(modelId: number, batchNumber: number): void {
    const model = this.#models.get(modelId)!;
    model.sealed = { epoch: model.epoch, sealBatch: batchNumber, payments: model.open };
    model.epoch += 1;
    model.open = [];
  }
}
