/**
 * Linear maps of a layer, forward and back: y = x W + bias + factor · (x A) B, by floats or by int8 weights; forward also with
 * DoRA's changes of x W. transformer.ts
 * calls `applyLinear`, loss-gradient.ts `linearBack`. Matrices lie row by row; a row is a token.
 */
import { type Kernels, NONE, type PackedMap, type Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import type { AdapterLayout, AdapterPart } from "./adapter-layout.ts";
import type { LinearName, LinearOffsets, WeightNumbers } from "./model-shape.ts";

/** An adapter's parts on one linear map of one layer, and their buffers. */
export interface LinearAdapter {
  readonly layout: AdapterLayout;
  /** Start of the adapter's block. */
  readonly at: Place;
  readonly parts: readonly { readonly part: AdapterPart; readonly low: Place }[];
  /** Room for the map's results alone; NONE without DoRA. */
  readonly plain: Place;
}

export function adapterOn(
  layout: AdapterLayout,
  at: Place,
  low: readonly Place[],
  plain: Place,
  layer: number,
  linear: LinearName,
): LinearAdapter {
  const parts = layout.parts
    .filter((part) => part.layer === layer)
    .map((part, i) => ({ part, low: low[i]! }))
    .filter(({ part }) => part.linear === linear);
  return { layout, at, parts, plain };
}

const rowsAt = (at: Place, rowStride: number) => ({ at, rowStride, columnStride: 1 });
const columnsAt = (at: Place, rowStride: number) => ({ at, rowStride: 1, columnStride: rowStride });

/** y = x W or y += x W by int8 weights, if `quantised` has room for the rows. */
export function multiplyByBlocks(
  kernels: Kernels,
  map: PackedMap,
  rows: number,
  x: Place,
  quantised: Place,
  y: Place,
  accumulate: boolean,
): void {
  kernels.blocks.quantise(rows, map.inputs, x, quantised);
  kernels.blocks.multiply({ ...map, rows, x: quantised, y, yStride: roundUp16(map.outputs), accumulate });
}

/** y = x W or y += x W, without bias and adapters. */
export function multiplyByMap(
  kernels: Kernels,
  parameters: Place,
  quantised: Place,
  { inputs, outputs, weight }: LinearOffsets,
  rows: number,
  x: Place,
  y: Place,
  accumulate: boolean,
): void {
  const weights = parameters + weight;
  if (quantised === NONE)
    kernels.multiply(
      rows,
      outputs,
      inputs,
      rowsAt(x, inputs),
      rowsAt(weights, outputs),
      y,
      outputs,
      accumulate,
    );
  else multiplyByBlocks(kernels, { inputs, outputs, weights }, rows, x, quantised, y, accumulate);
}

/**
 * DoRA: y += change · (x W) for `count` outputs of a row, as PEFT adds it to the base's result. The sum is rounded once; every
 * engine of JavaScript has the same.
 */
export function addChange(arena: Float32Array, y: Place, change: Place, plain: Place, count: number): void {
  for (let i = 0; i < count; i++) arena[y + i] = arena[y + i]! + arena[change + i]! * arena[plain + i]!;
}

/**
 * out = x W + bias + adapters, or out += that. `parameters` is the start of the model's block; `quantised` has room for the
 * rows as int8, or is NONE.
 */
export function applyLinear(
  kernels: Kernels,
  parameters: Place,
  quantised: Place,
  map: LinearOffsets,
  adapter: LinearAdapter | null,
  rows: number,
  x: Place,
  out: Place,
  accumulate: boolean,
): void {
  const { bias, inputs, outputs } = map;
  multiplyByMap(kernels, parameters, quantised, map, rows, x, out, accumulate);
  if (bias !== NONE) kernels.addRow(rows, outputs, out, parameters + bias);
  if (adapter === null || adapter.parts.length === 0) return;
  const { layout, parts, plain } = adapter;
  const { rank } = layout;
  if (plain !== NONE) {
    multiplyByMap(kernels, parameters, quantised, map, rows, x, plain, false);
    for (const { part } of parts)
      for (let row = 0; row < rows; row++) {
        const at = row * outputs + part.firstOutput;
        addChange(kernels.arena, out + at, adapter.at + part.change, plain + at, part.outputs);
      }
  }
  for (const { part, low } of parts) {
    const b = rowsAt(adapter.at + part.b, part.outputs);
    kernels.multiply(
      rows,
      rank,
      inputs,
      rowsAt(x, inputs),
      rowsAt(adapter.at + part.a, rank),
      low,
      rank,
      false,
    );
    kernels.scale(rows * rank, low, layout.factor);
    kernels.multiply(rows, part.outputs, rank, rowsAt(low, rank), b, out + part.firstOutput, outputs, true);
  }
}

/** Blocks to which gradients are added: their starts, NONE for those that are not computed. */
export interface GradientBlocks {
  readonly parameters: Place;
  readonly adapter: Place;
}

/**
 * dx = (or +=) the gradient of x, unless dx is NONE; adds the gradients of weight, bias and adapters. Int8 weights have none.
 */
export function linearBack(
  kernels: Kernels,
  parameters: Place,
  weights: WeightNumbers,
  { bias, inputs, outputs, weight }: LinearOffsets,
  adapter: LinearAdapter | null,
  rows: number,
  x: Place,
  dOut: Place,
  dx: Place,
  accumulate: boolean,
  dLow: Place,
  into: GradientBlocks,
): void {
  const slope = rowsAt(dOut, outputs);
  const flippedInput = columnsAt(x, inputs);
  const at = parameters + weight;
  if (dx !== NONE && weights === "float32")
    kernels.multiply(rows, inputs, outputs, slope, columnsAt(at, outputs), dx, inputs, accumulate);
  else if (dx !== NONE)
    kernels.blocks.multiplyBack({
      ...{ inputs, outputs, weights: at },
      ...{ rows, dy: dOut, dyStride: outputs, dx, accumulate },
    });
  if (into.parameters !== NONE) {
    const dWeight = into.parameters + weight;
    kernels.multiply(inputs, outputs, rows, flippedInput, slope, dWeight, outputs, true);
    if (bias !== NONE) kernels.sumRows(rows, outputs, dOut, into.parameters + bias);
  }
  if (adapter === null) return;
  const { rank } = adapter.layout;
  for (const { part, low } of adapter.parts) {
    const own = rowsAt(dOut + part.firstOutput, outputs);
    const [a, b] = [adapter.at + part.a, adapter.at + part.b];
    kernels.multiply(rows, rank, part.outputs, own, columnsAt(b, part.outputs), dLow, rank, false);
    kernels.scale(rows * rank, dLow, adapter.layout.factor);
    if (into.adapter !== NONE) {
      // `low` has the factor already, and dLow has it now.
      const [dA, dB] = [into.adapter + part.a, into.adapter + part.b];
      kernels.multiply(rank, part.outputs, rows, columnsAt(low, rank), own, dB, part.outputs, true);
      kernels.multiply(inputs, rank, rows, flippedInput, rowsAt(dLow, rank), dA, rank, true);
    }
    if (dx !== NONE)
      kernels.multiply(rows, inputs, rank, rowsAt(dLow, rank), columnsAt(a, rank), dx, inputs, true);
  }
}
