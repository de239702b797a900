import { choleskyInPlace, solveCholesky } from "../maths/dense-matrix.ts";
import { renumberColumns, type SparseRows, usedColumns } from "../maths/sparse-rows.ts";
import { coordinateCount, type Sensitivities } from "./sensitivities.ts";

/**
 * The influence function with the exact inverse of the (Gauss–Newton) Hessian: score(q, i) = q (H + λ)⁻¹ gᵢ, by how
 * much row i lowered the loss of q, to first order. Cholesky, no iteration and no sampling.
 *
 * Coordinates are those of `sensitivities.ts`, layer by layer, input after input.
 */
export interface ExactInfluence {
  readonly size: number;
  /** queries × rows. The queries must come from `alignColumns`. */
  scores(queries: Sensitivities): Float64Array;
  /** (H + λ)⁻¹ v in place, for one vector of coordinates. */
  solve(v: Float64Array): void;
}

/** Drops the inputs that are 0 in all training rows: their gradients are 0 there, so they add nothing to any score. */
export function alignColumns(
  rows: Sensitivities,
  queries: Sensitivities,
): { rows: Sensitivities; queries: Sensitivities } {
  const used = rows.layers.map((layer) => usedColumns(layer.inputs));
  const align = (s: Sensitivities): Sensitivities => ({
    ...s,
    layers: s.layers.map((layer, l) => ({
      ...layer,
      inputs: renumberColumns(layer.inputs, used[l]!.position, used[l]!.count),
    })),
  });
  return { rows: align(rows), queries: align(queries) };
}

export function exactInfluence(rows: Sensitivities, damping: number): ExactInfluence {
  const size = coordinateCount(rows);
  const factor = gaussNewton(rows, damping);
  choleskyInPlace(factor, size);
  return {
    size,
    solve: (v) => solveCholesky(factor, size, v, 1),
    scores(queries) {
      const solved = writeGradients(queries, size);
      solveCholesky(factor, size, solved, queries.rowCount);
      const out = new Float64Array(queries.rowCount * rows.rowCount);
      for (let q = 0; q < queries.rowCount; q++) {
        const vector = solved.subarray(q * size, (q + 1) * size);
        for (let i = 0; i < rows.rowCount; i++) out[q * rows.rowCount + i] = gradientProduct(rows, i, vector);
      }
      return out;
    },
  };
}

/** The gradients of all rows, dense: rows × size. */
export function writeGradients(rows: Sensitivities, size: number): Float64Array {
  const out = new Float64Array(rows.rowCount * size);
  let start = 0;
  for (const { inputs, outputCount, outputOffset } of rows.layers) {
    for (let i = 0; i < rows.rowCount; i++) {
      const residual = i * rows.outputCount + outputOffset;
      for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
        const at = i * size + start + inputs.columns[e]! * outputCount;
        for (let o = 0; o < outputCount; o++) {
          out[at + o] = inputs.values[e]! * rows.residuals[residual + o]!;
        }
      }
    }
    start += inputs.columnCount * outputCount;
  }
  return out;
}

function gradientProduct(rows: Sensitivities, i: number, vector: Float64Array): number {
  let sum = 0;
  let start = 0;
  for (const { inputs, outputCount, outputOffset } of rows.layers) {
    const residual = i * rows.outputCount + outputOffset;
    for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
      const at = start + inputs.columns[e]! * outputCount;
      let product = 0;
      for (let o = 0; o < outputCount; o++) product += vector[at + o]! * rows.residuals[residual + o]!;
      sum += inputs.values[e]! * product;
    }
    start += inputs.columnCount * outputCount;
  }
  return sum;
}

/** Mean Gauss–Newton matrix plus damping on its diagonal; only the lower triangle is filled. */
export function gaussNewton(rows: Sensitivities, damping: number): Float64Array {
  const size = coordinateCount(rows);
  const matrix = new Float64Array(size * size);
  const outputs = rows.layers.flatMap((layer, l) =>
    Array.from({ length: layer.outputCount }, (_, b) => ({ layer, l, b })),
  );
  const starts = rows.layers.map((_, l) =>
    rows.layers.slice(0, l).reduce((sum, layer) => sum + layer.outputCount * layer.inputs.columnCount, 0),
  );
  // One pair of outputs at a time: the block of their inputs is small enough to stay in the cache.
  for (const [o, left] of outputs.entries()) {
    for (const [u, right] of outputs.slice(0, o + 1).entries()) {
      const weights = Float64Array.from(
        { length: rows.rowCount },
        (_, i) => rows.curvatures[(i * rows.outputCount + o) * rows.outputCount + u]! / rows.rowCount,
      );
      const block = weightedProducts(left.layer.inputs, right.layer.inputs, weights);
      const width = right.layer.inputs.columnCount;
      for (let a = 0; a < left.layer.inputs.columnCount; a++) {
        for (let c = 0; c < width; c++) {
          const row = starts[left.l]! + a * left.layer.outputCount + left.b;
          const column = starts[right.l]! + c * right.layer.outputCount + right.b;
          // A block within one layer is symmetric in its inputs, so both places of the pair get it.
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
