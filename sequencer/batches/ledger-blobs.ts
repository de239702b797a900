/**
 * The blobs of a ledger's batches, for as long as there is a ledger: Ethereum forgets a blob after 18 days, and anyone who rebuilds
 * the ledger later needs it. They follow from the batches' records, which the history keeps, so no copy of them is kept.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { encodeBlob } from "@openledger/circuits/blob/blob-bytes";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import type { LedgerLog } from "../store/ledger-log.ts";
import { storeKeys, underPrefix } from "../store/store-keys.ts";
import { blobHashOf, blobShapeOf, type StoredBatch } from "../store/stored-batch.ts";

/** Blobs in memory, 131,072 bytes each: all full nodes ask for the newest. */
const RECENT = 64;
/** Batches that one hash has named: forks of L1 and rebuilt batches leave their names. */
const MOST_NAMED = 16;

/** Names batches' blobs by their hashes in a directory of a version that kept blobs as files, and had an entry for each. */
export async function nameStoredBlobs(log: LedgerLog): Promise<void> {
  const stored = await log.keyed<{ batchNumber: number; versionedHash: string }>(underPrefix("blob"));
  await log.write(
    stored.flatMap(([key, { batchNumber, versionedHash }]) => [
      { key: storeKeys.hash(versionedHash, "batch", batchNumber), value: { what: "batch", batchNumber } },
      { key },
    ]),
  );
}

export class LedgerBlobs {
  readonly #log: LedgerLog;
  readonly #recent = new Map<VersionedHash, Uint8Array>();
  #making: Promise<unknown> = Promise.resolve();

  constructor(log: LedgerLog) {
    this.#log = log;
  }

  /**
   * The 131,072 bytes; null where no batch with a record here has this blob on L1.
   * @throws SRV_STORE_CORRUPT, SEQ_HISTORY_MISSING
   */
  async read(versionedHash: VersionedHash): Promise<Uint8Array | null> {
    const recent = this.#recent.get(versionedHash);
    if (recent !== undefined) return recent;
    const record = await this.#batchOf(versionedHash);
    return record === null ? null : this.#inTurn(() => this.#make(versionedHash, record));
  }

  async #batchOf(versionedHash: VersionedHash): Promise<StoredBatch | null> {
    for (const target of await this.#log.hashTargets(versionedHash, MOST_NAMED)) {
      const record = target.what === "batch" ? await this.#log.batch(target.batchNumber) : undefined;
      if (record !== undefined && blobHashOf(record) === versionedHash) return record;
    }
    return null;
  }

  /** About 15 ms: one at a time, so that others have their turns in between. */
  #inTurn(make: () => Uint8Array): Promise<Uint8Array> {
    const made = this.#making.then(() => nextTurn()).then(make);
    this.#making = made.catch(() => {});
    return made;
  }

  #make(versionedHash: VersionedHash, { circuit, narrow }: StoredBatch): Uint8Array {
    const made = this.#recent.get(versionedHash);
    if (made !== undefined) return made;
    const bytes = encodeBlob(blobElements({ shape: blobShapeOf(circuit)!, narrow }));
    this.#recent.set(versionedHash, bytes);
    if (this.#recent.size > RECENT) this.#recent.delete(this.#recent.keys().next().value!);
    return bytes;
  }
}
