/**
 * Keeps the blobs of a ledger's own batches for as long as there is a ledger. They follow from the batches' records, so a
 * file that is missing is made again: Ethereum forgets a blob after 18 days, and anyone who rebuilds the ledger later needs it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { BlobArchive, type BlobArchiveOptions } from "@openledger/bridge/blobs/blob-archive";
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { postedBlobHash } from "@openledger/bridge/blobs/read-batch";
import { BLOB_BYTES, encodeBlob } from "@openledger/circuits/blob/blob-bytes";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { preloadKzg } from "@openledger/circuits/blob/kzg";
import { type BatchShape, isBlobShape, shapeName } from "@openledger/circuits/protocol";
import { batchShapesOf, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Metrics } from "../metrics.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import { storeKeys, underPrefix } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";

const BLOB_PREFIX = "blob";
const HEAL_MS = 3_600_000;
/** Each costs up to a second of the thread that serves people. */
const CHECKED_A_ROUND = 4;

/** A batch that is in a blob, by its number. */
interface KnownBlob {
  readonly batchNumber: number;
  readonly versionedHash: VersionedHash;
  /** When L1 took it, as far as this process knows. */
  readonly postedAtMs: number;
}

/** As /health shows it. */
interface BlobsView {
  /** Files in the archive. */
  readonly kept: number;
  /** Batches of this ledger that stand in blobs. */
  readonly known: number;
  /** Those whose blob is not in the archive. */
  readonly missing: number;
  /** Since when the oldest of them is on L1; null where none is missing. */
  readonly oldestMissingAtMs: number | null;
}

interface BlobServiceModules {
  readonly log: LedgerLog;
  readonly archive: BlobArchive;
  /** Of circuits whose batches stand in blobs. */
  readonly shapes: readonly BatchShape[];
  readonly metrics: Pick<Metrics, "blobs">;
  readonly logger: Logger;
  readonly clock: () => number;
}

/**
 * @param circuits of the rollup, of every sort
 * @returns null where none of them has a blob: then nothing is made on the disk
 * @throws BRG_BLOBS_FAILED
 */
export async function openBlobService(
  options: BlobArchiveOptions,
  circuits: readonly CircuitSizes[],
  modules: Omit<BlobServiceModules, "archive" | "shapes">,
): Promise<BlobService | null> {
  const shapes = batchShapesOf(circuits).filter(isBlobShape);
  if (shapes.length === 0) return null;
  // Batches are closed between two operations: nothing can be loaded then.
  await preloadKzg();
  return BlobService.open({ ...modules, archive: await BlobArchive.open(options), shapes });
}

export class BlobService {
  readonly archive: BlobArchive;
  readonly #modules: BlobServiceModules;
  readonly #shapes: ReadonlyMap<string, BatchShape>;
  readonly #known: Map<number, KnownBlob>;
  /** Of these, those whose blob is not in the archive. */
  #missing = new Map<number, KnownBlob>();
  #working: Promise<void> = Promise.resolve();
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;
  /** The last batch whose file was checked: each round goes on behind it. */
  #checkedNumber = 0;
  /** As it was after the last thing that changed it: /health is asked often, and there are many batches. */
  #view: BlobsView = { kept: 0, known: 0, missing: 0, oldestMissingAtMs: null };

  static async open(modules: BlobServiceModules): Promise<BlobService> {
    const known = await modules.log.keyed<KnownBlob>(underPrefix(BLOB_PREFIX));
    return new BlobService(modules, new Map(known.map(([, blob]) => [blob.batchNumber, blob])));
  }

  private constructor(modules: BlobServiceModules, known: Map<number, KnownBlob>) {
    this.#modules = modules;
    this.archive = modules.archive;
    this.#known = known;
    this.#shapes = new Map(modules.shapes.map((shape) => [shapeName(shape), shape] as const));
    this.#lookForMissing();
    this.#note();
  }

  get view(): BlobsView {
    return this.#view;
  }

  /** Goes through all of them: only when the archive may have lost files. */
  #lookForMissing(): void {
    this.#missing = new Map(
      [...this.#known].filter(([, { versionedHash }]) => !this.archive.has(versionedHash)),
    );
  }

  #look(): BlobsView {
    let oldestMissingAtMs: number | null = null;
    for (const { postedAtMs } of this.#missing.values())
      oldestMissingAtMs = Math.min(oldestMissingAtMs ?? postedAtMs, postedAtMs);
    return {
      kept: this.archive.count,
      known: this.#known.size,
      missing: this.#missing.size,
      oldestMissingAtMs,
    };
  }

  /** Told of each batch that L1 has; one after the other, beside everything else. Repeating changes nothing. */
  note(record: StoredBatch): void {
    if (!this.#shapes.has(record.circuit) || record.l1 === null) return;
    this.#inTurn(() => this.#keep(record));
  }

  /** Heals at once, and every hour: a disk may lose a file, or falsify one, at any time. Until `stop`. */
  start(finalNumber: () => number): void {
    void this.heal(finalNumber());
    this.#timer = setInterval(() => {
      void this.check();
      void this.heal(finalNumber());
    }, HEAL_MS);
    this.#timer.unref();
  }

  /** Looks which files are gone, and whether a few of the others are what their names say; false ones are made again. */
  check(): Promise<void> {
    return this.#inTurn(async () => {
      const { archive } = this;
      const { logger } = this.#modules;
      await archive.lookAgain();
      this.#lookForMissing();
      const kept = [...this.#known.values()]
        .filter(({ versionedHash }) => archive.has(versionedHash))
        .sort((x, y) => x.batchNumber - y.batchNumber);
      const next = kept.findIndex(({ batchNumber }) => batchNumber > this.#checkedNumber);
      const round = [...kept.slice(Math.max(next, 0)), ...kept.slice(0, Math.max(next, 0))];
      for (const { batchNumber, versionedHash } of round.slice(0, CHECKED_A_ROUND)) {
        if (this.#isStopping) return;
        this.#checkedNumber = batchNumber;
        const bytes = await archive.read(versionedHash);
        if (bytes?.length === BLOB_BYTES && (await checkedCoefficients(bytes, versionedHash)) !== null) {
          await nextTurn();
          continue;
        }
        logger.warn({ batchNumber, versionedHash }, "a kept blob was damaged");
        await archive.forget(versionedHash);
        this.#missing.set(batchNumber, this.#known.get(batchNumber)!);
        await this.#keepNumber(batchNumber);
      }
    });
  }

  /**
   * Makes again what is missing: after a crash, after a restore, or where somebody has deleted files.
   * @param finalNumber up to here each record is looked at once, and not again at the next start
   */
  heal(finalNumber: number): Promise<void> {
    return this.#inTurn(async () => {
      const { log } = this.#modules;
      const { maxCount } = this.archive;
      // One that is bounded has let the older ones go: made again, they would push the newer ones out.
      if (maxCount === 0) for (const batchNumber of this.#missing.keys()) await this.#keepNumber(batchNumber);
      const from = (await log.get<number>(storeKeys.blobsSeen)) ?? 0;
      const first = maxCount === 0 ? 0 : finalNumber - maxCount;
      for (let number = Math.max(from, first) + 1; number <= finalNumber; number++)
        await this.#keepNumber(number);
      if (finalNumber > from && !this.#isStopping)
        await log.write([{ key: storeKeys.blobsSeen, value: finalNumber }]);
    });
  }

  /** Batches before a snapshot have no record. */
  async #keepNumber(number: number): Promise<void> {
    if (this.#isStopping) return;
    const record = await this.#modules.log.batch(number);
    if (record !== undefined && this.#shapes.has(record.circuit) && record.l1 !== null)
      await this.#keep(record);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(async () => {
      if (this.#isStopping) return;
      await work().catch((error: unknown) => {
        // The ledger does not depend on it; /health and the gauge show what is missing.
        const code = isRollupError(error) ? error.code : null;
        this.#modules.logger.error({ err: error, code }, "blobs could not be kept");
      });
      this.#note();
    });
    return this.#working;
  }

  async #keep(record: StoredBatch): Promise<void> {
    const { clock, log, logger } = this.#modules;
    const versionedHash = postedBlobHash(record.wire);
    const known = this.#known.get(record.number);
    if (known?.versionedHash !== versionedHash) {
      const postedAtMs = record.postedAtMs ?? clock();
      const value: KnownBlob = { batchNumber: record.number, versionedHash, postedAtMs };
      await log.write([{ key: storeKeys.blob(record.number), value }]);
      this.#known.set(record.number, value);
    }
    if (this.archive.has(versionedHash)) {
      this.#missing.delete(record.number);
      return;
    }
    this.#missing.set(record.number, this.#known.get(record.number)!);
    const shape = this.#shapes.get(record.circuit)!;
    const bytes = encodeBlob(blobElements({ shape, narrow: record.narrow }));
    if ((await checkedCoefficients(bytes, versionedHash)) === null) {
      logger.error(
        { batchNumber: record.number, versionedHash },
        "the record of a batch does not give its blob",
      );
      return;
    }
    await this.archive.keep(versionedHash, bytes);
    this.#missing.delete(record.number);
    // A bounded archive has let another one go.
    if (this.archive.maxCount > 0) this.#lookForMissing();
  }

  #note(): void {
    const { metrics } = this.#modules;
    this.#view = this.#look();
    const { kept, missing, oldestMissingAtMs } = this.#view;
    metrics.blobs.kept.set(kept);
    metrics.blobs.missing.set(missing);
    metrics.blobs.oldestMissing.set(oldestMissingAtMs === null ? 0 : Math.floor(oldestMissingAtMs / 1_000));
  }
}
