/**
 * Index of hashes in the sequencer's store, for searches by the beginning of one (GET /v1/hashes). Operations have keys of
 * their own; transactions on L1, blobs and settlements get these. An entry is never deleted: a reader checks that it still
 * holds. Once the record behind it is pruned, its entries are marked as final.
 */
import type { SettlementEntry, StoredQueueEntry } from "./log-entry.ts";
import { storeKeys } from "./store-keys.ts";
import { blobHashOf, type StoredBatch } from "./stored-batch.ts";

export type HashTarget =
  | { readonly what: "batch"; readonly batchNumber: number }
  | { readonly what: "queueEntry"; readonly queueIndex: number }
  | { readonly what: "settlement"; readonly modelId: number; readonly epoch: number };

/** Target in the store. */
export type StoredTarget = HashTarget & { readonly isFinal?: true };

export interface IndexWrite {
  readonly key: string;
  readonly value: StoredTarget;
}

const HASH = /^0x[0-9a-f]{64}$/i;

/** Index entries for a write of a batch or a queue entry; none for any other record. */
export function transactionWrites(key: string, value: unknown): IndexWrite[] {
  if (value === undefined) return [];
  if (key.startsWith("batch!")) {
    const batch = value as StoredBatch;
    const target = { what: "batch", batchNumber: batch.number } as const;
    const names = [batch.l1?.transactionHash, blobHashOf(batch) ?? undefined];
    return names.flatMap((name) => indexed(name, batch.number, target));
  }
  if (key.startsWith("queue!")) {
    const { l1TransactionHash, queueIndex } = value as StoredQueueEntry;
    return indexed(l1TransactionHash, queueIndex, { what: "queueEntry", queueIndex });
  }
  return [];
}

export function settlementWrites({ epoch, hash, operation: { modelId } }: SettlementEntry): IndexWrite[] {
  return indexed(hash, modelId, { what: "settlement", modelId, epoch });
}

function indexed(hash: string | undefined, number: number, value: HashTarget): IndexWrite[] {
  if (hash === undefined || !HASH.test(hash)) return [];
  return [{ key: storeKeys.hash(hash.toLowerCase(), value.what, number), value }];
}
