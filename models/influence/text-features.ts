/**
 * Features of texts: rows' gradients as d numbers each, such that a plain inner product of a row's and a query's is the
 * row's score. The map is linear in the query's gradient, so the settlement circuit stays as it is.
 *
 * 1. Gradients are turned into coordinates in which a score is their inner product (gradient-coordinates.ts).
 * 2. S, the rows' scores for one another, is the Gram matrix of the rows: there are fewer rows than numbers in a gradient.
 * 3. S = U Σ Uᵀ: the d directions with the largest σ stay, with half of σ in the rows and half in the query.
 * 4. Rotated (random signs, Walsh–Hadamard), so that one scale fits all features.
 */
import { randomSigns, rotate } from "@openledger/attribution/features/rotation";
import { transpose } from "@openledger/attribution/maths/dense-matrix";
import { leadingEigen } from "@openledger/attribution/maths/leading-eigen";
import type { Kernels, Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import { type ToCoordinates, toEigenbases } from "./gradient-coordinates.ts";
import type { TextFeatureOptions, TextFeaturePlaces } from "./text-places.ts";

/** Of the largest σ; below that is rounding only. */
const LEAST_SCORE = 1e-6;

/**
 * From the rows' gradients, which it changes, to the map and the rows' features: rowCount × featureCount.
 *
 * @param toCoordinates the bench compares others with the one that models register
 */
export function mapTexts(
  kernels: Kernels,
  places: TextFeaturePlaces,
  options: TextFeatureOptions,
  toCoordinates: ToCoordinates = toEigenbases,
): Float64Array {
  const { featureCount, gradientCount, rowCount } = options;
  const { coefficients, directions, gradients } = places;
  const turnBack = toCoordinates(kernels, places, options);
  const own = transpose(keptVectors(rowScores(kernels, places, options), options), featureCount, rowCount);
  const signs = randomSigns(featureCount, options.seed);
  for (let i = 0; i < rowCount; i++) rotate(own.subarray(i * featureCount, (i + 1) * featureCount), signs);
  kernels.arena.set(own, coefficients);
  const flipped = { at: gradients, rowStride: 1, columnStride: gradientCount };
  const right = { at: coefficients, rowStride: featureCount, columnStride: 1 };
  kernels.multiply(gradientCount, featureCount, rowCount, flipped, right, directions, featureCount, false);
  const features = projectGradients(kernels, places, options, gradients, rowCount);
  // From now on the map takes gradients as they come.
  turnBack();
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

/** rowCount × rowCount, symmetric. */
function rowScores(
  kernels: Kernels,
  { gradients, gram }: TextFeaturePlaces,
  { gradientCount, rowCount }: TextFeatureOptions,
): Float64Array {
  const stride = roundUp16(rowCount);
  const rows = { at: gradients, rowStride: gradientCount, columnStride: 1 };
  const flipped = { at: gradients, rowStride: 1, columnStride: gradientCount };
  kernels.multiply(rowCount, rowCount, gradientCount, rows, flipped, gram, stride, false);
  const out = new Float64Array(rowCount * rowCount);
  for (let i = 0; i < rowCount; i++)
    out.set(kernels.arena.subarray(gram + i * stride, gram + i * stride + rowCount), i * rowCount);
  return out;
}

/** featureCount × rowCount: the rows' weights in each direction that stays, divided by the root of its σ. */
function keptVectors(scores: Float64Array, { featureCount, rowCount }: TextFeatureOptions): Float64Array {
  const count = Math.min(featureCount, rowCount);
  const { values, vectors } = leadingEigen(scores, rowCount, count);
  const out = new Float64Array(featureCount * rowCount);
  for (let k = 0; k < count; k++) {
    const value = values[k]!;
    if (!(value > LEAST_SCORE * values[0]!)) break;
    const factor = 1 / Math.sqrt(value);
    for (let i = k * rowCount; i < (k + 1) * rowCount; i++) out[i] = vectors[i]! * factor;
  }
  return out;
}
