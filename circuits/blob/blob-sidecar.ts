/** What is sent beside a transaction for one of its blobs. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeBlob } from "./blob-bytes.ts";
import { cellProofs, commitBlob } from "./kzg.ts";
import { versionedHashOf } from "./versioned-hash.ts";

type Hex = `0x${string}`;

export interface BlobWithProofs {
  readonly versionedHash: Hex;
  /** 131,072 bytes. */
  readonly blob: Hex;
  readonly commitment: Hex;
  /** 128 of 48 bytes (EIP-7594). */
  readonly cellProofs: readonly Hex[];
}

/** @param elements the coefficients. Takes seconds. @throws CIR_BLOB_MALFORMED */
export async function blobWithProofs(elements: readonly bigint[]): Promise<BlobWithProofs> {
  const blob = encodeBlob(elements);
  const commitment = await commitBlob(elements);
  const proofs = await cellProofs(blob);
  return {
    versionedHash: versionedHashOf(commitment),
    blob: hex(blob),
    commitment: hex(commitment),
    cellProofs: proofs.map(hex),
  };
}

const hex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`;
