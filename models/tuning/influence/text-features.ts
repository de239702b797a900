/**
 * Features of texts: rows' gradients as d numbers each, such that a plain inner product of a row's and a query's is the
 * row's score. The map is linear in the query's gradient, so the settlement circuit stays as it is.
 *
 * 1. Gradients are turned into coordinates in which a score is their inner product (gradient-coordinates.ts).
 * 2. S, the rows' scores for one another, is the Gram matrix of the rows: there are fewer rows than numbers in a gradient.
 * 3. S = U Σ Uᵀ: the d directions with the largest σ stay, with half of σ in the rows and half in the query.
 * 4. Rotated (random signs, Walsh–Hadamard), so that one scale fits all features.
 *
 * Of tangents no coordinates are needed: a row's score is its tangent times the query's gradient. Directions that stay are
 * those that matter most to queries like the rows' own gradients.
 */
import { rotateRows } from "@openledger/attribution/features/rotation";
import { timesTransposed, transpose } from "@openledger/attribution/maths/dense-matrix";
import { leadingEigen } from "@openledger/attribution/maths/leading-eigen";
import type { Kernels, Place } from "../../engine/kernels/kernels.ts";
import { roundUp16 } from "../../engine/tensors/arena-plan.ts";
import { type ToCoordinates, toEigenbases } from "./gradient-coordinates.ts";
import type { TextFeatureOffsets, TextFeatureOptions } from "./text-offsets.ts";

/** Least score, as a part of the largest σ; below it there is only rounding. */
const MIN_SCORE = 1e-6;

/**
 * Computes the map and the rows' features, rowCount × featureCount, from the rows' tangents at the gradients' place.
 * @param latest rowCount × gradientCount: gradients of the rows
 */
export function mapTangents(
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions,
  latest: Place,
): Float64Array {
  const { featureCount, rowCount } = options;
  const scores = rowScores(kernels, offsets, options, latest);
  const squares = timesTransposed(scores, rowCount, scores, rowCount, rowCount);
  const { factors, vectors } = largestVectors(squares, MIN_SCORE ** 2, options);
  const features = transpose(
    vectors.map((x, at) => x * (factors[Math.floor(at / rowCount)] ?? 0)),
    featureCount,
    rowCount,
  );
  rotateRows(features, featureCount, options.seed);
  writeDirections(kernels, offsets, options, vectors, factors);
  return features;
}

/**
 * Computes the map and the rows' features, rowCount × featureCount, from the rows' gradients, which it changes.
 *
 * @param toCoordinates the bench compares others with the one that models register
 */
export function mapTexts(
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions,
  toCoordinates: ToCoordinates = toEigenbases,
): Float64Array {
  const { gradients } = offsets;
  const turnBack = toCoordinates(kernels, offsets, options);
  const scores = rowScores(kernels, offsets, options, gradients);
  const { factors, vectors } = largestVectors(scores, MIN_SCORE, options);
  writeDirections(kernels, offsets, options, vectors, factors);
  const features = projectGradients(kernels, offsets, options, gradients, options.rowCount);
  // From now on the map takes gradients as they come.
  turnBack();
  return features;
}

/** count × featureCount: the features of gradients that lie one after another. */
export function projectGradients(
  kernels: Kernels,
  { directions, features }: TextFeatureOffsets,
  { featureCount, gradientCount }: TextFeatureOptions,
  gradients: Place,
  count: number,
): Float64Array {
  const rows = { at: gradients, rowStride: gradientCount, columnStride: 1 };
  const map = { at: directions, rowStride: featureCount, columnStride: 1 };
  kernels.multiply(count, featureCount, gradientCount, rows, map, features, featureCount, false);
  return Float64Array.from(kernels.arena.subarray(features, features + count * featureCount));
}

/** rowCount × rowCount: what is at the gradients' place times what is at `others`. */
function rowScores(
  kernels: Kernels,
  { gradients, gram }: TextFeatureOffsets,
  { gradientCount, rowCount }: TextFeatureOptions,
  others: Place,
): Float64Array {
  const stride = roundUp16(rowCount);
  const rows = { at: gradients, rowStride: gradientCount, columnStride: 1 };
  const flipped = { at: others, rowStride: 1, columnStride: gradientCount };
  kernels.multiply(rowCount, rowCount, gradientCount, rows, flipped, gram, stride, false);
  const out = new Float64Array(rowCount * rowCount);
  for (let i = 0; i < rowCount; i++)
    out.set(kernels.arena.subarray(gram + i * stride, gram + i * stride + rowCount), i * rowCount);
  return out;
}

/** featureCount × rowCount: eigenvectors of the directions that stay, and the roots of their values; else 0. */
function largestVectors(scores: Float64Array, min: number, { featureCount, rowCount }: TextFeatureOptions) {
  const count = Math.min(featureCount, rowCount);
  const leading = leadingEigen(scores, rowCount, count);
  const vectors = new Float64Array(featureCount * rowCount);
  const firstTooSmall = leading.values.findIndex((value) => !(value > min * leading.values[0]!));
  const factors = leading.values.slice(0, firstTooSmall < 0 ? count : firstTooSmall).map(Math.sqrt);
  vectors.set(leading.vectors(factors.length));
  return { vectors, factors };
}

/** The map: the vectors over their factors, rotated, times the rows. */
function writeDirections(
  kernels: Kernels,
  { coefficients, directions, gradients }: TextFeatureOffsets,
  options: TextFeatureOptions,
  vectors: Float64Array,
  factors: Float64Array,
): void {
  const { featureCount, gradientCount, rowCount } = options;
  const own = transpose(
    vectors.map((x, at) => x * (1 / (factors[Math.floor(at / rowCount)] ?? Number.POSITIVE_INFINITY))),
    featureCount,
    rowCount,
  );
  rotateRows(own, featureCount, options.seed);
  kernels.arena.set(own, coefficients);
  const flipped = { at: gradients, rowStride: 1, columnStride: gradientCount };
  const right = { at: coefficients, rowStride: featureCount, columnStride: 1 };
  kernels.multiply(gradientCount, featureCount, rowCount, flipped, right, directions, featureCount, false);
}
