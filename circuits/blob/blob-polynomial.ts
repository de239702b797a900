/** A blob as a polynomial over its field: Σ d_k X^k. What L1's point evaluation and blob-evaluation.circom say of it. */
import { FIELD_ORDER } from "../protocol.ts";

/** p, the order of BLS12-381's scalar field, in which blobs are evaluated (EIP-4844). Above r, and below 2^255. */
export const BLOB_FIELD_ORDER =
  52435875175126190479447740508185965837690552500527637822603658699938581184513n;
export const BLOB_ELEMENT_COUNT = 4096;

/** What a payload in a blob is below: the multiple of 2^184 next below r. Only one hash in 2^70 is none of these. */
export const BLOB_PAYLOAD_LIMIT = (FIELD_ORDER >> 184n) << 184n;

/** Σ elements[k] x^k mod p. */
export function evaluateBlob(elements: readonly bigint[], x: bigint): bigint {
  return elements.reduceRight((sum, element) => (sum * x + element) % BLOB_FIELD_ORDER, 0n);
}

/** A value below p in the two halves of 128 bits that a proof states. */
export function blobHalves(value: bigint): { readonly blobLow: bigint; readonly blobHigh: bigint } {
  return { blobLow: BigInt.asUintN(128, value), blobHigh: value >> 128n };
}
