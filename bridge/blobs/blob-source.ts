/**
 * Interface of readers of blobs, whoever stored them, and the error for a missing blob. blob-finder.ts
 * implements it.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { bridgeError } from "../bridge-errors.ts";

export type VersionedHash = `0x01${string}`;

/** A blob that L1 names, and its provider there. */
export interface BlobRequest {
  readonly versionedHash: VersionedHash;
  readonly batchNumber: number;
  /** The block of L1 that took the batch. */
  readonly blockNumber: number;
  /** Timestamp of that block, read only where a beacon node needs it. @throws BRG_L1_* */
  readonly blockTimeSeconds: () => Promise<number>;
}

export interface BlobSource {
  /**
   * The coefficients of the blob's polynomial, whose commitment gives the versioned hash.
   * @throws BRG_BLOB_MISSING, BRG_BLOB_UNREACHABLE
   */
  coefficients(request: BlobRequest): Promise<bigint[]>;
}

/** The reason that a provider did not give a blob. */
export interface BlobProblem {
  /** The folder, or the URL without user, password and query. */
  readonly place: string;
  /**
   * absent: it answers, and does not have it. wrong: other bytes than the hash names. unreachable: no answer, or none
   * that says either.
   */
  readonly kind: "absent" | "wrong" | "unreachable";
  readonly why: string;
}

const VERSIONED_HASH = /^0x01[0-9a-f]{62}$/;

/** Returns true for a versioned hash as L1 and file names have it: of a commitment, in small letters. */
export const isVersionedHash = (text: string): text is VersionedHash => VERSIONED_HASH.test(text);

/** Hash of the blob of zeros: a batch of the queue alone has it, which anybody may post. Nobody has to store it. */
export const EMPTY_BLOB_HASH: VersionedHash =
  "0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014";

/** Remedy at a command line for a missing blob. */
const MISSING_BLOB_REMEDY =
  "name an archive that has it (--blobs FOLDER or URL of a full node or the sequencer), or go on from a snapshot of that batch or a later one (--snapshot). A forced withdrawal needs no data (docs/explanation/data-availability.md)";

/** Error for a blob that no provider has: either each says so, or some may have it and did not answer. */
export function blobMissing(
  request: BlobRequest,
  problems: readonly BlobProblem[],
  remedy = MISSING_BLOB_REMEDY,
): RollupError {
  const { batchNumber, blockNumber, versionedHash } = request;
  const facts = { versionedHash, batchNumber, blockNumber, remedy, problems };
  const what = `the blob ${versionedHash} of batch ${batchNumber}, which L1's block ${blockNumber} took`;
  if (problems.length === 0)
    return bridgeError("BRG_BLOB_MISSING", `nothing says where to get ${what}; ${remedy}`, {
      data: { reason: "blob-no-source", ...facts },
    });
  const tried = problems.map(({ place, why }) => `${place}: ${why}`).join("; ");
  const isSilent = problems.some(({ kind }) => kind === "unreachable");
  return bridgeError(
    isSilent ? "BRG_BLOB_UNREACHABLE" : "BRG_BLOB_MISSING",
    `no archive or beacon node that was asked has ${what} (${tried}); ${remedy}`,
    { data: facts },
  );
}

/** Returns true for an error that a blob could not be read, for now or for good. */
export const isBlobMissing = (error: unknown): error is RollupError =>
  error instanceof Error && /^BRG_BLOB_(MISSING|UNREACHABLE|NO_SOURCE)$/.test((error as RollupError).code);

/** Source of readers without any provider. */
export const NO_BLOBS: BlobSource = {
  coefficients: async (request) => {
    throw blobMissing(request, []);
  },
};

/** A URL as it may stand in logs: keys of hosted nodes are in its path or query, users before the host. */
export function shownUrl(url: string): string {
  const { host, protocol } = new URL(url);
  return `${protocol}//${host}`;
}
