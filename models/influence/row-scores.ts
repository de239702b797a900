/** The rows' scores for one another, from Gram matrices of their gradients in a method's coordinates. */

import { choleskyInPlace, solveCholesky, timesTransposed } from "@openledger/attribution/maths/dense-matrix";
import { exactExp } from "@openledger/attribution/maths/exact-math";
import type { Kernels } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import type { TextMethod } from "./text-methods.ts";
import type { GradientMatrix, TextFeatureOptions, TextFeaturePlaces } from "./text-places.ts";

/** Coordinates from `from` on, over which a score is Σ over rows k of A[i, k] g_k · g. */
interface ScorePart {
  readonly from: number;
  readonly count: number;
  /** Aᵀ, rowCount × rowCount; null for 1. */
  readonly flippedWeights: Float64Array | null;
}

interface RowScores {
  readonly parts: readonly ScorePart[];
  /** Σ over parts of A K, with the part's Gram matrix K: rowCount × rowCount, symmetric. */
  readonly scores: Float64Array;
}

export function rowScores(
  method: TextMethod,
  kernels: Kernels,
  places: TextFeaturePlaces,
  options: TextFeatureOptions,
): RowScores {
  const { gradientCount, modelCount = 1, rowCount } = options;
  const size = gradientCount / modelCount;
  const whole: GradientMatrix[] = [{ at: 0, rows: 1, columns: size }];
  const matrices = method.kind === "data-inf" ? options.matrices! : whole;
  const scores = new Float64Array(rowCount * rowCount);
  const parts = Array.from({ length: modelCount }, (_, model) => model * size).flatMap((start) =>
    matrices.map(({ at, columns, rows }): ScorePart => {
      const place = { from: start + at, count: rows * columns };
      const gram = gramOf(kernels, places, options, place);
      const { flippedWeights, own } = partScores(method, gram, place.count, options);
      for (let k = 0; k < scores.length; k++) scores[k] = scores[k]! + own[k]!;
      return { ...place, flippedWeights };
    }),
  );
  return { parts, scores };
}

function gramOf(
  kernels: Kernels,
  { gradients, gram }: TextFeaturePlaces,
  { gradientCount, rowCount }: TextFeatureOptions,
  { count, from }: { from: number; count: number },
): Float64Array {
  const stride = roundUp16(rowCount);
  const rows = { at: gradients + from, rowStride: gradientCount, columnStride: 1 };
  const flipped = { at: gradients + from, rowStride: 1, columnStride: gradientCount };
  kernels.multiply(rowCount, rowCount, count, rows, flipped, gram, stride, false);
  const out = new Float64Array(rowCount * rowCount);
  for (let i = 0; i < rowCount; i++)
    out.set(kernels.arena.subarray(gram + i * stride, gram + i * stride + rowCount), i * rowCount);
  return out;
}

interface PartScores {
  readonly flippedWeights: Float64Array | null;
  readonly own: Float64Array;
}

function partScores(
  method: TextMethod,
  gram: Float64Array,
  count: number,
  { losses, rowCount }: TextFeatureOptions,
): PartScores {
  switch (method.kind) {
    case "influence":
      return regressed(gram, new Float64Array(rowCount).fill(1), method.ridge);
    case "trak":
      return regressed(
        gram,
        losses!.map((loss) => 1 / (1 - exactExp(-loss))),
        method.ridge,
      );
    case "data-inf":
      return meanOfInverses(gram, rowCount, method.damping, count);
    case "grad-dot":
    case "ek-fac":
      return { flippedWeights: null, own: gram };
  }
}

/**
 * A = D⁻¹ (D K D + r)⁻¹ D: rows weighted by D in the matrix that is inverted. A K = D⁻¹ (1 − r B) D⁻¹ with B the
 * inverse, so no product is needed.
 */
function regressed(gram: Float64Array, weights: Float64Array, ridge: number): PartScores {
  const n = weights.length;
  const matrix = gram.map((value, k) => value * weights[Math.floor(k / n)]! * weights[k % n]!);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += matrix[i * n + i]!;
  if (!(trace > 0)) return { flippedWeights: null, own: new Float64Array(n * n) };
  const damping = (ridge * trace) / n;
  for (let i = 0; i < n; i++) matrix[i * n + i] = matrix[i * n + i]! + damping;
  choleskyInPlace(matrix, n);
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  solveCholesky(matrix, n, inverse, n);
  const own = inverse.map((value, k) => {
    const one = k % (n + 1) === 0 ? 1 : 0;
    return (one - damping * value) / (weights[Math.floor(k / n)]! * weights[k % n]!);
  });
  const flippedWeights = inverse.map((value, k) => (value * weights[Math.floor(k / n)]!) / weights[k % n]!);
  return { flippedWeights, own };
}

/** A = (1 − K W) / λ with W the weights 1 / (n (λ + K_kk)). */
function meanOfInverses(gram: Float64Array, n: number, damping: number, count: number): PartScores {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i]!;
  if (!(trace > 0)) return { flippedWeights: null, own: new Float64Array(n * n) };
  const lambda = (damping * trace) / (n * count);
  const weights = Float64Array.from({ length: n }, (_, k) => 1 / (n * (lambda + gram[k * n + k]!)));
  const weighted = gram.map((value, k) => value * weights[k % n]!);
  const corrections = timesTransposed(weighted, n, gram, n, n);
  const own = gram.map((value, k) => (value - corrections[k]!) / lambda);
  const flippedWeights = gram.map((value, k) => {
    const one = k % (n + 1) === 0 ? 1 : 0;
    return (one - value * weights[Math.floor(k / n)]!) / lambda;
  });
  return { flippedWeights, own };
}
