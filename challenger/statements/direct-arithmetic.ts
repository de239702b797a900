/**
 * What a direct model makes of its rows, in integers: the same rules as contracts/disputes/base/DirectArithmetic.sol and
 * DirectJudge.sol, held equal by random tests. Fixed point is that of row-arithmetic.ts.
 */
import { dotRow, integerRoot, ONE, type RowCounts, residualOf } from "./row-arithmetic.ts";

/** Largest entry of B and of the logit's row. */
export const MOST_ENTRY = 511;
/** Half a unit of B, and 2^−8 of one. */
const ENTRY_TOLERANCE = (1n << 39n) + (1n << 32n);
/** 2^−36. */
export const DIRECT_RESIDUAL_TOLERANCE = 1n << 4n;
/** 2^−38. */
export const CURVATURE_TOLERANCE = 1n << 2n;
/** 2^−28 of a product, which has 80 bits behind the point. */
export const INVERSE_TOLERANCE = 1n << 52n;

/** Numbers of a model commitment beside its roots, as its leaf has them. Fixed point of 2^40, but for the peak. */
export interface DirectNumbers {
  /** What a real entry of B is multiplied by. */
  readonly unit: bigint;
  /** The same for the logit's row. */
  readonly logitUnit: bigint;
  /** λ of the inverse. */
  readonly damping: bigint;
  /** row · W + column of an entry of B of largest size. */
  readonly peak: bigint;
  /** Strength of the base in thousandths, 0 for none: 63 bits above λ in the leaf. */
  readonly base: bigint;
}

const NUMBER_BYTES = 32;
const NO_NUMBERS: DirectNumbers = { unit: 0n, logitUnit: 0n, damping: 0n, peak: 2n ** 256n - 1n, base: 0n };
const MOST_BASE = 1_000n;

export function numberBytes({ unit, logitUnit, damping, peak, base }: DirectNumbers): Uint8Array {
  const words = [unit, logitUnit, damping | (base << 63n), peak].map((value) =>
    value.toString(16).padStart(64, "0"),
  );
  return new Uint8Array(Buffer.from(words.join(""), "hex"));
}

/** Of bytes that are no numbers, zeros and a peak that is nowhere. */
export function readNumbers(bytes: Uint8Array): DirectNumbers {
  if (bytes.length !== 4 * NUMBER_BYTES) return NO_NUMBERS;
  const [unit, logitUnit, rules, peak] = [0, 1, 2, 3].map((k) => {
    const word = Buffer.from(bytes.subarray(NUMBER_BYTES * k, NUMBER_BYTES * (k + 1)));
    return BigInt(`0x${word.toString("hex")}`);
  }) as [bigint, bigint, bigint, bigint];
  const [damping, base] = [rules & (2n ** 63n - 1n), rules >> 63n];
  const isRead = (unit | logitUnit) >> 63n === 0n && base <= MOST_BASE;
  return isRead ? { unit, logitUnit, damping, peak, base } : NO_NUMBERS;
}

/** The entry of B before it is rounded: towards class 0, so of the other sign than the residual. */
export function directEntry(
  row: RowCounts,
  weights: readonly bigint[],
  inverseRow: readonly bigint[],
  factor: bigint,
  unit: bigint,
): bigint {
  const value = (-residualOf(row, weights) * dotRow(row, inverseRow) * factor) >> 80n;
  return (value * unit) >> 40n;
}

/** Whether this is the rounding of the value, or of one within 2^−8 of it. */
export function isEntryOf(value: bigint, entry: number): boolean {
  const gap = value - BigInt(entry) * ONE;
  return gap <= ENTRY_TOLERANCE && -gap <= ENTRY_TOLERANCE;
}

/**
 * What a row weighs in the curvature, times 2^56: p (1 − p) over its number of terms, over that number's root where one of
 * the two inputs is the bias, and as it is where both are. @param biases how many of the two inputs are the bias
 */
export function curvatureWeight(residual: bigint, terms: number, biases: 0 | 1 | 2): bigint {
  const size = residual < 0n ? -residual : residual;
  const spread = size * (ONE - size);
  const unit = 1n << 24n;
  if (biases === 2) return spread / unit;
  if (terms === 0) return 0n;
  if (biases === 0) return spread / BigInt(terms) / unit;
  return (spread << 48n) / integerRoot(BigInt(terms) << 96n) / unit;
}

/** The curvature's entry from the sum of weights times counts. @param damping 0 off the diagonal */
export function curvatureEntry(sum: bigint, rowCount: number, damping: bigint): bigint {
  // In the difference of two classes' weights, of which each is damped: half.
  return sum / BigInt(rowCount) / 65_536n + (damping >> 1n);
}

/** Σ a_c b_c, times 2^80. */
export function vectorProduct(a: ArrayLike<bigint>, b: ArrayLike<bigint>): bigint {
  let sum = 0n;
  for (let c = 0; c < a.length; c++) sum += a[c]! * b[c]!;
  return sum;
}

/** Entries of two bytes, −32,768 … 32,767; null where the bytes are not so many. */
export function readEntries(bytes: Uint8Array, count: number): Int16Array | null {
  if (bytes.length !== 2 * count) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int16Array.from({ length: count }, (_, k) => view.getInt16(2 * k));
}

export function entryBytes(entries: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(2 * entries.length);
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < entries.length; k++) view.setInt16(2 * k, entries[k]!);
  return bytes;
}
