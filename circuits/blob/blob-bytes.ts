/**
 * A blob's bytes: the values of Σ d_k X^k at the 4,096 roots of unity of its field, in bit-reversed order, 32
 * bytes each, highest first (EIP-4844). So its coefficients are found again by the inverse transform, and L1
 * evaluates the polynomial itself. blob-opening.ts makes them, readers of L1 decode them.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { invertMod, powMod } from "@openledger/foundation/modular";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { FIELD_ORDER } from "../protocol.ts";

// A blob as a polynomial over its field: Σ d_k X^k, as L1's point evaluation and blob-evaluation.circom evaluate it.

/** p, the order of BLS12-381's scalar field, in which blobs are evaluated (EIP-4844). Above r, and below 2^255. */
export const BLOB_FIELD_ORDER =
  52435875175126190479447740508185965837690552500527637822603658699938581184513n;
export const BLOB_ELEMENT_COUNT = 4096;

/**
 * Upper bound of a payload in a blob: the largest multiple of 2^184 not above r. One hash in 2^70 is not
 * below it.
 */
export const BLOB_PAYLOAD_LIMIT = (FIELD_ORDER >> 184n) << 184n;

/** Σ elements[k] x^k mod p. */
export function evaluateBlob(elements: readonly bigint[], x: bigint): bigint {
  return elements.reduceRight((sum, element) => (sum * x + element) % BLOB_FIELD_ORDER, 0n);
}

/** A value below p in the two halves of 128 bits that a proof states. */
export function blobHalves(value: bigint): { readonly blobLow: bigint; readonly blobHigh: bigint } {
  return { blobLow: BigInt.asUintN(128, value), blobHigh: value >> 128n };
}

export const BLOB_BYTES = 32 * BLOB_ELEMENT_COUNT;
/** 7 generates the field's units. */
const GENERATOR = 7n;

/** root^0 … root^(count - 1). */
function powersOf(root: bigint, count: number): bigint[] {
  const powers = [1n];
  while (powers.length < count) powers.push((powers.at(-1)! * root) % BLOB_FIELD_ORDER);
  return powers;
}

/** Roots of unity, computed at first use: most processes see no blob. */
let roots: bigint[] | undefined;
const rootsOfUnity = (): bigint[] => {
  roots ??= powersOf(
    powMod(GENERATOR, (BLOB_FIELD_ORDER - 1n) / BigInt(BLOB_ELEMENT_COUNT), BLOB_FIELD_ORDER),
    BLOB_ELEMENT_COUNT,
  );
  return roots;
};

/**
 * Encodes a blob's 131,072 bytes. @param elements at most 4,096, each 0 … p − 1 @throws CIR_BLOB_MALFORMED
 */
export function encodeBlob(elements: readonly bigint[]): Uint8Array {
  if (elements.length > BLOB_ELEMENT_COUNT) throw malformed(`${elements.length} elements`);
  const values = Array.from({ length: BLOB_ELEMENT_COUNT }, (_, i) => elements[i] ?? 0n);
  for (const value of values)
    if (value < 0n || value >= BLOB_FIELD_ORDER) throw malformed("an element is not below p");
  const powers = rootsOfUnity();
  // Decimation in frequency: coefficients in order, values in bit-reversed order.
  for (let half = BLOB_ELEMENT_COUNT / 2; half >= 1; half /= 2) {
    const stride = BLOB_ELEMENT_COUNT / (2 * half);
    for (let from = 0; from < BLOB_ELEMENT_COUNT; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const [low, high] = [values[i]!, values[i + half]!];
        const sum = low + high;
        values[i] = sum >= BLOB_FIELD_ORDER ? sum - BLOB_FIELD_ORDER : sum;
        values[i + half] =
          ((low - high + BLOB_FIELD_ORDER) * powers[stride * (i - from)]!) % BLOB_FIELD_ORDER;
      }
  }
  const bytes = new Uint8Array(BLOB_BYTES);
  for (const [i, value] of values.entries()) bytes.set(toBytesBe(value, 32), 32 * i);
  return bytes;
}

/** The 4,096 coefficients. @throws CIR_BLOB_MALFORMED for bytes that are no blob */
export function decodeBlob(bytes: Uint8Array): bigint[] {
  if (bytes.length !== BLOB_BYTES) throw malformed(`${bytes.length} bytes`);
  const values = Array.from({ length: BLOB_ELEMENT_COUNT }, (_, i) =>
    fromBytesBe(bytes.subarray(32 * i, 32 * i + 32)),
  );
  for (const value of values) if (value >= BLOB_FIELD_ORDER) throw malformed("a value is not below p");
  const powers = rootsOfUnity();
  // The same steps backwards, by inverse roots; each leaves a factor of 2, taken off at the end.
  for (let half = 1; half < BLOB_ELEMENT_COUNT; half *= 2) {
    const stride = BLOB_ELEMENT_COUNT / (2 * half);
    for (let from = 0; from < BLOB_ELEMENT_COUNT; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const k = stride * (i - from);
        const power = powers[k === 0 ? 0 : BLOB_ELEMENT_COUNT - k]!;
        const [sum, high] = [values[i]!, (values[i + half]! * power) % BLOB_FIELD_ORDER];
        values[i] = sum + high >= BLOB_FIELD_ORDER ? sum + high - BLOB_FIELD_ORDER : sum + high;
        values[i + half] = sum >= high ? sum - high : sum - high + BLOB_FIELD_ORDER;
      }
  }
  const scale = invertMod(BigInt(BLOB_ELEMENT_COUNT), BLOB_FIELD_ORDER);
  return values.map((value) => (value * scale) % BLOB_FIELD_ORDER);
}

function malformed(why: string): RollupError {
  return circuitError("CIR_BLOB_MALFORMED", `this is no blob: ${why}`, { data: { why } });
}

// Name of a blob. Not in kzg.ts, so that a page that reads batches does not load Ethereum's setup.

/** Versioned hash of a blob: its name in a transaction and in L1's BLOBHASH. */
export function versionedHashOf(commitment: Uint8Array): `0x${string}` {
  const hash = sha256(commitment);
  hash[0] = 1;
  return `0x${bytesToHex(hash)}`;
}
