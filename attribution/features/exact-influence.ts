/**
 * Gradients and damped Hessian of a logistic model over all rows, as dense float64 matrices, from its sparse
 * derivatives (sensitivities.ts). Their quotient (H + λ)⁻¹ g is a row's influence: direct-rows.ts registers it,
 * cleaning/ uses it too.
 */
import type { SparseRows } from "../maths/sparse-rows.ts";
import { coordinateCount, type Sensitivities } from "./sensitivities.ts";

/** The gradients of all rows, dense: rowCount × size, row-major. @param size `coordinateCount(rows)` */
export function writeGradients(rows: Sensitivities, size: number): Float64Array {
  const { inputs, outputCount, residuals, rowCount } = rows;
  const out = new Float64Array(rowCount * size);
  for (let i = 0; i < rowCount; i++)
    for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
      const at = i * size + inputs.columns[e]! * outputCount;
      for (let o = 0; o < outputCount; o++) out[at + o] = inputs.values[e]! * residuals[i * outputCount + o]!;
    }
  return out;
}

/**
 * Gauss-Newton matrix, for a logistic model the Hessian: mean over rows, plus `damping` on its diagonal. size × size,
 * row-major; only the lower triangle is filled.
 */
export function gaussNewton(rows: Sensitivities, damping: number): Float64Array {
  const { curvatures, inputs, outputCount, rowCount } = rows;
  const size = coordinateCount(rows);
  const width = inputs.columnCount;
  const matrix = new Float64Array(size * size);
  // One pair of outputs at a time: the block of their inputs is small enough to stay in the cache.
  for (let o = 0; o < outputCount; o++) {
    for (let u = 0; u <= o; u++) {
      const weights = Float64Array.from(
        { length: rowCount },
        (_, i) => curvatures[(i * outputCount + o) * outputCount + u]! / rowCount,
      );
      const block = weightedProducts(inputs, inputs, weights);
      for (let a = 0; a < width; a++) {
        for (let c = 0; c < width; c++) {
          const row = a * outputCount + o;
          const column = c * outputCount + u;
          // A block is symmetric in its inputs, so both places of the pair get it.
          if (row >= column) matrix[row * size + column] = block[a * width + c]!;
          else matrix[column * size + row] = block[a * width + c]!;
        }
      }
    }
  }
  for (let k = 0; k < size; k++) matrix[k * size + k] = matrix[k * size + k]! + damping;
  return matrix;
}

/** Σ over rows of weight · left ⊗ right: left.columnCount × right.columnCount. */
export function weightedProducts(left: SparseRows, right: SparseRows, weights: Float64Array): Float64Array {
  const width = right.columnCount;
  const out = new Float64Array(left.columnCount * width);
  const isSymmetric = left === right;
  for (let i = 0; i < left.rowCount; i++) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    const from = right.starts[i]!;
    for (let e = left.starts[i]!; e < left.starts[i + 1]!; e++) {
      const at = left.columns[e]! * width;
      const value = weight * left.values[e]!;
      const to = isSymmetric ? e + 1 : right.starts[i + 1]!;
      for (let f = from; f < to; f++) {
        const k = at + right.columns[f]!;
        out[k] = out[k]! + value * right.values[f]!;
      }
    }
  }
  if (isSymmetric) {
    for (let a = 0; a < width; a++) for (let c = 0; c < a; c++) out[c * width + a] = out[a * width + c]!;
  }
  return out;
}
