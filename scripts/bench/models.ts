import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { quantiseFeatures, quantiseQuery } from "@openledger/attribution/features/quantise";
import { integerScores } from "@openledger/attribution/internal/scores/integer-scores";
import { adapterLayout, adapterMatrices } from "@openledger/models/architecture/adapter-layout";
import { answerRow, textRows } from "@openledger/models/architecture/loss-gradient";
import { folderSource } from "@openledger/models/files/folder-source";
import { type LoadedModel, loadModel, openModel } from "@openledger/models/files/load-model";
import { computeLogits, readTokens } from "@openledger/models/internal/architecture/transformer";
import { mapTextsBy, projectGradients } from "@openledger/models/internal/influence/text-features";
import {
  planTextFeatures,
  type TextFeatureOptions,
  type TextFeaturePlaces,
} from "@openledger/models/internal/influence/text-places";
import { nativeKernelSets } from "@openledger/models/internal/kernels/native-kernels";
import { runRowTask } from "@openledger/models/internal/training/row-task";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { MAX_THREAD_COUNT, NONE } from "@openledger/models/kernels/kernels";
import { oracle, oracleSpeed } from "@openledger/models/testing/jax-oracle";
import {
  type MadeName,
  madeConfigs,
  makeModel,
  writeMadeModel,
} from "@openledger/models/testing/made-models";
import { RowTeam, tuneAdapter, tuningBlocks, usualRecipe } from "@openledger/models/training/tune-adapter";

/** 3.2 M numbers, tokens are bytes: what a devnet can tune in seconds. */
export const CONFIG = {
  model_type: "llama",
  vocab_size: 256,
  hidden_size: 256,
  intermediate_size: 688,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
export const ROW_TOKENS = 128;
export const ADAPTER = { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] } as const;
const PROMPT_TOKENS = 16;
const FEATURES = 256;
const METHOD = { kind: "ek-fac", power: 0.5, damping: 0, featureCount: FEATURES } as const;
/** Rows of the largest settlement circuit. */
const SCORED_ROWS = 8_192;

export interface ModelsBenchOptions {
  readonly steps: number;
  readonly rows: number;
}

interface SetFigures {
  readonly tokensPerSecond: number;
  readonly rowGradientMs: number;
  /** All rows' gradients, the map that is made of them, and their features. */
  readonly allRowsMs: number;
  /** Processor time of a row's gradient on one thread: says something on a busy machine too. */
  readonly rowProcessorMs: number;
  readonly queryMs: number;
  /** Of the tuned adapter, the features and the query. */
  readonly hash: string;
}

const log = (line: string) => console.log(line);

export async function benchModels(options: ModelsBenchOptions) {
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-models-"));
  try {
    const base = makeModel(CONFIG, "bench");
    await writeMadeModel(folder, base);
    const rows = textRows(await someText(options.rows * ROW_TOKENS + 1), ROW_TOKENS);
    const figures = new Map<string, SetFigures>();
    for (const choice of [...nativeKernelSets(), "wasm"] as KernelChoice[]) {
      const measured = await measureSet(folder, choice, rows, options.steps);
      figures.set(choice, measured);
      log(
        `${choice.padEnd(7)} ${Math.round(measured.tokensPerSecond)} tokens/s, a row's gradient and features ${measured.rowGradientMs.toFixed(1)} ms (gradient ${measured.rowProcessorMs.toFixed(1)} ms of one processor), ${rows.length} rows with their map ${(measured.allRowsMs / 1000).toFixed(1)} s, a query ${measured.queryMs.toFixed(1)} ms`,
      );
    }
    const native = figures.get(nativeKernelSets()[0] ?? "");
    const wasm = figures.get("wasm")!;
    const largestLogitError = await logitError();
    log(`largest difference of a logit from jax-js: ${largestLogitError.toExponential(1)}`);
    const low = adapterTensors();
    const jax = await oracleSpeed(base, rows[0]!, { factor: 2, tensors: low }, 5);
    log(`jax-js  ${Math.round(jax)} tokens/s (WebAssembly, one thread)`);
    const round = (value: number | undefined) => (value === undefined ? null : Math.round(10 * value) / 10);
    return {
      models: {
        tokensPerSecond: {
          native: round(native?.tokensPerSecond),
          wasm: round(wasm.tokensPerSecond),
          jax: round(jax),
        },
        rowGradientMs: round((native ?? wasm).rowGradientMs),
        rowProcessorMs: { native: round(native?.rowProcessorMs), wasm: round(wasm.rowProcessorMs) },
        allRows: {
          rows: rows.length,
          ms: { native: round(native?.allRowsMs), wasm: round(wasm.allRowsMs) },
        },
        queryMs: { native: round(native?.queryMs), wasm: round(wasm.queryMs) },
        sameBytes: new Set([...figures.values()].map(({ hash }) => hash)).size === 1,
        largestLogitError,
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Bytes of the project's own pages. */
export async function someText(count: number): Promise<number[]> {
  const pages = (await readdir("docs")).filter((name) => name.endsWith(".md")).sort();
  const bytes: number[] = [];
  for (let i = 0; bytes.length < count; i++)
    bytes.push(...(await readFile(join("docs", pages[i % pages.length]!))));
  return bytes.slice(0, count);
}

async function measureSet(
  folder: string,
  kernels: KernelChoice,
  rows: ReturnType<typeof textRows>,
  steps: number,
): Promise<SetFigures> {
  const opened = await openModel(folderSource(folder));
  const recipe = { ...usualRecipe, steps, rowsPerStep: 8 };
  const layout = adapterLayout(opened.shape, ADAPTER);
  const features = {
    rowCount: rows.length,
    gradientCount: layout.floatCount,
    matrices: adapterMatrices(layout),
    featureCount: FEATURES,
    seed: "bench",
  };
  let places!: TextFeaturePlaces;
  const loaded = await loadModel(opened, {
    kernels,
    maxRows: ROW_TOKENS,
    isTraining: true,
    adapter: ADAPTER,
    adapterBlocks: tuningBlocks(recipe),
    threadCount: Math.min(availableParallelism(), MAX_THREAD_COUNT),
    placeMore: (plan) => {
      places = planTextFeatures(plan, features);
    },
  });
  await opened.close();
  const team = new RowTeam(loaded);
  try {
    const startedAtMs: number[] = [];
    let tokenCount = 0;
    await tuneAdapter(loaded, team, rows, recipe, {
      onStep: ({ tokenCount: tokens }) => {
        // The first step warms the threads up.
        if (startedAtMs.length > 0) tokenCount += tokens;
        startedAtMs.push(performance.now());
      },
    });
    const tokensPerSecond = (1000 * tokenCount) / (startedAtMs.at(-1)! - startedAtMs[0]!);
    const { allRowsMs, mapped, rowGradientMs } = await measureRows(loaded, team, rows, places, features);
    const rowProcessorMs = measureProcessor(loaded, rows);
    const { query, queryMs } = measureQuery(loaded, questionOf(rows[0]!), places, features);
    const { adapter, kernels: own } = loaded.model;
    const { at, layout } = adapter!;
    const hash = createHash("sha256")
      .update(Buffer.from(own.arena.slice(at, at + layout.floatCount).buffer))
      .update(quantiseFeatures(mapped, rows.length, FEATURES).values)
      .update(Buffer.from(query.buffer))
      .digest("hex");
    return { tokensPerSecond, rowGradientMs, rowProcessorMs, allRowsMs, queryMs, hash };
  } finally {
    await team.close();
  }
}

/** All rows' gradients on all threads, then their features. */
async function measureRows(
  loaded: LoadedModel,
  team: RowTeam,
  rows: ReturnType<typeof textRows>,
  places: TextFeaturePlaces,
  features: TextFeatureOptions,
) {
  const { gradientCount } = features;
  const tasks = rows.map((row, i) => {
    const at = places.gradients + i * gradientCount;
    return { row, block: { at, floatCount: gradientCount }, into: { parameters: NONE, adapter: at } };
  });
  const startedAtMs = performance.now();
  await team.run(tasks);
  const gradientsMs = performance.now() - startedAtMs;
  const mapped = mapTextsBy(METHOD, loaded.model.kernels, places, features);
  const projectedAtMs = performance.now();
  projectGradients(loaded.model.kernels, places, features, places.gradients, rows.length);
  const projectionMs = performance.now() - projectedAtMs;
  return {
    mapped,
    allRowsMs: projectedAtMs - startedAtMs,
    rowGradientMs: (gradientsMs + projectionMs) / rows.length,
  };
}

function measureProcessor({ adapterBlocks, model }: LoadedModel, rows: ReturnType<typeof textRows>): number {
  const at = adapterBlocks[0]!;
  const block = { at, floatCount: model.adapter!.layout.floatCount };
  const run = () => {
    for (const row of rows.slice(0, 8))
      runRowTask(model, { row, block, into: { parameters: NONE, adapter: at } });
  };
  run();
  const before = process.cpuUsage();
  run();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1000 / Math.min(8, rows.length);
}

/** A row's first tokens as a prompt, the others as the answer. */
function questionOf({ targets, tokens }: ReturnType<typeof textRows>[number]) {
  return answerRow(tokens.slice(0, PROMPT_TOKENS), targets.slice(PROMPT_TOKENS - 1));
}

/** One answer: its gradient on one thread, its features, eight bits, and the scores of as many rows as a circuit has. */
function measureQuery(
  { adapterBlocks, model }: LoadedModel,
  row: ReturnType<typeof textRows>[number],
  places: TextFeaturePlaces,
  features: TextFeatureOptions,
) {
  const at = adapterBlocks[0]!;
  const block = { at, floatCount: features.gradientCount };
  const matrix = new Int8Array(SCORED_ROWS * FEATURES).fill(3);
  const times: number[] = [];
  let query = new Int16Array(0);
  for (let round = 0; round < 5; round++) {
    const startedAtMs = performance.now();
    runRowTask(model, { row, block, into: { parameters: NONE, adapter: at } });
    const feature = projectGradients(model.kernels, places, features, at, 1);
    query = quantiseQuery(feature).values as Int16Array<ArrayBuffer>;
    integerScores({ features: matrix, rowCount: SCORED_ROWS, featureCount: FEATURES, query });
    times.push(performance.now() - startedAtMs);
  }
  return { query, queryMs: times.sort((a, b) => a - b)[2]! };
}

function adapterTensors() {
  const { hidden_size: width, num_hidden_layers: layers } = CONFIG;
  const { rank } = ADAPTER;
  return Array.from({ length: layers }, (_, layer) =>
    ["q_proj", "v_proj"].flatMap((module) => {
      const name = `model.layers.${layer}.self_attn.${module}`;
      const values = new Float32Array(rank * width).fill(0.01);
      return [
        { name: `${name}.lora_A`, shape: [rank, width], values },
        { name: `${name}.lora_B`, shape: [width, rank], values },
      ];
    }),
  ).flat();
}

/** Over a miniature of each architecture. */
async function logitError(): Promise<number> {
  const tokens = Array.from({ length: 24 }, (_, t) => (7 * t * t + 3) % 70);
  let largest = 0;
  for (const name of Object.keys(madeConfigs) as MadeName[]) {
    const folder = await mkdtemp(join(tmpdir(), "openledger-bench-models-"));
    try {
      const made = makeModel(madeConfigs[name], name);
      await writeMadeModel(folder, made);
      const opened = await openModel(folderSource(folder));
      const { model } = await loadModel(opened, { kernels: "wasm", maxRows: 24, isTraining: true });
      await opened.close();
      readTokens(model, tokens);
      const logits = computeLogits(model, 0, tokens.length);
      const rowStride = logits.length / tokens.length;
      const expected = await oracle(made, { tokens, targets: tokens }, { factor: 1, tensors: [] });
      for (const [i, value] of expected.logits.entries()) {
        const own = logits[Math.floor(i / 70) * rowStride + (i % 70)]!;
        largest = Math.max(largest, Math.abs(own - value));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  return largest;
}
