import { layerKernel, layerNorms } from "../features/gradient-kernel.ts";
import type { Sensitivities } from "../features/sensitivities.ts";

/** Grad-Dot: the inner product of two loss gradients (TracIn of one checkpoint). queries × rows. */
export function gradDotScores(rows: Sensitivities, queries: Sensitivities): Float64Array {
  const out = new Float64Array(queries.rowCount * rows.rowCount);
  for (const layer of rows.layers.keys()) {
    const kernel = layerKernel(queries, rows, layer);
    for (let k = 0; k < out.length; k++) out[k] = out[k]! + kernel[k]!;
  }
  return out;
}

/** The score of each row for itself. */
export function gradDotSelf(rows: Sensitivities): Float64Array {
  const out = new Float64Array(rows.rowCount);
  for (const layer of rows.layers.keys()) {
    for (const [i, square] of layerNorms(rows, layer).entries()) out[i] = out[i]! + square;
  }
  return out;
}
