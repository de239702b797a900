/**
 * Makes the blobs of past batches again for whoever asks, for as long as there is a ledger: Ethereum deletes a blob after 18
 * days, and anyone who rebuilds the ledger later needs it. They follow from the batches' records, which the history keeps, so
 * no copy of them is kept. GET /blobs/… serves them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { encodeBlob } from "@openledger/circuits/blob/blob-bytes";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { LRUCache } from "lru-cache";
import type { StoredTarget } from "../store/hash-index.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import { underPrefix } from "../store/store-keys.ts";
import { blobHashOf, blobShapeOf } from "../store/stored-batch.ts";

/** Blobs in memory, 131,072 bytes each: all full nodes ask for the newest. */
const RECENT = 64;
/**
 * Milliseconds of pause after each blob that was made: strangers who ask for old blobs take half of the thread at most.
 */
const PAUSE_MS = 15;

export class LedgerBlobs {
  readonly #log: LedgerLog;
  readonly #recent = new LRUCache<VersionedHash, Uint8Array>({ max: RECENT });
  #making: Promise<unknown> = Promise.resolve();

  constructor(log: LedgerLog) {
    this.#log = log;
  }

  /** Returns true if the blob is in memory. */
  isRecent(versionedHash: VersionedHash): boolean {
    return this.#recent.has(versionedHash);
  }

  /**
   * The 131,072 bytes; null where no batch with a record here has this blob on L1.
   * @throws SRV_STORE_CORRUPT, SEQ_HISTORY_PRUNED
   */
  async read(versionedHash: VersionedHash): Promise<Uint8Array | null> {
    const recent = this.#recent.get(versionedHash);
    if (recent !== undefined) return recent;
    // A request that waits holds a number: a record takes 300 kB.
    const number = await this.#numberOf(versionedHash);
    return number === null ? null : this.#inTurn(() => this.#make(versionedHash, number));
  }

  /**
   * Number of the batch that has this blob. Reads all names of the hash: forks of L1 and rebuilt batches leave their
   * names, and equal batches share one.
   */
  async #numberOf(versionedHash: VersionedHash): Promise<number | null> {
    const names = this.#log.each<StoredTarget>(underPrefix(`hash!${versionedHash}!batch`));
    let prunedNumber: number | null = null;
    for await (const [, target] of names) {
      if (target.what !== "batch") continue;
      const record = await this.#log.storedBatch(target.batchNumber);
      if (record !== undefined && blobHashOf(record) === versionedHash) return record.number;
      if (target.isFinal === true) prunedNumber = target.batchNumber;
    }
    if (prunedNumber !== null)
      throw this.#log.prunedError(`the blob of batch ${prunedNumber}`, { batchNumber: prunedNumber });
    return null;
  }

  /** Makes one blob at a time, each in about 15 ms, so that others have their turns in between. */
  #inTurn<T>(make: () => Promise<T>): Promise<T> {
    const made = this.#making.then(make);
    this.#making = made.catch(() => {}).then(() => sleep(PAUSE_MS));
    return made;
  }

  async #make(versionedHash: VersionedHash, number: number): Promise<Uint8Array | null> {
    const made = this.#recent.get(versionedHash);
    const record = made === undefined ? await this.#log.storedBatch(number) : undefined;
    // L1 may have taken it back meanwhile.
    if (record === undefined || blobHashOf(record) !== versionedHash) return made ?? null;
    const { circuit, narrow } = record;
    const bytes = encodeBlob(blobElements({ shape: blobShapeOf(circuit)!, narrow }));
    this.#recent.set(versionedHash, bytes);
    return bytes;
  }
}
