/**
 * Reference for influence: exact scores of queries, in real numbers. Tests and the benchmark of attribution quality
 * compare integers with it.
 */
import { gaussNewton, writeGradients } from "../features/exact-influence.ts";
import { coordinateCount, type Sensitivities } from "../features/sensitivities.ts";
import { choleskyInPlace, solveCholesky } from "../maths/dense-matrix.ts";
import { renumberColumns, usedColumns } from "../maths/sparse-rows.ts";

/**
 * The influence function with the exact inverse of the (Gauss–Newton) Hessian: score(q, i) = q (H + λ)⁻¹ gᵢ, by how
 * much row i lowered the loss of q, to first order. Cholesky, no iteration and no sampling.
 *
 * Coordinates are those of `sensitivities.ts`, input after input.
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
  const { position, count } = usedColumns(rows.inputs);
  const align = (s: Sensitivities) => ({ ...s, inputs: renumberColumns(s.inputs, position, count) });
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

function gradientProduct(rows: Sensitivities, i: number, vector: Float64Array): number {
  const { inputs, outputCount, residuals } = rows;
  let sum = 0;
  for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
    const at = inputs.columns[e]! * outputCount;
    let product = 0;
    for (let o = 0; o < outputCount; o++) product += vector[at + o]! * residuals[i * outputCount + o]!;
    sum += inputs.values[e]! * product;
  }
  return sum;
}
