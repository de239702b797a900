import { choleskyInPlace, symmetricEigen, timesTransposed, transpose } from "../maths/dense-matrix.ts";
import { layerWeights } from "./data-inf.ts";
import { weightedProducts } from "./exact-influence.ts";
import { randomSigns, rotate } from "./feature-map.ts";
import { type GradientMap, gradientComponents } from "./gradient-map.ts";
import type { Sensitivities } from "./sensitivities.ts";

type Directions = Pick<GradientMap, "layers" | "directions">;

/** A linear map from gradients to `featureCount` real features, as one method preconditions them. */
export interface GradientFeatures {
  readonly featureCount: number;
  /** rows × featureCount. */
  features(of: Sensitivities): Float64Array;
}

export interface GradientFeatureOptions {
  /** A power of two. */
  readonly featureCount: number;
  readonly seed: string;
}

/** Grad-Dot in few numbers: features(i) · features(q) ≈ gᵢ · g_q, of the directions that hold most of the rows' squares. */
export function gradDotFeatures(rows: Sensitivities, options: GradientFeatureOptions): GradientFeatures {
  const directions = largestDirections(rows, options.featureCount);
  return rotated(options, (of) => gradientComponents(directions, of));
}

/**
 * DataInf in few numbers: with M = (1 − Σ_k w_k g_k g_kᵀ) / λ of a layer in the kept directions and M = L Lᵀ, the
 * features are Lᵀ g, so that features(i) · features(q) ≈ gᵢ M g_q, layer by layer.
 */
export function dataInfFeatures(rows: Sensitivities, options: GradientFeatureOptions): GradientFeatures {
  const { featureCount } = options;
  const directions = largestDirections(rows, featureCount);
  const own = gradientComponents(directions, rows);
  const factor = new Float64Array(featureCount * featureCount);
  for (const layer of rows.layers.keys()) {
    const { lambda, weights } = layerWeights(rows, layer);
    const at = [...directions.directions.keys()].filter((t) => directions.directions[t]!.layer === layer);
    const columns = new Float64Array(at.length * rows.rowCount);
    for (const [k, t] of at.entries()) {
      for (let i = 0; i < rows.rowCount; i++) columns[k * rows.rowCount + i] = own[i * featureCount + t]!;
    }
    const weighted = columns.map((x, k) => x * weights[k % rows.rowCount]!);
    const block = timesTransposed(weighted, at.length, columns, at.length, rows.rowCount).map((x) => -x);
    // Positive definite: w_k |g_k|² < 1 / rows for each of the rows.
    for (let k = 0; k < at.length; k++) block[k * at.length + k] = block[k * at.length + k]! + 1;
    choleskyInPlace(block, at.length);
    for (const [k, t] of at.entries()) {
      for (const [j, u] of at.slice(0, k + 1).entries()) {
        factor[t * featureCount + u] = block[k * at.length + j]! / Math.sqrt(lambda);
      }
    }
  }
  const columnsOfFactor = transpose(factor, featureCount, featureCount);
  return rotated(options, (of) =>
    timesTransposed(
      of === rows ? own : gradientComponents(directions, of),
      of.rowCount,
      columnsOfFactor,
      featureCount,
      featureCount,
    ),
  );
}

function rotated(
  { featureCount, seed }: GradientFeatureOptions,
  make: (of: Sensitivities) => Float64Array,
): GradientFeatures {
  const signs = randomSigns(featureCount, seed);
  return {
    featureCount,
    features(of) {
      const out = make(of).slice();
      for (let from = 0; from < out.length; from += featureCount) {
        rotate(out.subarray(from, from + featureCount), signs);
      }
      return out;
    },
  };
}

/**
 * The `count` pairs (output eigenvector ⊗ input eigenvector) along which the rows' gradients have the largest squares.
 * Eigenvectors of the residuals' and of the inputs' second moments, layer by layer.
 */
function largestDirections(rows: Sensitivities, count: number): Directions {
  const uniform = new Float64Array(rows.rowCount).fill(1 / rows.rowCount);
  const layers = rows.layers.map(({ inputs, outputCount, outputOffset }) => {
    const moment = new Float64Array(outputCount * outputCount);
    for (let i = 0; i < rows.rowCount; i++) {
      const from = i * rows.outputCount + outputOffset;
      for (let o = 0; o < outputCount; o++) {
        for (let u = 0; u < outputCount; u++) {
          moment[o * outputCount + u] =
            moment[o * outputCount + u]! + rows.residuals[from + o]! * rows.residuals[from + u]!;
        }
      }
    }
    const outputs = symmetricEigen(moment, outputCount);
    const moments = symmetricEigen(weightedProducts(inputs, inputs, uniform), inputs.columnCount);
    return { inputCount: inputs.columnCount, outputCount, outputs, inputs: moments };
  });
  // Nearly the squares themselves: residuals and inputs are little correlated.
  const all = layers.flatMap(({ outputs, inputs }, layer) =>
    Array.from(outputs.values).flatMap((a, output) =>
      Array.from(inputs.values, (b, input) => ({ layer, output, input, square: a * b })),
    ),
  );
  all.sort((a, b) => b.square - a.square || a.layer - b.layer || a.output - b.output || a.input - b.input);
  return {
    layers: layers.map(({ inputCount, outputCount, outputs, inputs }) => {
      return { inputCount, outputCount, outputs: outputs.vectors, inputs: inputs.vectors };
    }),
    directions: all.slice(0, count),
  };
}
