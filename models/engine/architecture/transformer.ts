/**
 * Forward pass of a decoder: tokens in, logits out, with keys and values of earlier positions in the workspace. One request at a
 * time: training and `generate` use it; models/engine/batches/ computes the same bytes for many requests at once.
 */
import { modelError } from "../../model-errors.ts";
import { type Kernels, NONE, type Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import { rotaryTable } from "../tensors/rotary-table.ts";
import type { AdapterLayout } from "./adapter-layout.ts";
import { adapterOn, applyLinear, type LinearAdapter, multiplyByBlocks } from "./linear-map.ts";
import type { NormOffsets, ParameterLayout } from "./model-shape.ts";
import { type LinearName, type ModelShape, qkvWidth } from "./model-shape.ts";
import type { LayerBuffers, Workspace } from "./workspace.ts";

/** A model in an arena, with the buffers of one pass at a time. */
export interface Transformer {
  readonly kernels: Kernels;
  readonly shape: ModelShape;
  readonly layout: ParameterLayout;
  /** Start of the model's numbers. */
  readonly parameters: Place;
  readonly workspace: Workspace;
  readonly adapter: { readonly layout: AdapterLayout; readonly at: Place } | null;
}

/** Once, before the first pass and after the weights: writes the table of positions and the flipped head. */
export function prepareTransformer({ kernels, layout, parameters, shape, workspace }: Transformer): void {
  const { arena } = kernels;
  if (workspace.flippedHead !== NONE) {
    const { vocabularySize, width } = shape;
    const rowStride = roundUp16(vocabularySize);
    for (let token = 0; token < vocabularySize; token++) {
      const from = parameters + layout.head + token * width;
      for (let i = 0; i < width; i++) arena[workspace.flippedHead + i * rowStride + token] = arena[from + i]!;
    }
  }
  if (shape.positions === "learned") return;
  const { scaling, theta } = shape.positions;
  arena.set(rotaryTable(workspace.maxRows, shape.headSize, theta, scaling), workspace.rotary);
}

/**
 * Reads tokens at the positions from `first` on: after it, the workspace has each layer's numbers and the normed
 * output. Positions before `first` must have been read by earlier calls; for training `first` is 0.
 *
 * @throws RollupError MOD_INPUT_INVALID for a token that is not in the vocabulary, or more than fit
 */
export function readTokens(model: Transformer, tokens: readonly number[], first = 0): void {
  embedTokens(model, tokens, first);
  readLayers(model, tokens.length, first);
}

/** The first part of `readTokens`, which depends on the tokens. @throws RollupError MOD_INPUT_INVALID */
export function embedTokens(model: Transformer, tokens: readonly number[], first = 0): void {
  const { kernels, layout, parameters, shape, workspace } = model;
  checkTokens(model, tokens, first);
  const rows = tokens.length;
  const { width } = shape;
  const start = workspace.layers[0]?.input ?? workspace.lastInput;
  for (const [t, token] of tokens.entries()) {
    readEmbedding(model, token, start + t * width);
  }
  if (layout.positions !== NONE)
    kernels.add(rows * width, start, parameters + layout.positions + first * width);
}

/** The second part of `readTokens`, for as many rows as were embedded. */
export function readLayers(model: Transformer, rows: number, first = 0): void {
  const { layout, workspace } = model;
  for (const [layer, buffers] of workspace.layers.entries()) {
    const next = workspace.layers[layer + 1]?.input ?? workspace.lastInput;
    readLayer(model, layer, buffers, rows, first, next);
  }
  normalise(model, layout.last, rows, workspace.lastInput, workspace.lastNormed, workspace.lastStats);
}

/** A token's row of the embedding. */
export function readEmbedding(
  { kernels, layout, parameters, shape }: Pick<Transformer, "kernels" | "layout" | "parameters" | "shape">,
  token: number,
  to: Place,
): void {
  const { vocabularySize: outputs, width: inputs } = shape;
  const weights = parameters + layout.embedding;
  if (layout.weights === "int8") kernels.blocks.unpack({ inputs, outputs, weights }, token, 1, to);
  else kernels.copy(inputs, to, weights + token * inputs);
}

function checkTokens({ shape, workspace }: Transformer, tokens: readonly number[], first: number): void {
  const end = first + tokens.length;
  const max = Math.min(workspace.maxRows, shape.maxPositions);
  if (tokens.length === 0 || end > max) {
    throw modelError("MOD_INPUT_INVALID", `${end} tokens: there must be 1 to ${max}`, {
      data: { field: "tokens", count: end, max },
    });
  }
  const wrong = tokens.findIndex(
    (token) => !Number.isInteger(token) || token < 0 || token >= shape.vocabularySize,
  );
  if (wrong >= 0) {
    throw modelError("MOD_INPUT_INVALID", `token ${tokens[wrong]} is not in the model's vocabulary`, {
      data: { field: "tokens", index: wrong },
    });
  }
}

export function linearAdapter(model: Transformer, layer: number, linear: LinearName): LinearAdapter | null {
  const { adapter, workspace } = model;
  if (adapter === null) return null;
  return adapterOn(adapter.layout, adapter.at, workspace.layers[layer]!.low, workspace.plain, layer, linear);
}

function normalise(model: Transformer, norm: NormOffsets, rows: number, x: Place, y: Place, stats: Place) {
  const { kernels, parameters, shape } = model;
  const bias = norm.bias === NONE ? NONE : parameters + norm.bias;
  const isCentred = shape.norm === "layer";
  kernels.normalise(rows, shape.width, x, parameters + norm.weight, bias, y, stats, shape.epsilon, isCentred);
}

function readLayer(
  model: Transformer,
  layer: number,
  buffers: LayerBuffers,
  rows: number,
  first: number,
  next: Place,
): void {
  const { kernels, layout, parameters, shape } = model;
  const { width } = shape;
  const { before, between, linears } = layout.layers[layer]!;
  const apply = (name: LinearName, x: Place, out: Place, accumulate: boolean) =>
    applyLinear(
      kernels,
      parameters,
      model.workspace.quantised,
      linears[name]!,
      linearAdapter(model, layer, name),
      rows,
      x,
      out,
      accumulate,
    );
  normalise(model, before, rows, buffers.input, buffers.normed, buffers.beforeStats);
  apply("qkv", buffers.normed, buffers.qkv + first * qkvWidth(shape), false);
  attend(model, layer, buffers, rows, first);
  kernels.copy(rows * width, buffers.middle, buffers.input);
  apply("output", buffers.attended, buffers.middle, true);
  normalise(model, between, rows, buffers.middle, buffers.middleNormed, buffers.betweenStats);
  apply("up", buffers.middleNormed, buffers.up, false);
  const count = rows * shape.innerWidth;
  if (shape.activation === "gated") {
    apply("gate", buffers.middleNormed, buffers.gate, false);
    kernels.gate(count, buffers.gate, buffers.up, buffers.inner);
  } else {
    kernels.gelu(count, buffers.up, buffers.inner);
  }
  kernels.copy(rows * width, next, buffers.middle);
  apply("down", buffers.inner, next, true);
}

function attend(model: Transformer, layer: number, buffers: LayerBuffers, rows: number, first: number): void {
  const { kernels, shape, workspace } = model;
  const { headCount, headSize, keyHeadCount } = shape;
  const stride = qkvWidth(shape);
  const own = buffers.qkv + first * stride;
  const heads = headCount + keyHeadCount;
  if (shape.hasHeadNorms) normaliseHeads(model, layer, buffers, rows, own);
  if (workspace.rotary !== NONE)
    kernels.rotate(rows, heads, headSize, own, stride, workspace.rotary + first * headSize, 1);
  const seen = first + rows;
  const rowStride = roundUp16(seen);
  const perKey = headCount / keyHeadCount;
  for (let head = 0; head < headCount; head++) {
    const keyHead = Math.floor(head / perKey);
    const key = buffers.qkv + (headCount + keyHead) * headSize;
    const value = key + keyHeadCount * headSize;
    const scores = buffers.attention + head * rows * rowStride;
    const keys = { at: key, rowStride: 1, columnStride: stride };
    for (const { count, from } of rowBlocks(rows)) {
      const queries = { at: own + from * stride + head * headSize, rowStride: stride, columnStride: 1 };
      const to = scores + from * rowStride;
      kernels.multiply(count, first + from + count, headSize, queries, keys, to, rowStride, false);
    }
    kernels.softmax(rows, scores, rowStride, first, Math.fround(1 / Math.sqrt(headSize)));
    const values = { at: value, rowStride: stride, columnStride: 1 };
    for (const { count, from } of rowBlocks(rows)) {
      const weights = { at: scores + from * rowStride, rowStride, columnStride: 1 };
      const out = buffers.attended + (from * headCount + head) * headSize;
      kernels.multiply(
        count,
        headSize,
        first + from + count,
        weights,
        values,
        out,
        headCount * headSize,
        false,
      );
    }
  }
}

const BLOCK_ROWS = 32;

/**
 * Parts of a step's rows. A row attends to none of the later ones, whose weights are 0: products of a part leave them out, and add
 * up to the same bytes.
 */
export function rowBlocks(rows: number): { from: number; count: number }[] {
  return Array.from({ length: Math.ceil(rows / BLOCK_ROWS) }, (_, i) => {
    return { from: i * BLOCK_ROWS, count: Math.min(BLOCK_ROWS, rows - i * BLOCK_ROWS) };
  });
}

/** Normalises the heads of each row. The heads of queries lie side by side, then those of keys. */
function normaliseHeads(
  { kernels, layout, parameters, shape }: Transformer,
  layer: number,
  buffers: LayerBuffers,
  rows: number,
  own: Place,
): void {
  const { epsilon, headCount, headSize, keyHeadCount } = shape;
  const { keyNorm, queryNorm } = layout.layers[layer]!;
  const heads = headCount + keyHeadCount;
  for (let t = 0; t < rows; t++) {
    const row = own + t * qkvWidth(shape);
    const raw = buffers.rawHeads + t * heads * headSize;
    const stats = buffers.headStats + 2 * t * heads;
    kernels.copy(heads * headSize, raw, row);
    const keysFrom = headCount * headSize;
    kernels.normalise(headCount, headSize, raw, parameters + queryNorm, NONE, row, stats, epsilon, false);
    kernels.normalise(
      keyHeadCount,
      headSize,
      raw + keysFrom,
      parameters + keyNorm,
      NONE,
      row + keysFrom,
      stats + 2 * headCount,
      epsilon,
      false,
    );
  }
}

/** Logits of `count` rows that were read last, from row `from` of that call on: count × roundUp16(vocabularySize). */
export function computeLogits(model: Transformer, from: number, count: number): Float32Array {
  const { kernels, shape, workspace } = model;
  placeLogits(model, from, count);
  const end = workspace.logits + count * roundUp16(shape.vocabularySize);
  return kernels.arena.subarray(workspace.logits, end);
}

/** The same, into the workspace. */
export function placeLogits(model: Transformer, from: number, count: number): void {
  const { kernels, layout, parameters, shape, workspace } = model;
  const { vocabularySize, width } = shape;
  const rowStride = roundUp16(vocabularySize);
  const rows = { at: workspace.lastNormed + from * width, rowStride: width, columnStride: 1 };
  // For one row it would cost more to flip the head than to multiply by it.
  const head =
    workspace.flippedHead === NONE
      ? { at: parameters + layout.head, rowStride: 1, columnStride: width }
      : { at: workspace.flippedHead, rowStride, columnStride: 1 };
  if (count > workspace.logitRows) throw new RangeError("more logits than the workspace has room for");
  if (workspace.quantised !== NONE) {
    const map = { inputs: width, outputs: vocabularySize, weights: parameters + layout.head };
    multiplyByBlocks(kernels, map, count, rows.at, workspace.quantised, workspace.logits, false);
    return;
  }
  kernels.multiply(count, vocabularySize, width, rows, head, workspace.logits, rowStride, false);
}
