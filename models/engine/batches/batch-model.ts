/**
 * Memory of a batch of many requests on one language model (the base): its weights in an arena of floats, pages of keys and
 * values, seats of requests, buffers. The answer server makes one for each batch thread; batch-pass.ts computes on it.
 */

import {
  type ModelShape,
  type ParameterLayout,
  parameterLayout,
  qkvWidth,
  type WeightNumbers,
} from "../architecture/model-shape.ts";
import { widestInput, widestOutput, widestRow } from "../architecture/workspace.ts";
import type { OpenModel } from "../files/load-model.ts";
import { createKernels, type KernelChoice, type SharedArena } from "../kernels/create-kernels.ts";
import { type Kernels, NONE, type Place } from "../kernels/kernels.ts";
import { ArenaPlan, roundUp16 } from "../tensors/arena-plan.ts";
import { rotaryTable } from "../tensors/rotary-table.ts";
import type { SpelledVocabulary } from "./json-guide.ts";

/** Positions of a page of keys and values. */
export const PAGE_POSITIONS = 16;
/** Rows of prompts that a step reads beside those of answers. */
export const PROMPT_ROWS = 64;

/** Buffers that one thread writes while it makes a step: rows × the width of their content. */
interface BatchBuffers {
  readonly maxRows: number;
  readonly slotCount: number;
  readonly input: Place;
  readonly normed: Place;
  readonly stats: Place;
  readonly qkv: Place;
  readonly attended: Place;
  readonly gate: Place;
  readonly up: Place;
  readonly inner: Place;
  /** A map's rows as int8; NONE if weights are floats. */
  readonly quantised: Place;
  /** Rows whose adapters have DoRA: a map's inputs, and its results without bias and adapters. */
  readonly doraInput: Place;
  readonly doraOutput: Place;
  /** Line of the table of positions for each row. */
  readonly turns: Place;
  readonly picked: Place;
  readonly logits: Place;
  readonly scores: Place;
  readonly seats: Place;
  readonly pages: Place;
  /** Entries of adapters: four words each. */
  readonly entries: Place;
  readonly maxEntries: number;
}

interface KvOffsets {
  readonly at: Place;
  readonly pageCount: number;
  readonly pageFloats: number;
  /** Floats of one layer within a page. */
  readonly layerFloats: number;
  readonly maxPages: number;
}

/** Model without kernels, as it goes to another thread. */
export interface BatchModelParts {
  readonly shape: ModelShape;
  readonly layout: ParameterLayout;
  readonly parameters: Place;
  /** positions × headSize, or NONE. */
  readonly rotary: Place;
  readonly maxPositions: number;
  readonly kv: KvOffsets;
  readonly buffers: BatchBuffers;
  /** Absent if nothing is held to JSON. */
  readonly spelled?: SpelledVocabulary | null;
}

export interface BatchModel extends BatchModelParts {
  readonly kernels: Kernels;
}

interface BatchModelOptions {
  readonly kernels: KernelChoice;
  readonly threadCount: number;
  /** float32 if not given. */
  readonly weights?: WeightNumbers;
  /** Requests at once of each thread. */
  readonly batch: number;
  /** Maximum tokens of a prompt and its answer; no more than the base has. */
  readonly maxPositions: number;
  /** Memory for keys and values of all requests, and for adapters. */
  readonly kvBytes: number;
  readonly adapterBytes: number;
}

export interface LoadedBatchModel {
  /** Models, one for each thread. */
  readonly models: readonly BatchModel[];
  readonly shared: SharedArena;
  readonly adapters: { readonly at: Place; readonly floatCount: number };
}

/** Bytes of keys and values of sixteen positions. */
const kvPageBytes = (shape: ModelShape): number =>
  4 * shape.layerCount * 2 * PAGE_POSITIONS * shape.keyHeadCount * shape.headSize;

/** @throws RollupError MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE, and those of the files */
export async function loadBatchModel(
  opened: OpenModel,
  options: BatchModelOptions,
): Promise<LoadedBatchModel> {
  const { shape } = opened;
  const layout = parameterLayout(shape, options.weights);
  const maxPositions = Math.min(options.maxPositions, shape.maxPositions);
  const plan = new ArenaPlan();
  const parameters = plan.take(layout.floatCount);
  const rotary = shape.positions === "learned" ? NONE : plan.take(maxPositions * shape.headSize);
  const pageFloats = kvPageBytes(shape) / 4;
  const pageCount = Math.max(1, Math.floor(options.kvBytes / 4 / pageFloats));
  const kv: KvOffsets = {
    at: plan.take(pageCount * pageFloats),
    pageCount,
    pageFloats,
    layerFloats: pageFloats / shape.layerCount,
    maxPages: Math.ceil(maxPositions / PAGE_POSITIONS),
  };
  const adapterFloats = roundUp16(Math.floor(options.adapterBytes / 4));
  const adapters = { at: plan.take(adapterFloats), floatCount: adapterFloats };
  const threads = Array.from({ length: options.threadCount }, () =>
    planBuffers(plan, shape, options, kv.maxPages),
  );
  const { kernels, shared } = createKernels(options.kernels, plan.floatCount, options.threadCount);
  await opened.load(kernels.arena, parameters, layout);
  if (shape.positions !== "learned") {
    const { scaling, theta } = shape.positions;
    kernels.arena.set(rotaryTable(maxPositions, shape.headSize, theta, scaling), rotary);
  }
  const common = { kernels, shape, layout, parameters, rotary, maxPositions, kv };
  return { models: threads.map((buffers) => ({ ...common, buffers })), shared, adapters };
}

function planBuffers(
  plan: ArenaPlan,
  shape: ModelShape,
  { batch: slotCount, weights }: BatchModelOptions,
  maxPages: number,
): BatchBuffers {
  const { headCount, headSize, innerWidth, keyHeadCount, vocabularySize, width } = shape;
  const maxRows = slotCount + PROMPT_ROWS;
  const rows = (columns: number) => plan.take(maxRows * columns);
  // A row has a page of its adapter for every eight ranks.
  const maxEntries = maxRows * 128;
  return {
    maxRows,
    slotCount,
    input: rows(width),
    normed: rows(width),
    stats: rows(2 * Math.max(1, headCount + keyHeadCount)),
    qkv: rows(qkvWidth(shape)),
    attended: rows(headCount * headSize),
    gate: shape.activation === "gated" ? rows(innerWidth) : NONE,
    up: rows(innerWidth),
    inner: rows(innerWidth),
    quantised: weights === "int8" ? rows(widestRow(shape)) : NONE,
    doraInput: rows(widestInput(shape)),
    doraOutput: rows(widestOutput(shape)),
    turns: rows(shape.positions === "learned" ? width : headSize),
    picked: plan.take(slotCount * width),
    logits: plan.take(slotCount * roundUp16(vocabularySize)),
    scores: plan.take(2 * PAGE_POSITIONS * maxPages),
    seats: rows(2),
    pages: plan.take(slotCount * maxPages),
    entries: plan.take(4 * maxEntries),
    maxEntries,
  };
}
