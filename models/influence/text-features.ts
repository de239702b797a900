/**
 * Features of texts: rows' gradients as d numbers each, such that a plain inner product of a row's and a query's is the
 * row's influence. The map is linear in the query's gradient, so the settlement circuit stays as it is.
 *
 * 1. Each coordinate is divided by its root mean square over the rows, as AdamW divided it while tuning.
 * 2. The Gram matrix of the rows has the eigenvectors that matter; there are fewer rows than numbers in a gradient.
 * 3. Each direction is divided by √(λ + ridge), half of the preconditioner for the rows and half for the query, and
 *    the d directions with the largest λ stay.
 * 4. Rotated (random signs, Walsh–Hadamard), so that one scale fits all features.
 */
import { randomSigns, rotate } from "../../attribution/features/feature-map.ts";
import { symmetricEigen } from "../../attribution/maths/dense-matrix.ts";
import type { Kernels, Place } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { type ArenaPlan, roundUp16 } from "../tensors/arena-plan.ts";

export interface TextFeatureOptions {
  readonly rowCount: number;
  /** Numbers of a gradient. */
  readonly gradientCount: number;
  /** d, a power of two. */
  readonly featureCount: number;
  /** In units of the mean squared length of a row. */
  readonly ridge: number;
  readonly seed: string;
}

/** Where the map's numbers lie. */
export interface TextFeaturePlaces {
  /** rowCount × gradientCount: the rows' gradients go here. */
  readonly gradients: Place;
  /** gradientCount × featureCount: the map. */
  readonly directions: Place;
  /** rowCount × featureCount. */
  readonly features: Place;
  readonly gram: Place;
  readonly coefficients: Place;
}

const MAX_ROWS = 8_192;
const MAX_FEATURES = 2_048;

/** @throws RollupError MOD_INPUT_INVALID for counts out of range */
export function planTextFeatures(plan: ArenaPlan, options: TextFeatureOptions): TextFeaturePlaces {
  const { featureCount, gradientCount, ridge, rowCount } = options;
  const isPower = Number.isInteger(Math.log2(featureCount)) && featureCount >= 16;
  if (!isPower || featureCount > MAX_FEATURES || rowCount < 1 || rowCount > MAX_ROWS || !(ridge > 0)) {
    throw modelError(
      "MOD_INPUT_INVALID",
      "the number of rows or of features, or the ridge, is out of range",
      {
        data: { field: "featureCount", ...options },
      },
    );
  }
  return {
    gradients: plan.take(rowCount * gradientCount),
    directions: plan.take(gradientCount * featureCount),
    features: plan.take(rowCount * featureCount),
    gram: plan.take(rowCount * roundUp16(rowCount)),
    coefficients: plan.take(rowCount * featureCount),
  };
}

/** From the rows' gradients to the map and the rows' features: rowCount × featureCount. */
export function mapTexts(
  kernels: Kernels,
  places: TextFeaturePlaces,
  options: TextFeatureOptions,
): Float64Array {
  const { featureCount, gradientCount, rowCount } = options;
  const { coefficients, directions, gradients, gram } = places;
  const { arena } = kernels;
  const scales = coordinateScales(
    arena.subarray(gradients, gradients + rowCount * gradientCount),
    gradientCount,
  );
  for (let i = 0; i < rowCount; i++) {
    const row = arena.subarray(gradients + i * gradientCount, gradients + (i + 1) * gradientCount);
    for (let k = 0; k < gradientCount; k++) row[k] = row[k]! * scales[k]!;
  }
  const rows = { at: gradients, rowStride: gradientCount, columnStride: 1 };
  const flipped = { at: gradients, rowStride: 1, columnStride: gradientCount };
  const gramStride = roundUp16(rowCount);
  kernels.multiply(rowCount, rowCount, gradientCount, rows, flipped, gram, gramStride, false);
  arena.set(rowCoefficients(arena, gram, options), coefficients);
  const weights = { at: coefficients, rowStride: featureCount, columnStride: 1 };
  kernels.multiply(gradientCount, featureCount, rowCount, flipped, weights, directions, featureCount, false);
  const features = projectGradients(kernels, places, options, gradients, rowCount);
  // From now on the map takes gradients as they come.
  for (let k = 0; k < gradientCount; k++) {
    const at = directions + k * featureCount;
    for (let j = 0; j < featureCount; j++) arena[at + j] = arena[at + j]! * scales[k]!;
  }
  return features;
}

/** count × featureCount: the features of gradients that lie one after another. */
export function projectGradients(
  kernels: Kernels,
  { directions, features }: TextFeaturePlaces,
  { featureCount, gradientCount }: TextFeatureOptions,
  gradients: Place,
  count: number,
): Float64Array {
  const rows = { at: gradients, rowStride: gradientCount, columnStride: 1 };
  const map = { at: directions, rowStride: featureCount, columnStride: 1 };
  kernels.multiply(count, featureCount, gradientCount, rows, map, features, featureCount, false);
  return Float64Array.from(kernels.arena.subarray(features, features + count * featureCount));
}

/** 1 / root mean square of each coordinate; 0 for one that is always 0. */
function coordinateScales(gradients: Float32Array, gradientCount: number): Float64Array {
  const squares = new Float64Array(gradientCount);
  for (let from = 0; from < gradients.length; from += gradientCount)
    for (let k = 0; k < gradientCount; k++) squares[k] = squares[k]! + gradients[from + k]! ** 2;
  const rowCount = gradients.length / gradientCount;
  return squares.map((square) => (square > 0 ? 1 / Math.sqrt(square / rowCount) : 0));
}

/** rowCount × featureCount: what each row counts in each direction, whitened and rotated. */
function rowCoefficients(
  arena: Float32Array,
  gram: Place,
  { featureCount, ridge, rowCount, seed }: TextFeatureOptions,
): Float64Array {
  const stride = roundUp16(rowCount);
  const matrix = new Float64Array(rowCount * rowCount);
  let trace = 0;
  for (let i = 0; i < rowCount; i++) {
    for (let j = 0; j < rowCount; j++) matrix[i * rowCount + j] = arena[gram + i * stride + j]!;
    trace += matrix[i * rowCount + i]!;
  }
  const { values, vectors } = symmetricEigen(matrix, rowCount);
  const damping = (ridge * trace) / rowCount;
  const out = new Float64Array(rowCount * featureCount);
  for (let k = 0; k < Math.min(featureCount, rowCount); k++) {
    const value = values[k]!;
    // Below that is rounding only.
    if (value <= 1e-6 * values[0]!) break;
    const factor = 1 / Math.sqrt(value * (value + damping));
    for (let i = 0; i < rowCount; i++) out[i * featureCount + k] = vectors[k * rowCount + i]! * factor;
  }
  const signs = randomSigns(featureCount, seed);
  for (let i = 0; i < rowCount; i++) rotate(out.subarray(i * featureCount, (i + 1) * featureCount), signs);
  return out;
}
