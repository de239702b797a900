/**
 * Finds operations, L1 transactions, blobs and settlements by the first and last digits of their hashes, for the pages' search.
 * GET /v1/hashes answers with it.
 */

import type { StoredTarget } from "../store/hash-index.ts";
import type { SettlementEntry } from "../store/log-entry.ts";
import { storeKeys } from "../store/store-keys.ts";
import { blobHashOf } from "../store/stored-batch.ts";
import type { LedgerHost } from "./api-options.ts";

/** Maximum hashes of each sort that one search reads: as many share four digits where there are 65 million. */
export const MAX_LOOKED_AT = 1_000;

interface HashPiece {
  /** 0x-hex in lower case. */
  readonly start: string;
  readonly end: string;
  readonly limit: number;
}

/**
 * Lists matches in the order of the hashes, operations first. @returns lookedAt: hashes with this beginning that were
 * read
 */
export async function findHashes(
  { pipeline, log }: Pick<LedgerHost, "pipeline" | "log">,
  { end, limit, start }: HashPiece,
): Promise<{ found: object[]; lookedAt: number }> {
  await log.flushed();
  const operations = await log.operationHashes(start, MAX_LOOKED_AT);
  const found: object[] = operations
    .filter((hash) => hash.endsWith(end))
    .slice(0, limit)
    .map((hash) => ({ hash, what: "operation" }));
  const targets = await log.hashTargets(start, MAX_LOOKED_AT);
  for (const target of targets) {
    if (found.length >= limit) break;
    if (!target.hash.endsWith(end) || !(await isSoStill(target))) continue;
    const { isFinal: _isFinal, ...named } = target;
    found.push(named);
  }
  return { found, lookedAt: operations.length + targets.length };

  async function isSoStill(target: StoredTarget & { hash: string }): Promise<boolean> {
    if (target.isFinal === true) return true;
    const pruned = log.prunedTo;
    switch (target.what) {
      case "batch": {
        if (pruned !== null && target.batchNumber <= pruned.batchNumber) return false;
        const batch = await pipeline.batch(target.batchNumber);
        return [batch?.l1?.transactionHash.toLowerCase(), batch && blobHashOf(batch)].includes(target.hash);
      }
      case "queueEntry":
        if (pruned !== null && target.queueIndex < pruned.queueHead) return false;
        return (await log.queueEntry(target.queueIndex))?.l1TransactionHash.toLowerCase() === target.hash;
      case "settlement": {
        const sequence = await log.get<number>(storeKeys.settlement(target.modelId, target.epoch));
        if (sequence === undefined) return false;
        return (await log.get<SettlementEntry>(storeKeys.log(sequence)))?.hash === target.hash;
      }
      default:
        return target satisfies never;
    }
  }
}
