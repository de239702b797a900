import { writeDenseRow } from "../maths/sparse-rows.ts";
import type { LayerInputs, Sensitivities } from "./sensitivities.ts";

/**
 * Inner products of loss gradients, one layer at a time: (residual · residual') · (input · input'), so no gradient is
 * ever written out. @returns left.rowCount × right.rowCount.
 */
export function layerKernel(left: Sensitivities, right: Sensitivities, layer: number): Float64Array {
  const l = left.layers[layer]!;
  const r = right.layers[layer]!;
  const out = new Float64Array(left.rowCount * right.rowCount);
  const dense = new Float64Array(l.inputs.columnCount);
  const { starts, columns, values } = r.inputs;
  for (let i = 0; i < left.rowCount; i++) {
    writeDenseRow(l.inputs, i, dense);
    for (let j = 0; j < right.rowCount; j++) {
      let inputs = 0;
      for (let e = starts[j]!; e < starts[j + 1]!; e++) inputs += values[e]! * dense[columns[e]!]!;
      out[i * right.rowCount + j] = inputs * residualProduct(left, i, right, j, l);
    }
  }
  return out;
}

function residualProduct(
  left: Sensitivities,
  i: number,
  right: Sensitivities,
  j: number,
  layer: LayerInputs,
): number {
  const a = i * left.outputCount + layer.outputOffset;
  const b = j * right.outputCount + layer.outputOffset;
  let sum = 0;
  for (let o = 0; o < layer.outputCount; o++) sum += left.residuals[a + o]! * right.residuals[b + o]!;
  return sum;
}

/** |gradient|² of each row, in one layer. */
export function layerNorms(rows: Sensitivities, layer: number): Float64Array {
  const l = rows.layers[layer]!;
  const { starts, values } = l.inputs;
  return Float64Array.from({ length: rows.rowCount }, (_, i) => {
    let squares = 0;
    for (let e = starts[i]!; e < starts[i + 1]!; e++) squares += values[e]! * values[e]!;
    return squares * residualProduct(rows, i, rows, i, l);
  });
}
