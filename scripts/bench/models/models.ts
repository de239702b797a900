/**
 * Measures the speed of language models, for `npm run bench -- models`: models of published shapes with random weights, our
 * int8 against llama.cpp's Q8_0, in turns on as many threads.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WeightNumbers } from "@openledger/models/engine/architecture/model-shape";
import { BatchLoop } from "@openledger/models/engine/batches/batch-loop";
import {
  type BatchModel,
  loadBatchModel,
  PAGE_POSITIONS,
} from "@openledger/models/engine/batches/batch-model";
import { logitsOf, passRows, seatSlot } from "@openledger/models/engine/batches/batch-pass";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { openModel } from "@openledger/models/engine/files/load-model";
import type { KernelChoice } from "@openledger/models/engine/kernels/create-kernels";
import { nativeKernelSets, productThreads } from "@openledger/models/engine/kernels/native-kernels";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { openLlama, openSequence } from "./llama-cpp.ts";
import { benchTangents, benchTuning } from "./tuning.ts";
import { writeGguf } from "./write-gguf.ts";

const llama = {
  model_type: "llama",
  max_position_embeddings: 2_048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const size = (
  width: number,
  inner: number,
  layers: number,
  heads: number,
  keyHeads: number,
  words: number,
) => ({
  hidden_size: width,
  intermediate_size: inner,
  num_hidden_layers: layers,
  vocab_size: words,
  num_attention_heads: heads,
  num_key_value_heads: keyHeads,
});
export const SHAPES = {
  "SmolLM2-135M": { ...llama, ...size(576, 1_536, 30, 9, 3, 49_152), rope_theta: 100_000 },
  "Qwen2.5-0.5B": {
    ...llama,
    ...size(896, 4_864, 24, 14, 2, 151_936),
    model_type: "qwen2",
    rope_theta: 1_000_000,
  },
  "Llama-3.2-1B": { ...llama, ...size(2_048, 8_192, 16, 32, 8, 128_256), rope_theta: 500_000 },
} as const;
type ShapeName = keyof typeof SHAPES;

interface BenchModelsOptions {
  /** Names of SHAPES. */
  readonly shapes: readonly string[];
  /** Folder in which node-llama-cpp is, or is installed; null leaves llama.cpp out. */
  readonly llama: string | null;
  /** Instruction set of both programs. */
  readonly instructions: "native" | "avx2";
  readonly rounds: number;
  readonly promptTokens: number;
  readonly tokens: number;
  /** Steps of a tuning by int8 and by floats, of the smallest shape. */
  readonly tuned: number;
  readonly log: (line: string) => void;
}

export async function benchModels(options: BenchModelsOptions) {
  const shapes = [];
  const unknown = options.shapes.find((name) => !Object.hasOwn(SHAPES, name));
  if (unknown !== undefined)
    throw new RangeError(`no shape ${unknown}; there are ${Object.keys(SHAPES).join(", ")}`);
  for (const name of options.shapes) shapes.push(await benchShape(name as ShapeName, options));
  const [first] = shapes;
  const smallest = shapes.find(({ sameBytes }) => sameBytes !== null);
  return {
    decode: first?.decode ?? null,
    prompt: first?.prompt ?? null,
    tuningStepSeconds: smallest?.tuning?.int8?.stepSeconds ?? null,
    tangentsSeconds: smallest?.tangentsSeconds ?? null,
    sameBytes: smallest?.sameBytes ?? null,
    instructions: options.instructions,
    shapes,
  };
}

async function benchShape(name: ShapeName, options: BenchModelsOptions) {
  const { log, promptTokens, rounds, tokens } = options;
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-models-"));
  const threadCount = productThreads(1);
  try {
    const config = SHAPES[name];
    const isSmallest = name === "SmolLM2-135M";
    log(`${name}: making weights`);
    const file = await writeFiles(folder, config, isSmallest);
    const prompt = Array.from({ length: promptTokens }, (_, i) => (i * 7_919 + 13) % config.vocab_size);
    const positions = promptTokens + tokens + 1;
    const model = await load(folder, options.instructions, "int8", positions);
    const memoryMb = Math.round(model.kernels.arena.byteLength / 1e6);
    const fileMb = Math.round((await stat(file)).size / 1e6);
    log(`${name}: ${memoryMb} MB in memory, the file has ${fileMb}`);
    const engine =
      options.llama === null ? null : await openLlama(options.llama, threadCount, options.instructions);
    const theirs = engine && (await openSequence(engine, file, positions, threadCount));
    const measured: Record<"prompt" | "decode", { ours: number[]; llama: number[] }> = {
      prompt: { ours: [], llama: [] },
      decode: { ours: [], llama: [] },
    };
    for (let round = 0; round < rounds; round++)
      for (const [who, engineOf] of [
        ["ours", { measure: () => measureOurs(model, prompt, tokens) }],
        ["llama", theirs],
      ] as const) {
        if (engineOf === null) continue;
        const before = process.cpuUsage();
        const { decode, prompt: read } = await engineOf.measure(prompt, tokens);
        measured.prompt[who].push(read);
        measured.decode[who].push(decode);
        const { system, user } = process.cpuUsage(before);
        const cpuSeconds = ((system + user) / 1e6).toFixed(1);
        log(
          `${name}: ${who} reads ${read.toFixed(0)}, writes ${decode.toFixed(1)} tokens a second, ${cpuSeconds} s of processor time`,
        );
      }
    const short = prompt.slice(0, 24);
    const mine = logitsAfter(model, short);
    const sets: KernelChoice[] = ["wasm", ...nativeKernelSets()];
    let sameBytes = isSmallest ? true : null;
    for (const kernels of isSmallest ? sets : []) {
      const others = logitsAfter(await load(folder, kernels, "int8", 64), short);
      sameBytes &&= others.every((value, i) => Object.is(value, mine[i]));
    }
    await theirs?.close();
    const isTuned = isSmallest && options.tuned > 0;
    const tuning = isTuned ? await benchTuning(folder, options.instructions, options.tuned, log) : null;
    const tangentsSeconds = isTuned
      ? await benchTangents(folder, options.instructions, options.tuned, log)
      : null;
    const errorOf = async (own: Float32Array, path: string): Promise<number | null> => {
      if (engine === null) return null;
      const other = await openSequence(engine, path, 256, threadCount, true);
      const error = largestDifference(own, await other.logits(short, config.vocab_size));
      await other.close();
      return error;
    };
    const largestLogitError = await errorOf(mine, file);
    const floats = isSmallest ? logitsAfter(await load(folder, "native", "float32", 64), short) : null;
    const largestFloatLogitError = floats && (await errorOf(floats, join(folder, "f32.gguf")));
    /** Largest change that rounding itself makes. */
    const largestRoundingError = floats && largestDifference(mine, floats);
    const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? null;
    const both = (of: { ours: number[]; llama: number[] }) => ({
      ours: middle(of.ours),
      llama: middle(of.llama),
    });
    return {
      name,
      decode: both(measured.decode),
      prompt: both(measured.prompt),
      memoryMb,
      fileMb,
      largestLogitError,
      largestFloatLogitError,
      largestRoundingError,
      sameBytes,
      tuning,
      tangentsSeconds,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @returns the path of the file of Q8_0 */
async function writeFiles(
  folder: string,
  config: (typeof SHAPES)[ShapeName],
  withFloats: boolean,
): Promise<string> {
  let state = 1;
  const nextFraction = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const made = makeModel(config, "", { nextFraction });
  await writeMadeModel(folder, made);
  const path = join(folder, "q8_0.gguf");
  await writeGguf(path, made, "Q8_0");
  if (withFloats) await writeGguf(join(folder, "f32.gguf"), made, "F32");
  return path;
}

async function load(
  folder: string,
  kernels: KernelChoice,
  weights: WeightNumbers,
  maxPositions: number,
): Promise<BatchModel> {
  const opened = await openModel(folderSource(folder));
  try {
    const { headSize, keyHeadCount, layerCount } = opened.shape;
    const pages = Math.ceil(maxPositions / PAGE_POSITIONS);
    const kvBytes = 8 * pages * PAGE_POSITIONS * layerCount * keyHeadCount * headSize;
    const options = { kernels, weights, maxPositions, kvBytes, threadCount: 1, batch: 1, adapterBytes: 0 };
    return (await loadBatchModel(opened, options)).models[0]!;
  } finally {
    await opened.close();
  }
}

const pagesOf = ({ kv }: BatchModel) => Array.from({ length: kv.maxPages }, (_, i) => i);

/** Measures our server's own loop. */
function measureOurs(model: BatchModel, prompt: readonly number[], tokens: number) {
  const loop = new BatchLoop(model);
  const sampling = { adapter: null, temperature: 0, topP: 1, seed: "", endTokens: [] };
  const startedAtMs = performance.now();
  loop.join({ ...sampling, id: 1, prompt, maxTokens: tokens + 1, pages: pagesOf(model) });
  while (loop.step().length === 0);
  const readAtMs = performance.now();
  while (loop.size > 0) loop.step();
  const decodeMs = performance.now() - readAtMs;
  return { prompt: (1000 * prompt.length) / (readAtMs - startedAtMs), decode: (1000 * tokens) / decodeMs };
}

function logitsAfter(model: BatchModel, tokens: readonly number[]): Float32Array {
  seatSlot(model, 0, pagesOf(model));
  const rows = tokens.map((token, position) => ({ token, slot: 0, position, adapter: null }));
  passRows(model, rows, []);
  return logitsOf(model, [rows.length - 1]).slice(0, model.shape.vocabularySize);
}

/** Largest difference of two sets of logits, apart from a constant that all share. */
function largestDifference(mine: Float32Array, theirs: Float64Array | Float32Array): number {
  const differences = Float64Array.from(theirs, (value, i) => value - mine[i]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  return differences.reduce((max, value) => Math.max(max, Math.abs(value - mean)), 0);
}
