/**
 * Features of texts: rows' gradients as d numbers each, such that a plain inner product of a row's and a query's is the
 * row's score by a method of text-methods.ts. The map is linear in the query's gradient, so the settlement circuit
 * stays as it is.
 *
 * 1. Gradients are turned into the method's coordinates (gradient-coordinates.ts).
 * 2. S, the rows' scores for one another, is made from Gram matrices (row-scores.ts): there are fewer rows than numbers
 *    in a gradient.
 * 3. S = U Σ Uᵀ: the d directions with the largest σ stay, with half of σ in the rows and half in the query.
 * 4. Rotated (random signs, Walsh–Hadamard), so that one scale fits all features.
 */
import { randomSigns, rotate } from "@openledger/attribution/features/rotation";
import { timesTransposed, transpose } from "@openledger/attribution/maths/dense-matrix";
import { leadingEigen } from "@openledger/attribution/maths/leading-eigen";
import type { Kernels, Place } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { toCoordinates } from "./gradient-coordinates.ts";
import { rowScores } from "./row-scores.ts";
import type { TextMethod } from "./text-methods.ts";
import type { TextFeatureOptions, TextFeaturePlaces } from "./text-places.ts";

/** Of the largest σ; below that is rounding only. */
const LEAST_SCORE = 1e-6;

/**
 * From the rows' gradients, which it changes, to the map and the rows' features: rowCount × featureCount.
 *
 * @throws RollupError MOD_INPUT_INVALID where the method needs matrices or losses that are not given
 */
export function mapTextsBy(
  method: TextMethod,
  kernels: Kernels,
  places: TextFeaturePlaces,
  options: TextFeatureOptions,
): Float64Array {
  const { featureCount, gradientCount, rowCount } = options;
  const { coefficients, directions, gradients } = places;
  requireParts(method, options);
  const turnBack = toCoordinates(method, kernels, places, options);
  const { parts, scores } = rowScores(method, kernels, places, options);
  const vectors = keptVectors(scores, options);
  const signs = randomSigns(featureCount, options.seed);
  for (const { flippedWeights, from, count } of parts) {
    const weights =
      flippedWeights === null
        ? null
        : timesTransposed(flippedWeights, rowCount, vectors, featureCount, rowCount);
    const own = weights ?? transpose(vectors, featureCount, rowCount);
    for (let i = 0; i < rowCount; i++) rotate(own.subarray(i * featureCount, (i + 1) * featureCount), signs);
    kernels.arena.set(own, coefficients);
    const flipped = { at: gradients + from, rowStride: 1, columnStride: gradientCount };
    const right = { at: coefficients, rowStride: featureCount, columnStride: 1 };
    const to = directions + from * featureCount;
    kernels.multiply(count, featureCount, rowCount, flipped, right, to, featureCount, false);
  }
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

/** Each row's score for itself, by which bad rows are found: they are the ones that explain themselves most. */
export function selfInfluences(features: Float64Array, featureCount: number): Float64Array {
  return Float64Array.from({ length: features.length / featureCount }, (_, i) => {
    let squares = 0;
    for (let k = i * featureCount; k < (i + 1) * featureCount; k++) squares += features[k]! ** 2;
    return squares;
  });
}

function requireParts({ kind }: TextMethod, { losses, matrices }: TextFeatureOptions): void {
  const needsMatrices = kind === "data-inf" || kind === "ek-fac";
  const missing =
    needsMatrices && matrices === undefined
      ? "matrices"
      : kind === "trak" && losses === undefined
        ? "losses"
        : null;
  if (missing === null) return;
  throw modelError("MOD_INPUT_INVALID", `the method ${kind} needs ${missing}`, { data: { field: missing } });
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
