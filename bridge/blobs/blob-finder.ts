/** Asks one place after the other for a blob, believes none of them, and keeps what it got. */
import { BLOB_BYTES } from "../../circuits/blob/blob-bytes.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { archivePlace, folderPlace, peerPlace } from "./archive-places.ts";
import { BeaconNode } from "./beacon-node.ts";
import type { BlobArchive } from "./blob-archive.ts";
import type { BlobPlace } from "./blob-place.ts";
import {
  type BlobProblem,
  type BlobSource,
  blobMissing,
  EMPTY_BLOB_HASH,
  type WantedBlob,
} from "./blob-source.ts";
import { checkedCoefficients } from "./checked-blob.ts";

export interface BlobFinderModules {
  /** Asked first, and given what others had; null: nothing is kept. */
  readonly archive: BlobArchive | null;
  /** In the order in which they are asked. */
  readonly places: readonly BlobPlace[];
  /** A blob that nobody had is not asked for again for so long; 0 where absent. */
  readonly retryMs?: number;
  /** What went wrong beside: a blob is found all the same. */
  readonly onProblem?: (problem: BlobProblem, wanted: WantedBlob) => void;
  /** Where each blob came from. */
  readonly onFound?: (place: "archive" | "other") => void;
}

/** Attack: a place sends junk for each blob, which costs seconds of this thread to refuse. */
const DISTRUST_MS = 600_000;

export class BlobFinder implements BlobSource {
  readonly #modules: BlobFinderModules;
  readonly #places: readonly BlobPlace[];
  /** Until when a place is not asked, by performance.now(). */
  readonly #distrusted = new Map<BlobPlace, number>();
  #refused: { readonly error: Error; readonly hash: string; readonly atMs: number } | null = null;

  constructor(modules: BlobFinderModules) {
    this.#modules = modules;
    const { archive, places } = modules;
    this.#places = archive === null ? places : [archivePlace(archive), ...places];
  }

  /** @throws BRG_BLOB_MISSING, BRG_BLOB_UNREACHABLE, BRG_BLOB_NO_SOURCE; BRG_L1_* */
  async coefficients(wanted: WantedBlob): Promise<bigint[]> {
    if (wanted.versionedHash === EMPTY_BLOB_HASH) return [];
    const { retryMs = 0 } = this.#modules;
    const last = this.#refused;
    if (last?.hash === wanted.versionedHash && performance.now() - last.atMs < retryMs) throw last.error;
    const problems: BlobProblem[] = [];
    for (const [i, place] of this.#places.entries()) {
      if (performance.now() < (this.#distrusted.get(place) ?? 0)) {
        problems.push({ place: place.place, kind: "wrong", why: "it gave false bytes a while ago" });
        continue;
      }
      const found = await this.#ask(place, wanted);
      if ("problem" in found) {
        problems.push(found.problem);
        continue;
      }
      for (const bytes of found.candidates) {
        const coefficients =
          bytes.length === BLOB_BYTES ? await checkedCoefficients(bytes, wanted.versionedHash) : null;
        if (coefficients === null) continue;
        const { archive, onFound } = this.#modules;
        const isArchive = archive !== null && i === 0;
        onFound?.(isArchive ? "archive" : "other");
        if (!isArchive) await this.#keep(wanted, bytes);
        return coefficients;
      }
      const problem: BlobProblem = {
        place: place.place,
        kind: "wrong",
        why: "what it gives is not what the hash names",
      };
      problems.push(problem);
      this.#modules.onProblem?.(problem, wanted);
      if (place.noteWrong === undefined) this.#distrusted.set(place, performance.now() + DISTRUST_MS);
      else await place.noteWrong(wanted);
    }
    const error = blobMissing(wanted, problems);
    this.#refused = { error, hash: wanted.versionedHash, atMs: performance.now() };
    throw error;
  }

  /** A folder that cannot be read is a problem of that place; others may have the blob. */
  async #ask(place: BlobPlace, wanted: WantedBlob) {
    try {
      return await place.find(wanted);
    } catch (error) {
      if (!isRollupError(error, "BRG_BLOBS_FAILED")) throw error;
      const problem: BlobProblem = { place: place.place, kind: "unreachable", why: error.message };
      this.#modules.onProblem?.(problem, wanted);
      return { problem };
    }
  }

  /** A full disk does not stop a reader that has the blob in its hands. */
  async #keep(wanted: WantedBlob, bytes: Uint8Array): Promise<void> {
    const { archive, onProblem } = this.#modules;
    if (archive === null) return;
    try {
      await archive.keep(wanted.versionedHash, bytes);
    } catch (error) {
      if (!isRollupError(error, "BRG_BLOBS_FAILED")) throw error;
      onProblem?.({ place: `folder ${archive.folder}`, kind: "unreachable", why: error.message }, wanted);
    }
  }
}

export interface BlobPlacesOptions {
  /** Beacon nodes, in the order in which they are asked. */
  readonly beaconUrls: readonly string[];
  /** Folders with blobs, and URLs of sequencers and followers. They are asked before beacon nodes. */
  readonly archives: readonly string[];
}

export const isArchiveUrl = (text: string): boolean => /^https?:\/\//i.test(text);

export function blobPlaces({ archives, beaconUrls }: BlobPlacesOptions): BlobPlace[] {
  return [
    ...archives.map((one) => (isArchiveUrl(one) ? peerPlace(one) : folderPlace(one))),
    ...beaconUrls.map((url) => new BeaconNode({ url })),
  ];
}
