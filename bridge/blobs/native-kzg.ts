/**
 * KZG proofs by node-eth-kzg, Rust that npm has compiled for the common platforms: a tenth of the time of JavaScript's. The blob
 * thread (blob-tasks.ts) proves with it where it is installed.
 */
import { encodeBlob, versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import type { BlobWithProofs } from "@openledger/circuits/blob/blob-sidecar";
import { bytesToHex, type Hex, hexToBytes } from "viem";

/**
 * Elements of a blob from which on the setup is worth its reading: JavaScript takes a third of a second for as many, and next
 * to nothing for a few.
 */
export const MIN_NATIVE_ELEMENTS = 512;

export interface NativeKzg {
  /** Like `blobWithProof`. @throws CIR_BLOB_MALFORMED */
  blob(elements: readonly bigint[]): BlobWithProofs;
  /** Like `cellProofsOf`. */
  cells(blob: Hex): readonly Hex[];
}

/** Reads Ethereum's setup: two seconds of a processor. @returns null where the platform has no such package */
export async function openNativeKzg(): Promise<NativeKzg | null> {
  const engine = await import("@crate-crypto/node-eth-kzg").catch(() => null);
  if (engine === null) return null;
  // Tables would take another second and 100 MB, and save 0.1 s of each blob.
  const context = engine.DasContextJs.create({ usePrecomp: false });
  return {
    blob(elements) {
      const blob = encodeBlob(elements);
      const commitment = context.blobToKzgCommitment(blob);
      return {
        versionedHash: versionedHashOf(commitment),
        blob: bytesToHex(blob),
        commitment: bytesToHex(commitment),
        proofs: [bytesToHex(context.computeBlobKzgProof(blob, commitment))],
      };
    },
    cells: (blob) =>
      context.computeCellsAndKzgProofs(hexToBytes(blob)).proofs.map((proof) => bytesToHex(proof)),
  };
}
