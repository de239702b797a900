/**
 * Sizes of the map that turns a text's gradient into the features by which rows are scored (text-features.ts), and the offsets
 * of its numbers in memory.
 */
import type { Place } from "../../engine/kernels/kernels.ts";
import { type ArenaPlan, roundUp16 } from "../../engine/tensors/arena-plan.ts";
import { modelError } from "../../model-errors.ts";

/** A matrix among the numbers of a gradient, row by row. */
export interface GradientMatrix {
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
}

export interface TextFeatureOptions {
  readonly rowCount: number;
  /** Numbers of a gradient. */
  readonly gradientCount: number;
  /** d, a multiple of 16. */
  readonly featureCount: number;
  readonly seed: string;
  /** Matrices that a gradient consists of; they cover it. */
  readonly matrices: readonly GradientMatrix[];
}

/** Offsets of the map's numbers in the arena. */
export interface TextFeatureOffsets {
  /** rowCount × gradientCount: the rows' gradients go here. */
  readonly gradients: Place;
  /** gradientCount × featureCount: the map. */
  readonly directions: Place;
  /** rowCount × featureCount. */
  readonly features: Place;
  readonly gram: Place;
  readonly coefficients: Place;
  /**
   * Basis of the rows of the largest of `matrices`; `columnBasis` is one of its columns, `turned` the matrix itself for
   * each feature.
   */
  readonly rowBasis: Place;
  readonly columnBasis: Place;
  readonly turned: Place;
}

/** Bounds on memory: it grows with the square of the rows, and with rows times features. */
const MAX_ROWS = 8_192;
const MAX_FEATURES = 2_048;
/** @throws RollupError MOD_INPUT_INVALID for counts out of range */
export function planTextFeatures(plan: ArenaPlan, options: TextFeatureOptions): TextFeatureOffsets {
  const { featureCount, gradientCount, matrices, rowCount } = options;
  const fits = featureCount % 16 === 0 && featureCount >= 16 && featureCount <= MAX_FEATURES;
  if (!fits || rowCount < 1 || rowCount > MAX_ROWS) {
    throw modelError("MOD_INPUT_INVALID", "the number of rows or features is out of range", {
      data: { field: "featureCount", featureCount, gradientCount, rowCount },
    });
  }
  const max = (size: (matrix: GradientMatrix) => number) => Math.max(0, ...matrices.map(size));
  return {
    gradients: plan.take(rowCount * gradientCount),
    directions: plan.take(gradientCount * featureCount),
    features: plan.take(rowCount * featureCount),
    gram: plan.take(rowCount * roundUp16(rowCount)),
    coefficients: plan.take(rowCount * featureCount),
    rowBasis: plan.take(max(({ rows }) => rows ** 2)),
    columnBasis: plan.take(max(({ columns }) => columns ** 2)),
    turned: plan.take(max(({ columns, rows }) => rows * columns * featureCount)),
  };
}
