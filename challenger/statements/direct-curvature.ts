/** The curvature of a direct model as integers that L1 computes again entry by entry, and its inverse. */
import { weightedProducts } from "@openledger/attribution/features/exact-influence";
import { choleskyInPlace, solveCholesky } from "@openledger/attribution/maths/dense-matrix";
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { sparseRows } from "@openledger/attribution/maths/sparse-rows";
import type { OnProgress } from "@openledger/attribution/progress";
import { curvatureEntry, curvatureWeight } from "./direct-arithmetic.ts";
import type { RowCounts } from "./row-arithmetic.ts";

/** Times 2^40, row-major; the last row and column are the bias'. */
export interface FixedMatrix {
  readonly values: BigInt64Array;
  readonly width: number;
}

export const matrixRow = ({ values, width }: FixedMatrix, a: number): BigInt64Array =>
  values.subarray(a * width, (a + 1) * width);

/** Bits of a part of a weight: a sum over 4,096 rows of counts up to 3 stays an exact double. */
const PART_BITS = 18n;
const PARTS = 3;

/**
 * Exact: sums are of integers. @param residuals y − p of each row, times 2^40, in −1 … 1
 * @param damping λ, times 2^40
 */
export function fixedCurvature(
  rows: readonly RowCounts[],
  residuals: readonly bigint[],
  bucketCount: number,
  damping: bigint,
): FixedMatrix {
  const width = bucketCount + 1;
  const values = new BigInt64Array(width * width);
  const counts = sparseRows(
    bucketCount,
    rows.map((row) => row.counts),
  );
  const weights = rows.map((row, k) => curvatureWeight(residuals[k]!, row.terms, 0));
  const parts = Array.from({ length: PARTS }, (_, part) => {
    const shift = PART_BITS * BigInt(part);
    const isLast = part === PARTS - 1;
    const ofPart = weights.map((weight) =>
      Number(isLast ? weight >> shift : (weight >> shift) & ((1n << PART_BITS) - 1n)),
    );
    return weightedProducts(counts, counts, Float64Array.from(ofPart));
  });
  const finish = (sum: bigint, a: number, b: number) => {
    const entry = curvatureEntry(sum, rows.length, a === b ? damping : 0n);
    values[a * width + b] = entry;
    values[b * width + a] = entry;
  };
  for (let a = 0; a < bucketCount; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0n;
      for (let part = PARTS - 1; part >= 0; part--)
        sum = (sum << PART_BITS) + BigInt(parts[part]![a * bucketCount + b]!);
      finish(sum, a, b);
    }
  }
  const ofBias = new Array<bigint>(width).fill(0n);
  for (const [k, { counts, terms }] of rows.entries()) {
    const weight = curvatureWeight(residuals[k]!, terms, 1);
    for (const [bucket, count] of counts) ofBias[bucket]! += weight * BigInt(count);
    ofBias[bucketCount]! += curvatureWeight(residuals[k]!, terms, 2);
  }
  for (const [a, sum] of ofBias.entries()) finish(sum, a, bucketCount);
  return { values, width };
}

const BLOCK = 128;

/** The inverse of a positive definite matrix, each entry rounded to 2^−40. Stage "inverse", in rows. */
export function fixedInverse({ values, width }: FixedMatrix, onProgress?: OnProgress): FixedMatrix {
  const factor = toDoubles(values);
  choleskyInPlace(factor, width);
  const inverse = new BigInt64Array(width * width);
  for (let from = 0; from < width; from += BLOCK) {
    const count = Math.min(BLOCK, width - from);
    const block = new Float64Array(count * width);
    for (let r = 0; r < count; r++) block[r * width + from + r] = 1;
    solveCholesky(factor, width, block, count);
    for (let k = 0; k < block.length; k++) inverse[from * width + k] = toFixed40(block[k]!);
    onProgress?.({ stage: "inverse", done: from + count, total: width });
  }
  return { values: inverse, width };
}

/** Fixed point as the nearest doubles. */
export const toDoubles = (values: BigInt64Array): Float64Array =>
  Float64Array.from(values, (value) => Number(value) / 2 ** 40);
