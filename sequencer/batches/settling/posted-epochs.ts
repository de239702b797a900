/**
 * Makes the records of models' payments and closed epochs (stored-epochs.ts) from a batch on L1 whose signed operations are
 * unknown. rebase.ts and full nodes write them.
 */

import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { postedPayment } from "@openledger/circuits/batch/batch-data";
import { unpackCounters } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { type StoreWrite, storeKeys } from "../../store/store-keys.ts";
import { NO_OPERATION_HASH, type StoredEpoch, type StoredPayment } from "./stored-epochs.ts";

interface OpenEpoch {
  epoch: number;
  paymentCount: number;
  amountWei: bigint;
}

/** Construct it before the batch is applied; read `writes` afterwards. */
export class PostedEpochs {
  readonly #batch: BatchData;
  /** Index of the next queue entry that a record takes. */
  #queueIndex: number;
  readonly #open = new Map<number, OpenEpoch>();

  /** @param queueHead before the batch */
  constructor(before: Ledger, batch: BatchData, queueHead: number) {
    this.#batch = batch;
    this.#queueIndex = queueHead;
    for (const { b } of this.#records) {
      const record = before.leaf(b);
      if (record?.model === undefined) continue;
      const { epoch, paymentCount } = unpackCounters(record.leaf.counters);
      const amountWei = record.leaf.openAmount;
      this.#open.set(b, { epoch: Number(epoch), paymentCount: Number(paymentCount), amountWei });
    }
  }

  get #records(): SlotRecord[] {
    return [...this.#batch.narrow, ...this.#batch.wide];
  }

  writes(after: Ledger): StoreWrite[] {
    return this.#records.flatMap((record) => this.#writesOf(record, after));
  }

  #writesOf(record: SlotRecord, after: Ledger): StoreWrite[] {
    const { b, isValid, kind } = record;
    const batchNumber = Number(this.#batch.batchNumber);
    const forced = kindRule(kind)?.isQueue === true ? { queueIndex: this.#queueIndex++ } : {};
    const payment = postedPayment(record);
    if (payment !== null) {
      const open = this.#open.get(b)!;
      open.amountWei += payment.amountWei;
      const rest = { hash: NO_OPERATION_HASH, ...forced, cumulativeWei: open.amountWei, batchNumber };
      const value: StoredPayment = { ...payment, ...rest };
      return [{ key: storeKeys.payment(b, open.epoch, open.paymentCount++), value }];
    }
    switch (kind) {
      case KIND.activation:
        this.#open.set(b, { epoch: 1, paymentCount: 0, amountWei: 0n });
        return [];
      case KIND.forcedCloseEpoch:
      case KIND.closeEpoch: {
        if (kind === KIND.forcedCloseEpoch && !isValid) return [];
        const { amountWei, epoch, paymentCount } = this.#open.get(b)!;
        this.#open.set(b, { epoch: epoch + 1, paymentCount: 0, amountWei: 0n });
        const { model, rewards } = after.requireLeaf(b);
        // It waits for randomness of a later block, so its own batch does not settle it.
        const chain = rewards!.closed!.chain;
        const facts = { modelId: b, epoch, closingBatch: batchNumber, amountWei, paymentCount };
        const value: StoredEpoch = { ...facts, chain, closed: model!.closed, hash: NO_OPERATION_HASH };
        return [{ key: storeKeys.epoch(b, epoch), value }];
      }
      default:
        return [];
    }
  }
}
