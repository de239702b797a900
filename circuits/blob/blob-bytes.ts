/**
 * A blob's bytes: the values of Σ d_k X^k at the 4,096 roots of unity of its field, in bit-reversed order, 32 bytes each,
 * highest first (EIP-4844). So its coefficients are found again by the inverse transform, and L1 evaluates the polynomial itself.
 */

import { RollupError } from "@openledger/foundation/rollup-error";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { powMod } from "../field/modular.ts";
import { invertMod } from "../inverse.ts";
import { BLOB_ELEMENT_COUNT, BLOB_FIELD_ORDER as P } from "./blob-polynomial.ts";

export const BLOB_BYTES = 32 * BLOB_ELEMENT_COUNT;
/** 7 generates the field's units. */
const GENERATOR = 7n;

/** root^0 … root^(count - 1). */
function powersOf(root: bigint, count: number): bigint[] {
  const powers = [1n];
  while (powers.length < count) powers.push((powers.at(-1)! * root) % P);
  return powers;
}

/** Made at first use: most processes see no blob. */
let roots: bigint[] | undefined;
const rootsOfUnity = (): bigint[] => {
  roots ??= powersOf(powMod(GENERATOR, (P - 1n) / BigInt(BLOB_ELEMENT_COUNT), P), BLOB_ELEMENT_COUNT);
  return roots;
};

/** The 131,072 bytes. @param elements at most 4,096, each 0 … p − 1 @throws CIR_BLOB_MALFORMED */
export function encodeBlob(elements: readonly bigint[]): Uint8Array {
  if (elements.length > BLOB_ELEMENT_COUNT) throw malformed(`${elements.length} elements`);
  const values = Array.from({ length: BLOB_ELEMENT_COUNT }, (_, i) => elements[i] ?? 0n);
  for (const value of values) if (value < 0n || value >= P) throw malformed("an element is not below p");
  const powers = rootsOfUnity();
  // Decimation in frequency: coefficients in order, values in bit-reversed order.
  for (let half = BLOB_ELEMENT_COUNT / 2; half >= 1; half /= 2) {
    const stride = BLOB_ELEMENT_COUNT / (2 * half);
    for (let from = 0; from < BLOB_ELEMENT_COUNT; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const [low, high] = [values[i]!, values[i + half]!];
        const sum = low + high;
        values[i] = sum >= P ? sum - P : sum;
        values[i + half] = ((low - high + P) * powers[stride * (i - from)]!) % P;
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
  for (const value of values) if (value >= P) throw malformed("a value is not below p");
  const powers = rootsOfUnity();
  // The same steps backwards, by inverse roots; each leaves a factor of 2, taken off at the end.
  for (let half = 1; half < BLOB_ELEMENT_COUNT; half *= 2) {
    const stride = BLOB_ELEMENT_COUNT / (2 * half);
    for (let from = 0; from < BLOB_ELEMENT_COUNT; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const k = stride * (i - from);
        const power = powers[k === 0 ? 0 : BLOB_ELEMENT_COUNT - k]!;
        const [sum, high] = [values[i]!, (values[i + half]! * power) % P];
        values[i] = sum + high >= P ? sum + high - P : sum + high;
        values[i + half] = sum >= high ? sum - high : sum - high + P;
      }
  }
  const scale = invertMod(BigInt(BLOB_ELEMENT_COUNT), P);
  return values.map((value) => (value * scale) % P);
}

function malformed(why: string): RollupError {
  return new RollupError("CIR_BLOB_MALFORMED", `this is no blob: ${why}`, { data: { why } });
}
