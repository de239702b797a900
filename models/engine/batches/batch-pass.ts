/**
 * Computes one pass of a batch, the requests that are answered together: their rows go through all layers. Products with the
 * base are made once for all rows; each row has its own adapter, position and pages. No row's numbers depend on the other rows,
 * so a request has the same tokens alone and in any batch, and those of models/engine/architecture/transformer.ts.
 * batch-loop.ts makes one pass a step.
 */

import { type PageLayout, pageLayout, pagesOfRank, RANKS_PER_PAGE } from "../adapters/adapter-pages.ts";
import type { ResidentAdapter } from "../adapters/adapter-pool.ts";
import type { AdapterTarget } from "../architecture/adapter-layout.ts";
import {
  addChange,
  applyLinear as applyMap,
  multiplyByBlocks,
  multiplyByMap,
} from "../architecture/linear-map.ts";
import type { LinearName, LinearOffsets, NormOffsets } from "../architecture/model-shape.ts";
import { qkvWidth } from "../architecture/model-shape.ts";
import { repeatCalls } from "../architecture/repeated-calls.ts";
import { readEmbedding } from "../architecture/transformer.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import type { BatchModel } from "./batch-model.ts";

export interface BatchRow {
  readonly token: number;
  readonly slot: number;
  readonly position: number;
  readonly adapter: ResidentAdapter | null;
}

/** Rows whose adapters have the same targets: their entries lie one after the other. */
interface AdapterGroup {
  /** Names of the targets, which give the layout. */
  readonly targets: string;
  readonly layout: PageLayout;
  readonly entries: Place;
  readonly count: number;
  /** Rows whose adapters have DoRA. */
  readonly doraRows: readonly DoraRow[];
}

interface DoraRow {
  readonly row: number;
  readonly changes: Place;
}

/** Numbers of the pages of a slot, before its first pass. */
export function seatSlot({ buffers, kernels, kv }: BatchModel, slot: number, pages: readonly number[]): void {
  words(kernels.arena, buffers.pages + slot * kv.maxPages, kv.maxPages).set(pages);
}

/** Fills the buffers with the rows' normed output. At most `maxRows` rows; a request's in order of position. */
export function passRows(
  model: BatchModel,
  rows: readonly BatchRow[],
  groups: readonly AdapterGroup[],
): void {
  const { buffers, kernels, layout, parameters, shape } = model;
  const { arena } = kernels;
  const { width } = shape;
  const count = rows.length;
  const seats = words(arena, buffers.seats, 2 * count);
  const table = model.rotary === NONE ? parameters + layout.positions : model.rotary;
  const turn = model.rotary === NONE ? width : shape.headSize;
  for (const [t, { position, slot, token }] of rows.entries()) {
    readEmbedding(model, token, buffers.input + t * width);
    seats[2 * t] = slot;
    seats[2 * t + 1] = position;
    arena.copyWithin(buffers.turns + t * turn, table + position * turn, table + (position + 1) * turn);
  }
  // DoRA copies rows between its kernels.
  if (groups.some(({ doraRows }) => doraRows.length > 0)) passLayers(model, count, groups);
  else repeatCalls(model, passName(count, groups), (own) => passLayers(own, count, groups));
}

const passName = (rows: number, groups: readonly AdapterGroup[]) =>
  [`pass ${rows}`, ...groups.map(({ count, entries, targets }) => `${targets} ${entries} ${count}`)].join();

function passLayers(model: BatchModel, rows: number, groups: readonly AdapterGroup[]): void {
  const { buffers, kernels, layout, shape } = model;
  if (model.rotary === NONE) kernels.add(rows * shape.width, buffers.input, buffers.turns);
  for (let layer = 0; layer < shape.layerCount; layer++) passLayer(model, layer, rows, groups);
  normalise(model, layout.last, rows);
}

/** Tables of the rows' adapters: sorted by place, so that each is read from memory once. */
export function groupAdapters(
  model: BatchModel,
  rows: readonly BatchRow[],
  layouts: Map<string, PageLayout>,
): AdapterGroup[] {
  const { buffers, kernels, shape } = model;
  const byTargets = new Map<string, { row: number; adapter: ResidentAdapter }[]>();
  for (const [row, { adapter }] of rows.entries()) {
    if (adapter === null) continue;
    const targets = adapter.targets.join();
    const group = byTargets.get(targets);
    if (group === undefined) byTargets.set(targets, [{ row, adapter }]);
    else group.push({ row, adapter });
  }
  let next = 0;
  const { arena } = kernels;
  const table = words(arena, buffers.entries, 4 * buffers.maxEntries);
  return Array.from(byTargets, ([targets, group]) => {
    let layout = layouts.get(targets);
    if (layout === undefined) {
      layout = pageLayout(shape, group[0]!.adapter.targets as AdapterTarget[]);
      layouts.set(targets, layout);
    }
    group.sort((a, b) => a.adapter.at - b.adapter.at || a.row - b.row);
    const first = next;
    for (const { adapter, row } of group) {
      for (let page = 0; page < pagesOfRank(adapter.rank); page++) {
        const ranks = Math.min(RANKS_PER_PAGE, adapter.rank - page * RANKS_PER_PAGE);
        table[4 * next] = row;
        table[4 * next + 1] = (adapter.at + page * adapter.pageFloats) / 16;
        table[4 * next + 2] = ranks + (adapter.isHalf ? 16 : 0);
        arena[buffers.entries + 4 * next + 3] = adapter.factor;
        next += 1;
      }
    }
    const doraRows = group
      .map(({ adapter, row }) => ({ row, changes: adapter.changes }))
      .filter(({ changes }) => changes !== NONE);
    return { targets, layout, entries: buffers.entries + 4 * first, count: next - first, doraRows };
  });
}

/** Logits of some of the rows of the last pass, roundUp16(vocabularySize) each. At most as many as there are slots. */
export function logitsOf(model: BatchModel, rows: readonly number[]): Float32Array {
  const { buffers, kernels, layout, parameters, shape } = model;
  const { vocabularySize, width } = shape;
  const stride = roundUp16(vocabularySize);
  for (const [i, row] of rows.entries()) {
    const from = buffers.normed + row * width;
    kernels.arena.copyWithin(buffers.picked + i * width, from, from + width);
  }
  const picked = { at: buffers.picked, rowStride: width, columnStride: 1 };
  const weights = parameters + layout.head;
  const head = { at: weights, rowStride: 1, columnStride: width };
  const map = { inputs: width, outputs: vocabularySize, weights };
  if (buffers.quantised === NONE)
    kernels.multiply(rows.length, vocabularySize, width, picked, head, buffers.logits, stride, false);
  else multiplyByBlocks(kernels, map, rows.length, picked.at, buffers.quantised, buffers.logits, false);
  return kernels.arena.subarray(buffers.logits, buffers.logits + rows.length * stride);
}

function passLayer(model: BatchModel, layer: number, rows: number, groups: readonly AdapterGroup[]): void {
  const { buffers, kernels, layout, shape } = model;
  const { before, between } = layout.layers[layer]!;
  const apply = (name: LinearName, x: Place, out: Place, accumulate: boolean) =>
    applyLinear(model, layer, name, { rows, x, out, accumulate, groups });
  normalise(model, before, rows);
  apply("qkv", buffers.normed, buffers.qkv, false);
  attend(model, layer, rows);
  apply("output", buffers.attended, buffers.input, true);
  normalise(model, between, rows);
  apply("up", buffers.normed, buffers.up, false);
  const count = rows * shape.innerWidth;
  if (shape.activation === "gated") {
    apply("gate", buffers.normed, buffers.gate, false);
    kernels.gate(count, buffers.gate, buffers.up, buffers.inner);
  } else {
    kernels.gelu(count, buffers.up, buffers.inner);
  }
  apply("down", buffers.inner, buffers.input, true);
}

interface LinearCall {
  readonly rows: number;
  readonly x: Place;
  readonly out: Place;
  readonly accumulate: boolean;
  readonly groups: readonly AdapterGroup[];
}

function applyLinear(model: BatchModel, layer: number, name: LinearName, call: LinearCall): void {
  const { buffers, kernels, layout, parameters } = model;
  const { accumulate, groups, out, rows, x } = call;
  const map = layout.layers[layer]!.linears[name]!;
  const { inputs, outputs } = map;
  applyMap(kernels, parameters, buffers.quantised, map, null, rows, x, out, accumulate);
  for (const { count, doraRows, entries, layout: pages } of groups) {
    const parts = pages.parts.filter((part) => part.layer === layer && part.linear === name);
    if (parts.length > 0 && doraRows.length > 0) addChanges(model, map, parts, doraRows, x, out);
    for (const part of parts)
      kernels.applyAdapters({
        count,
        entries,
        rows,
        inputs,
        x,
        xStride: inputs,
        outputs: part.outputs,
        y: out + part.firstOutput,
        yStride: outputs,
        a: part.a,
        b: part.b,
      });
  }
}

/** Rows with DoRA: the map's own results once more, side by side, of which a part is added to each output. */
function addChanges(
  { buffers, kernels, parameters }: BatchModel,
  map: LinearOffsets,
  parts: PageLayout["parts"],
  doraRows: readonly DoraRow[],
  x: Place,
  out: Place,
): void {
  const { doraInput, doraOutput, quantised } = buffers;
  const { inputs, outputs } = map;
  for (const [i, { row }] of doraRows.entries())
    kernels.arena.copyWithin(doraInput + i * inputs, x + row * inputs, x + (row + 1) * inputs);
  multiplyByMap(kernels, parameters, quantised, map, doraRows.length, doraInput, doraOutput, false);
  for (const [i, { changes, row }] of doraRows.entries())
    for (const { change, firstOutput, outputs: count } of parts) {
      const plain = doraOutput + i * outputs + firstOutput;
      addChange(kernels.arena, out + row * outputs + firstOutput, changes + change, plain, count);
    }
}

function normalise(
  { buffers, kernels, parameters, shape }: BatchModel,
  norm: NormOffsets,
  rows: number,
): void {
  const bias = norm.bias === NONE ? NONE : parameters + norm.bias;
  const isCentred = shape.norm === "layer";
  const weight = parameters + norm.weight;
  const { input, normed, stats } = buffers;
  kernels.normalise(rows, shape.width, input, weight, bias, normed, stats, shape.epsilon, isCentred);
}

function attend(model: BatchModel, layer: number, rows: number): void {
  const { buffers, kernels, kv, shape } = model;
  const { headCount, headSize, keyHeadCount } = shape;
  const stride = qkvWidth(shape);
  if (shape.hasHeadNorms) normaliseHeads(model, layer, rows);
  if (model.rotary !== NONE)
    kernels.rotate(rows, headCount + keyHeadCount, headSize, buffers.qkv, stride, buffers.turns, 1);
  kernels.attendPages({
    rows,
    seats: buffers.seats,
    pages: buffers.pages,
    slotCount: buffers.slotCount,
    maxPages: kv.maxPages,
    headCount,
    keyHeadCount,
    headSize,
    qkv: buffers.qkv,
    qkvStride: stride,
    kv: kv.at + layer * kv.layerFloats,
    pageCount: kv.pageCount,
    pageFloats: kv.pageFloats,
    out: buffers.attended,
    scores: buffers.scores,
    scale: Math.fround(1 / Math.sqrt(headSize)),
  });
}

function normaliseHeads(
  { buffers, kernels, layout, parameters, shape }: BatchModel,
  layer: number,
  rows: number,
) {
  const { epsilon, headCount, headSize, keyHeadCount } = shape;
  const { keyNorm, queryNorm } = layout.layers[layer]!;
  const { stats } = buffers;
  const keysFrom = headCount * headSize;
  for (let t = 0; t < rows; t++) {
    const row = buffers.qkv + t * qkvWidth(shape);
    const keys = row + keysFrom;
    kernels.normalise(headCount, headSize, row, parameters + queryNorm, NONE, row, stats, epsilon, false);
    kernels.normalise(keyHeadCount, headSize, keys, parameters + keyNorm, NONE, keys, stats, epsilon, false);
  }
}

function words(arena: Float32Array, at: Place, count: number): Uint32Array {
  return new Uint32Array(arena.buffer, arena.byteOffset + 4 * at, count);
}
