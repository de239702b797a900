import { timesTransposed } from "../maths/dense-matrix.ts";
import { layerKernel, layerNorms } from "./gradient-kernel.ts";
import type { Sensitivities } from "./sensitivities.ts";

/** λ of a layer is this part of the mean square of its gradients' entries: the paper's choice (section 3). */
const DAMPING = 0.1;

/**
 * DataInf (Kwon, Wu, Wu, Zou: arXiv 2310.00902): the inverse of the mean of g gᵀ + λ is replaced by the mean of the
 * inverses, layer by layer, so that
 *
 *   score(q, i) = Σ over layers of 1/λ · (q · gᵢ − mean over k of (q · g_k)(g_k · gᵢ) / (λ + |g_k|²))
 *
 * which is gᵢ M q for one matrix M: linear in the query. queries × rows.
 */
export function dataInfScores(rows: Sensitivities, queries: Sensitivities): Float64Array {
  const n = rows.rowCount;
  const out = new Float64Array(queries.rowCount * n);
  for (const layer of rows.layers.keys()) {
    const { lambda, weights } = layerWeights(rows, layer);
    const cross = layerKernel(queries, rows, layer);
    const weighted = cross.slice();
    for (let k = 0; k < weighted.length; k++) weighted[k] = weighted[k]! * weights[k % n]!;
    const corrections = timesTransposed(weighted, queries.rowCount, layerKernel(rows, rows, layer), n, n);
    for (let k = 0; k < out.length; k++) out[k] = out[k]! + (cross[k]! - corrections[k]!) / lambda;
  }
  return out;
}

export function dataInfSelf(rows: Sensitivities): Float64Array {
  const n = rows.rowCount;
  const out = new Float64Array(n);
  for (const layer of rows.layers.keys()) {
    const { lambda, weights, squares } = layerWeights(rows, layer);
    const kernel = layerKernel(rows, rows, layer);
    for (let i = 0; i < n; i++) {
      let correction = 0;
      for (let k = 0; k < n; k++) correction += weights[k]! * kernel[i * n + k]! * kernel[i * n + k]!;
      out[i] = out[i]! + (squares[i]! - correction) / lambda;
    }
  }
  return out;
}

/** A layer's λ, each row's |gradient|², and the weight of its gradient in the mean of inverses. */
export function layerWeights(rows: Sensitivities, layer: number) {
  const { outputCount, inputs } = rows.layers[layer]!;
  const squares = layerNorms(rows, layer);
  const total = squares.reduce((sum, square) => sum + square, 0);
  const lambda = (DAMPING * total) / (rows.rowCount * outputCount * inputs.columnCount);
  return { lambda, squares, weights: squares.map((square) => 1 / (rows.rowCount * (lambda + square))) };
}
