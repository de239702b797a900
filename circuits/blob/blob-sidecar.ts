/** Sidecar of a blob transaction: blob (131,072 bytes), commitment and proofs. The bridge's blob thread makes it. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { BLOB_ELEMENT_COUNT, BLOB_FIELD_ORDER, encodeBlob, versionedHashOf } from "./blob-bytes.ts";
import { commitBlob, openBlob } from "./kzg.ts";
import { cellProofs } from "./kzg-cells.ts";

type Hex = `0x${string}`;

export interface BlobWithProofs {
  readonly versionedHash: Hex;
  /** 131,072 bytes. */
  readonly blob: Hex;
  readonly commitment: Hex;
  /** 48 bytes each: one of the blob (EIP-4844), or 128 of its cells (EIP-7594). */
  readonly proofs: readonly Hex[];
}

/** EIP-4844, FIAT_SHAMIR_PROTOCOL_DOMAIN. */
const FIAT_SHAMIR_DOMAIN = utf8ToBytes("FSBLOBVERIFY_V1_");

/**
 * Blob with one proof that it matches its commitment, the sidecar format before EIP-7594.
 * @param elements the coefficients. @throws CIR_BLOB_MALFORMED
 */
export async function blobWithProof(elements: readonly bigint[]): Promise<BlobWithProofs> {
  const blob = encodeBlob(elements);
  const commitment = await commitBlob(elements);
  const degree = toBytesBe(BigInt(BLOB_ELEMENT_COUNT), 16);
  const hash = sha256(concatBytes(FIAT_SHAMIR_DOMAIN, degree, blob, commitment));
  const { proof } = await openBlob(elements, fromBytesBe(hash) % BLOB_FIELD_ORDER);
  return {
    versionedHash: versionedHashOf(commitment),
    blob: hex(blob),
    commitment: hex(commitment),
    proofs: [hex(proof)],
  };
}

/** Proofs of a blob's 128 cells (EIP-7594). Takes seconds. */
export async function cellProofsOf(blob: Hex): Promise<readonly Hex[]> {
  return (await cellProofs(hexToBytes(blob.slice(2)))).map(hex);
}

const hex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`;
