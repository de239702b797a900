/**
 * Cross-entropy of a row of tokens, in nats a token, and its gradient by a pass back through the layers of transformer.ts.
 * Tuning and training call it for each row; it adds the gradients to blocks of the layouts of adapters or parameters.
 */
import { modelError } from "../../model-errors.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import { type GradientBlocks, linearBack } from "./linear-map.ts";
import { type LinearName, type NormOffsets, qkvWidth } from "./model-shape.ts";
import { repeatCalls } from "./repeated-calls.ts";
import {
  embedTokens,
  linearAdapter,
  placeLogits,
  readLayers,
  rowBlocks,
  type Transformer,
} from "./transformer.ts";
import type { BackBuffers } from "./workspace.ts";

/** One row of text: the tokens read, and the target after each. */
export interface TokenRow {
  readonly tokens: readonly number[];
  /** Target after each token; −1 for none, as in a prompt. */
  readonly targets: readonly number[];
  /** Weight of a target's loss in the gradient; absent: one part of all, so that the gradient is the mean's. */
  readonly weight?: number;
}

/**
 * The mean loss over the row's targets, in nats. Its gradients are added to the blocks that `into` names.
 *
 * @throws RollupError MOD_INPUT_INVALID for tokens or targets out of range, or a row without a target
 */
export function rowLoss(model: Transformer, row: TokenRow, into: GradientBlocks | null): number {
  return meanLoss(row, placeLosses(model, row, into));
}

/** The loss of each of the row's targets, in nats. @throws RollupError MOD_INPUT_INVALID as of `rowLoss` */
export function targetLosses(model: Transformer, row: TokenRow): number[] {
  const losses = placeLosses(model, row, null);
  return row.targets.flatMap((target, t) => (target < 0 ? [] : [losses[t]!]));
}

/** Computes the losses of a row's tokens, 0 where there is no target, in the workspace. */
function placeLosses(model: Transformer, row: TokenRow, into: GradientBlocks | null): Float32Array {
  const { kernels, shape, workspace } = model;
  const rows = row.tokens.length;
  checkTargets(row, shape.vocabularySize);
  embedTokens(model, row.tokens);
  repeatCalls(model, `read ${rows}`, (own) => {
    readLayers(own, rows);
    placeLogits(own, 0, rows);
  });
  kernels.write(workspace.targets, row.targets);
  const rowStride = roundUp16(shape.vocabularySize);
  const weight = Math.fround(row.weight ?? 1 / wantedOf(row));
  kernels.crossEntropy(
    rows,
    shape.vocabularySize,
    rowStride,
    workspace.logits,
    workspace.targets,
    workspace.losses,
    weight,
  );
  if (into !== null) goBack(model, row.tokens, into);
  const { losses } = workspace;
  return kernels.arena.subarray(losses, losses + rows);
}

function meanLoss(row: TokenRow, losses: Float32Array): number {
  return losses.reduce((sum, value) => sum + value, 0) / wantedOf(row);
}

/** Tokens that have a loss. */
export const wantedOf = ({ targets }: Pick<TokenRow, "targets">): number =>
  targets.filter((target) => target >= 0).length;

function checkTargets(row: TokenRow, vocabularySize: number): void {
  const { targets, tokens } = row;
  const isOne = (target: number) => Number.isInteger(target) && target >= -1 && target < vocabularySize;
  const targetCount = wantedOf(row);
  if (targets.length !== tokens.length || targetCount === 0 || !targets.every(isOne)) {
    throw modelError(
      "MOD_INPUT_INVALID",
      "a row needs one target for each token, and at least one that counts",
      {
        data: { field: "targets", tokens: tokens.length, targets: targets.length, wanted: targetCount },
      },
    );
  }
}

interface Pass {
  readonly model: Transformer;
  readonly back: BackBuffers;
  readonly rows: number;
  readonly into: GradientBlocks;
}

/** Passes back from the logits' gradient to what is tuned. */
function goBack(model: Transformer, tokens: readonly number[], into: GradientBlocks): void {
  const { kernels, layout, shape, workspace } = model;
  const { width } = shape;
  const rows = tokens.length;
  repeatCalls(model, `back ${rows} ${into.parameters} ${into.adapter}`, (own) => layersBack(own, rows, into));
  if (into.parameters === NONE) return;
  const { dx } = workspace.back!;
  for (const [t, token] of tokens.entries())
    kernels.add(width, into.parameters + layout.embedding + token * width, dx + t * width);
  if (layout.positions !== NONE) kernels.add(rows * width, into.parameters + layout.positions, dx);
}

function layersBack(model: Transformer, rows: number, into: GradientBlocks): void {
  const { kernels, layout, parameters, shape, workspace } = model;
  const { back } = workspace;
  if (back === null) throw new RangeError("the workspace has no buffers for the pass back");
  const { vocabularySize, width } = shape;
  const pass = { model, back, rows, into };
  const rowStride = roundUp16(vocabularySize);
  const slope = { at: workspace.logits, rowStride, columnStride: 1 };
  const weights = parameters + layout.head;
  const head = { at: weights, rowStride: width, columnStride: 1 };
  if (layout.weights === "float32")
    kernels.multiply(rows, width, vocabularySize, slope, head, back.dNormed, width, false);
  else
    kernels.blocks.multiplyBack({
      ...{ inputs: width, outputs: vocabularySize, weights },
      ...{ rows, dy: slope.at, dyStride: rowStride, dx: back.dNormed, accumulate: false },
    });
  if (into.parameters !== NONE) {
    const flipped = { at: slope.at, rowStride: 1, columnStride: rowStride };
    const normed = { at: workspace.lastNormed, rowStride: width, columnStride: 1 };
    const dHead = into.parameters + layout.head;
    kernels.multiply(vocabularySize, width, rows, flipped, normed, dHead, width, true);
  }
  kernels.clear(rows * width, back.dx);
  normaliseBack(pass, layout.last, workspace.lastInput, workspace.lastStats);
  for (let layer = shape.layerCount - 1; layer >= 0; layer--) layerBack(pass, layer);
}

/** Adds the gradient of dNormed's norm to dx. */
function normaliseBack({ back, into, model, rows }: Pass, norm: NormOffsets, x: Place, stats: Place): void {
  const { kernels, parameters, shape } = model;
  const offset = (at: Place) => (into.parameters === NONE || at === NONE ? NONE : into.parameters + at);
  kernels.normaliseBack(
    rows,
    shape.width,
    x,
    parameters + norm.weight,
    stats,
    back.dNormed,
    back.dx,
    offset(norm.weight),
    offset(norm.bias),
    shape.norm === "layer",
  );
}

function layerBack(pass: Pass, layer: number): void {
  const { back, into, model, rows } = pass;
  const { kernels, layout, parameters, shape, workspace } = model;
  const buffers = workspace.layers[layer]!;
  const { before, between, linears } = layout.layers[layer]!;
  const turnBack = (name: LinearName, x: Place, dOut: Place, dx: Place, accumulate = false) =>
    linearBack(
      kernels,
      parameters,
      layout.weights,
      linears[name]!,
      linearAdapter(model, layer, name),
      rows,
      x,
      dOut,
      dx,
      accumulate,
      back.dLow,
      into,
    );
  const count = rows * shape.innerWidth;
  turnBack("down", buffers.inner, back.dx, back.dUp);
  if (shape.activation === "gated") {
    kernels.gateBack(count, buffers.gate, buffers.up, back.dUp, back.dGate, back.dUp);
    turnBack("up", buffers.middleNormed, back.dUp, back.dNormed);
    turnBack("gate", buffers.middleNormed, back.dGate, back.dNormed, true);
  } else {
    kernels.geluBack(count, buffers.up, back.dUp, back.dUp);
    turnBack("up", buffers.middleNormed, back.dUp, back.dNormed);
  }
  normaliseBack(pass, between, buffers.middle, buffers.betweenStats);
  turnBack("output", buffers.attended, back.dx, back.dWide);
  attentionBack(pass, layer);
  // Below the first layer there is nothing but the embedding, which adapters do not touch.
  const isLast = layer === 0 && into.parameters === NONE;
  turnBack("qkv", buffers.normed, back.dQkv, isLast ? NONE : back.dNormed);
  if (!isLast) normaliseBack(pass, before, buffers.input, buffers.beforeStats);
}

/** dWide, the gradient of what was attended, becomes dQkv. */
function attentionBack(pass: Pass, layer: number): void {
  const { back, model, rows } = pass;
  const { kernels, shape, workspace } = model;
  const { headCount, headSize, keyHeadCount } = shape;
  const buffers = workspace.layers[layer]!;
  const stride = qkvWidth(shape);
  const attendedStride = headCount * headSize;
  const rowStride = roundUp16(rows);
  const scale = Math.fround(1 / Math.sqrt(headSize));
  const perKey = headCount / keyHeadCount;
  for (let head = 0; head < headCount; head++) {
    const keyHead = Math.floor(head / perKey);
    // The first head of a group overwrites the key's and value's gradient, the others add.
    const adds = head % perKey !== 0;
    const queryColumn = head * headSize;
    const keyColumn = (headCount + keyHead) * headSize;
    const valueColumn = keyColumn + keyHeadCount * headSize;
    const weights = buffers.attention + head * rows * rowStride;
    const slopes = back.dAttention;
    const flippedValues = { at: buffers.qkv + valueColumn, rowStride: 1, columnStride: stride };
    const keys = { at: buffers.qkv + keyColumn, rowStride: stride, columnStride: 1 };
    for (const { count, from } of rowBlocks(rows)) {
      const [dOut, to] = [back.dWide + from * attendedStride + queryColumn, slopes + from * rowStride];
      const own = { at: dOut, rowStride: attendedStride, columnStride: 1 };
      kernels.multiply(count, from + count, headSize, own, flippedValues, to, rowStride, false);
      const seen = { at: weights + from * rowStride + from, rowStride: 1, columnStride: rowStride };
      const dValue = back.dQkv + from * stride + valueColumn;
      kernels.multiply(count, headSize, rows - from, seen, own, dValue, stride, adds);
    }
    kernels.softmaxBack(rows, weights, slopes, rowStride, 0, scale);
    for (const { count, from } of rowBlocks(rows)) {
      const own = { at: slopes + from * rowStride, rowStride, columnStride: 1 };
      const dRow = back.dQkv + from * stride;
      kernels.multiply(count, headSize, from + count, own, keys, dRow + queryColumn, stride, false);
      const seen = { at: own.at + from, rowStride: 1, columnStride: rowStride };
      const queries = { at: buffers.qkv + from * stride + queryColumn, rowStride: stride, columnStride: 1 };
      kernels.multiply(count, headSize, rows - from, seen, queries, dRow + keyColumn, stride, adds);
    }
  }
  const heads = headCount + keyHeadCount;
  if (workspace.rotary !== NONE)
    kernels.rotate(rows, heads, headSize, back.dQkv, stride, workspace.rotary, -1);
  if (shape.hasHeadNorms) headNormsBack(pass, layer);
}

function headNormsBack({ back, into, model, rows }: Pass, layer: number): void {
  const { kernels, layout, parameters, shape, workspace } = model;
  const { headCount, headSize, keyHeadCount } = shape;
  const { headStats, rawHeads } = workspace.layers[layer]!;
  const { keyNorm, queryNorm } = layout.layers[layer]!;
  const heads = headCount + keyHeadCount;
  const width = heads * headSize;
  const offset = (at: Place) => (into.parameters === NONE ? NONE : into.parameters + at);
  kernels.clear(rows * width, back.dRaw);
  for (let t = 0; t < rows; t++) {
    const slope = back.dQkv + t * qkvWidth(shape);
    const dRaw = back.dRaw + t * width;
    for (const [norm, from, count] of [
      [queryNorm, 0, headCount],
      [keyNorm, headCount, keyHeadCount],
    ] as const) {
      const column = from * headSize;
      kernels.normaliseBack(
        count,
        headSize,
        rawHeads + t * width + column,
        parameters + norm,
        headStats + 2 * (t * heads + from),
        slope + column,
        dRaw + column,
        offset(norm),
        NONE,
        false,
      );
    }
    kernels.copy(width, slope, dRaw);
  }
}

/** Rows of `length` tokens, one after another; what is left of the tokens at the end is one row more if it has two. */
export function textRows(tokens: readonly number[], length: number): TokenRow[] {
  const rows: TokenRow[] = [];
  for (let at = 0; at + 1 < tokens.length; at += length) {
    const end = Math.min(at + length, tokens.length - 1);
    rows.push({ tokens: tokens.slice(at, end), targets: tokens.slice(at + 1, end + 1) });
  }
  return rows;
}

/** A prompt and its answer: only the answer's tokens count. */
export function answerRow(prompt: readonly number[], answer: readonly number[]): TokenRow {
  const all = [...prompt, ...answer];
  return {
    tokens: all.slice(0, -1),
    targets: all.slice(1).map((token, t) => (t + 1 < prompt.length ? -1 : token)),
  };
}
