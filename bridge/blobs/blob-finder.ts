/**
 * Finds the blobs in which batches' data was posted (Ethereum's nodes delete a blob after 18 days): asks one provider after the
 * other, trusts none of them, and archives the blobs that it got. Whoever reads batches from L1 reads them through it.
 */
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { archiveProvider } from "./archive-providers.ts";
import type { BlobArchive } from "./blob-archive.ts";
import type { BlobProvider } from "./blob-provider.ts";
import {
  type BlobProblem,
  type BlobRequest,
  type BlobSource,
  blobMissing,
  EMPTY_BLOB_HASH,
  type VersionedHash,
} from "./blob-source.ts";

export interface BlobFinderModules {
  /** Archive that is asked first and stores the blobs of the other providers; null: no blob is stored. */
  readonly archive: BlobArchive | null;
  /** Providers in the order in which they are asked. */
  readonly providers: readonly BlobProvider[];
  /** `checkedCoefficients` of checked-blob.ts, wherever it runs: a full blob takes two seconds. */
  readonly check: (bytes: Uint8Array, versionedHash: VersionedHash) => Promise<bigint[] | null>;
  /** Remedy in the error for a missing blob; that of command lines where absent. */
  readonly remedy?: string;
  /** Milliseconds until a blob that nobody had is requested again; 0 where absent. */
  readonly retryMs?: number;
  /** Called with a problem of one provider although the blob was found elsewhere. */
  readonly onProblem?: (problem: BlobProblem, request: BlobRequest) => void;
  /** Called with the provider of each blob. */
  readonly onFound?: (label: "archive" | "other") => void;
}

/**
 * Milliseconds of distrust after a false answer. Attack: a provider sends junk for each blob, which costs seconds of this
 * thread to refuse.
 */
const DISTRUST_MS = 600_000;
/**
 * Maximum false answers before a provider is distrusted for all blobs. One damaged file does not exclude a provider that
 * alone may have another blob; each false answer may cost a second.
 */
const MAX_WRONG_ANSWERS = 4;
/**
 * Number of blobs whose coefficients are cached. Batches that are not final are read again with each new one, and a
 * commitment is up to a second of the thread that serves people. Full ones have 4,096 coefficients: some 35 MB in all.
 */
const REMEMBERED_COUNT = 128;

/** False answers of a provider within the time of its distrust. */
interface WrongAnswers {
  readonly untilMs: number;
  readonly hashes: ReadonlySet<string>;
}

export class BlobFinder implements BlobSource {
  readonly #modules: BlobFinderModules;
  readonly #providers: readonly BlobProvider[];
  /** False answers by place, timed by performance.now(). */
  readonly #wrong = new Map<BlobProvider, WrongAnswers>();
  /** Coefficients by versioned hash, the most recently used ones at the end. */
  readonly #remembered = new Map<string, readonly bigint[]>();
  #refused: { readonly error: Error; readonly hash: string; readonly atMs: number } | null = null;

  constructor(modules: BlobFinderModules) {
    this.#modules = modules;
    const { archive, providers } = modules;
    this.#providers = archive === null ? providers : [archiveProvider(archive), ...providers];
  }

  /** @throws BRG_BLOB_MISSING, BRG_BLOB_UNREACHABLE, BRG_L1_* */
  async coefficients(request: BlobRequest): Promise<bigint[]> {
    if (request.versionedHash === EMPTY_BLOB_HASH) return [];
    const { archive: own, check } = this.#modules;
    const remembered = this.#remembered.get(request.versionedHash);
    // A blob that somebody deleted from the archive's folder is fetched and stored again.
    if (remembered !== undefined && (own === null || own.has(request.versionedHash))) {
      this.#remember(request, remembered);
      return [...remembered];
    }
    const { retryMs = 0 } = this.#modules;
    const last = this.#refused;
    if (last?.hash === request.versionedHash && performance.now() - last.atMs < retryMs) throw last.error;
    const problems: BlobProblem[] = [];
    for (const [i, label] of this.#providers.entries()) {
      if (this.#isDistrusted(label, request)) {
        problems.push({ place: label.place, kind: "wrong", why: "it gave false bytes a while ago" });
        continue;
      }
      const found = await this.#ask(label, request);
      if ("problem" in found) {
        problems.push(found.problem);
        continue;
      }
      for (const bytes of found.candidates) {
        const coefficients = bytes.length === BLOB_BYTES ? await check(bytes, request.versionedHash) : null;
        if (coefficients === null) continue;
        const { archive, onFound } = this.#modules;
        const isArchive = archive !== null && i === 0;
        onFound?.(isArchive ? "archive" : "other");
        if (!isArchive) await this.#keep(request, bytes);
        this.#remember(request, coefficients);
        return [...coefficients];
      }
      const problem: BlobProblem = {
        place: label.place,
        kind: "wrong",
        why: "what it gives is not what the hash names",
      };
      problems.push(problem);
      this.#modules.onProblem?.(problem, request);
      if (label.noteWrong === undefined) this.#noteWrong(label, request);
      else await label.noteWrong(request);
    }
    const error = blobMissing(request, problems, this.#modules.remedy);
    this.#refused = { error, hash: request.versionedHash, atMs: performance.now() };
    throw error;
  }

  #remember({ versionedHash }: BlobRequest, coefficients: readonly bigint[]): void {
    this.#remembered.delete(versionedHash);
    this.#remembered.set(versionedHash, coefficients);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_COUNT) break;
      this.#remembered.delete(oldest);
    }
  }

  /**
   * Returns true if a provider is not asked for this blob: after one false answer for it, or after several for any where a
   * stranger may make up more.
   */
  #isDistrusted(provider: BlobProvider, { versionedHash }: BlobRequest): boolean {
    const wrong = this.#wrong.get(provider);
    if (wrong === undefined || performance.now() >= wrong.untilMs) return false;
    return wrong.hashes.has(versionedHash) || (!provider.isOwn && wrong.hashes.size >= MAX_WRONG_ANSWERS);
  }

  #noteWrong(provider: BlobProvider, { versionedHash }: BlobRequest): void {
    const nowMs = performance.now();
    const before = this.#wrong.get(provider);
    const hashes = new Set(before !== undefined && nowMs < before.untilMs ? before.hashes : []);
    this.#wrong.set(provider, { untilMs: nowMs + DISTRUST_MS, hashes: hashes.add(versionedHash) });
  }

  /** A folder that cannot be read is a problem of that place; others may have the blob. */
  async #ask(provider: BlobProvider, request: BlobRequest) {
    try {
      return await provider.find(request);
    } catch (error) {
      if (!isRollupError(error, "BRG_BLOBS_FAILED")) throw error;
      const problem: BlobProblem = { place: provider.place, kind: "unreachable", why: error.message };
      this.#modules.onProblem?.(problem, request);
      return { problem };
    }
  }

  /** A full disk does not stop a reader that has the blob in its hands. */
  async #keep(request: BlobRequest, bytes: Uint8Array): Promise<void> {
    const { archive, onProblem } = this.#modules;
    if (archive === null) return;
    try {
      await archive.keep(request.versionedHash, bytes);
    } catch (error) {
      if (!isRollupError(error, "BRG_BLOBS_FAILED")) throw error;
      onProblem?.({ place: `folder ${archive.folder}`, kind: "unreachable", why: error.message }, request);
    }
  }
}
