/**
 * BERT's encoder: loads it into an arena, and reads a text's tokens to their last states. Each position attends to all; norms stand
 * behind the sums (Devlin and others, 2018). The same bytes by all kernels: its gelu is that of the error function, which goes by
 * `exactErf`. sentence-encoder.ts makes vectors of the states.
 */
import { modelError } from "../../model-errors.ts";
import { applyLinear } from "../architecture/linear-map.ts";
import type { LinearOffsets, NormOffsets } from "../architecture/model-shape.ts";
import type { ByteSource, FileSource } from "../files/byte-source.ts";
import { copyTensor, openShards, type Weights } from "../files/open-shards.ts";
import type { TensorTarget } from "../files/tensor-targets.ts";
import { createKernels, type KernelChoice } from "../kernels/create-kernels.ts";
import { type Kernels, NONE, type Place } from "../kernels/kernels.ts";
import { ArenaPlan, roundUp16 } from "../tensors/arena-plan.ts";
import { exactErf } from "../tensors/exact-erf.ts";
import {
  BERT_PREFIXES,
  BERT_UNUSED,
  type BertLayout,
  type BertShape,
  bertLayout,
  bertTargets,
} from "./bert-shape.ts";

/** Reads tokens to their last states: tokens × width numbers, which the next call writes over. */
export type ReadStates = (tokens: readonly number[]) => Float32Array;

interface BertModel {
  readonly kernels: Kernels;
  readonly shape: BertShape;
  readonly layout: BertLayout;
  readonly parameters: Place;
  readonly buffers: BertBuffers;
}

interface BertBuffers {
  /** A layer's input, and its result: rows × width. */
  readonly state: Place;
  readonly sum: Place;
  readonly middle: Place;
  readonly stats: Place;
  readonly qkv: Place;
  readonly attended: Place;
  /** Attention of one head: rows × roundUp16(rows). */
  readonly scores: Place;
  readonly up: Place;
}

/**
 * Reads the weights into an arena with room for texts of `maxTokens`.
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE
 */
export async function loadBert(
  source: FileSource,
  shape: BertShape,
  { kernels: choice, maxTokens }: { readonly kernels: KernelChoice; readonly maxTokens: number },
): Promise<ReadStates> {
  const opened: ByteSource[] = [];
  try {
    const weights = await openShards(source, opened);
    // Layers are laid out only once the file has as many tensors, so that a false count costs nothing.
    if (weights.entries.size < shape.layerCount) throw missing(`of ${shape.layerCount} layers`);
    const layout = bertLayout(shape);
    const pairs = bertTargets(shape, layout).map((target) => ({ target, entry: entryOf(weights, target) }));
    requireUsed(weights, new Set(pairs.map(({ entry }) => entry)));
    const plan = new ArenaPlan();
    const parameters = plan.take(layout.floatCount);
    const buffers = planBuffers(plan, shape, maxTokens);
    const { kernels } = createKernels(choice, plan.floatCount);
    for (const { entry, target } of pairs) await copyTensor(entry, target, kernels.arena, parameters);
    const model = { kernels, shape, layout, parameters, buffers };
    return (tokens) => readStates(model, tokens);
  } finally {
    for (const file of opened) await file.close();
  }
}

function entryOf({ entries }: Weights, { name, shape }: TensorTarget) {
  const entry = BERT_PREFIXES.map((prefix) => entries.get(prefix + name)).find((one) => one !== undefined);
  if (entry === undefined || entry.shape.join() !== shape.join()) throw missing(name, shape, entry?.shape);
  return entry;
}

/** A tensor that nothing takes would be left out of the arithmetic, in silence. @throws RollupError MOD_FILE_INVALID */
function requireUsed({ entries, others }: Weights, used: ReadonlySet<unknown>): void {
  const left = [...entries].filter(([, entry]) => !used.has(entry)).map(([name]) => name);
  const name = [...left, ...others.keys()].find((one) => !BERT_UNUSED.test(one));
  if (name !== undefined)
    throw modelError("MOD_FILE_INVALID", `the weights have a tensor ${name}, which no part of BERT takes`, {
      data: { reason: "tensor-unused", name },
    });
}

const missing = (name: string, wanted: unknown = null, found: unknown = null) =>
  modelError("MOD_FILE_INVALID", `the weights have no tensor ${name} of BERT's shape and a float type`, {
    data: { reason: "tensor-missing", name, wanted, found },
  });

function planBuffers(plan: ArenaPlan, { innerWidth, width }: BertShape, maxTokens: number): BertBuffers {
  const rows = (columns: number) => plan.take(maxTokens * columns);
  return {
    state: rows(width),
    sum: rows(width),
    middle: rows(width),
    stats: rows(2),
    qkv: rows(3 * width),
    attended: rows(width),
    scores: rows(roundUp16(maxTokens)),
    up: rows(innerWidth),
  };
}

function readStates(model: BertModel, tokens: readonly number[]): Float32Array {
  const { buffers, kernels, layout, parameters, shape } = model;
  const { width } = shape;
  const rows = tokens.length;
  const { middle, state, sum, up } = buffers;
  for (const [t, token] of tokens.entries())
    kernels.copy(width, sum + t * width, parameters + layout.words + token * width);
  kernels.add(rows * width, sum, parameters + layout.positions);
  kernels.addRow(rows, width, sum, parameters + layout.types);
  normalise(model, layout.embedded, rows, sum, state);
  for (const { attended, down, last, output, qkv, up: widen } of layout.layers) {
    apply(model, qkv, rows, state, buffers.qkv, false);
    attend(model, rows);
    kernels.copy(rows * width, sum, state);
    apply(model, output, rows, buffers.attended, sum, true);
    normalise(model, attended, rows, sum, middle);
    apply(model, widen, rows, middle, up, false);
    gelu(kernels.arena.subarray(up, up + rows * shape.innerWidth));
    kernels.copy(rows * width, sum, middle);
    apply(model, down, rows, up, sum, true);
    normalise(model, last, rows, sum, state);
  }
  return kernels.arena.subarray(state, state + rows * width);
}

function apply(
  { kernels, parameters }: BertModel,
  map: LinearOffsets,
  rows: number,
  x: Place,
  out: Place,
  accumulate: boolean,
): void {
  applyLinear(kernels, parameters, NONE, map, null, rows, x, out, accumulate);
}

function normalise(
  { buffers, kernels, parameters, shape }: BertModel,
  { bias, weight }: NormOffsets,
  rows: number,
  x: Place,
  y: Place,
): void {
  const { epsilon, width } = shape;
  kernels.normalise(rows, width, x, parameters + weight, parameters + bias, y, buffers.stats, epsilon, true);
}

/** softmax(Q Kᵀ / √headSize) V of each head, from all positions to all. */
function attend({ buffers, kernels, shape }: BertModel, rows: number): void {
  const { headCount, headSize, width } = shape;
  const { attended, qkv, scores } = buffers;
  const stride = 3 * width;
  const rowStride = roundUp16(rows);
  const scale = Math.fround(1 / Math.sqrt(headSize));
  for (let head = 0; head < headCount; head++) {
    const at = qkv + head * headSize;
    const queries = { at, rowStride: stride, columnStride: 1 };
    const keys = { at: at + width, rowStride: 1, columnStride: stride };
    const values = { at: at + 2 * width, rowStride: stride, columnStride: 1 };
    kernels.multiply(rows, rows, headSize, queries, keys, scores, rowStride, false);
    // A row of its own has no later ones: all of its numbers are within the softmax.
    for (let t = 0; t < rows; t++) kernels.softmax(1, scores + t * rowStride, rowStride, rows - 1, scale);
    const weights = { at: scores, rowStride, columnStride: 1 };
    kernels.multiply(rows, headSize, rows, weights, values, attended + head * headSize, width, false);
  }
}

/** x Φ(x) with the error function (Hendrycks and Gimpel, 2016), which BERT has and not tanh's approximation. */
function gelu(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    values[i] = 0.5 * x * (1 + exactErf(x * Math.SQRT1_2));
  }
}
