import { createHash } from "node:crypto";
import { SeededRandom } from "../../attribution/maths/seeded-random.ts";
import type { AdapterLayout } from "../architecture/adapter-layout.ts";
import type { TokenRow } from "../architecture/loss-gradient.ts";
import type { LoadedModel } from "../files/load-model.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { readCheckpoint, type TuningState, writeCheckpoint } from "./checkpoint.ts";
import type { RowTask } from "./row-task.ts";
import type { RowTeam } from "./row-team.ts";

/** All that decides the bytes of a tuned adapter, beside the base and the rows. */
export interface TuningRecipe {
  readonly steps: number;
  readonly rowsPerStep: number;
  readonly rate: number;
  /** Steps over which the rate rises. */
  readonly warmupSteps: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  readonly seed: string;
}

export const usualRecipe: TuningRecipe = {
  steps: 100,
  rowsPerStep: 8,
  rate: 1e-3,
  warmupSteps: 10,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  decay: 0,
  seed: "adapter",
};

/** Blocks that tuning needs beside the adapter: two moments, the sum, and a gradient for each row of a step. */
export const tuningBlocks = ({ rowsPerStep }: TuningRecipe): number => 3 + rowsPerStep;

export interface TuningProgress {
  /** 1 … steps. */
  readonly step: number;
  /** Mean over the step's rows, in nats a token. */
  readonly loss: number;
  readonly tokenCount: number;
}

export interface TuningOptions {
  /** Where the state is kept, so that a killed run goes on to the same bytes. */
  readonly folder?: string;
  /** A state is written after each so many steps. */
  readonly stepsPerCheckpoint?: number;
  readonly onStep?: (progress: TuningProgress) => void;
}

const MOST_ROWS_PER_STEP = 1_024;

/**
 * Tunes the adapter of a loaded model by AdamW: each step on rows that only recipe and step decide. Same base, rows
 * and recipe, same bytes, whatever kernels and however many threads.
 *
 * @throws RollupError MOD_INPUT_INVALID, MOD_CHECKPOINT_INVALID, MOD_THREAD_ENDED
 */
export async function tuneAdapter(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  options: TuningOptions = {},
): Promise<void> {
  const { adapterBlocks, model } = loaded;
  const { adapter, kernels } = model;
  checkRecipe(recipe, rows.length);
  if (adapter === null || adapterBlocks.length < tuningBlocks(recipe))
    throw new RangeError("the model was loaded without an adapter or blocks for tuning");
  const [first, second, sum, ...rowBlocks] = adapterBlocks as [Place, Place, Place, ...Place[]];
  const { floatCount } = adapter.layout;
  const state: TuningState = {
    arena: kernels.arena,
    floatCount,
    blocks: { adapter: adapter.at, first, second },
  };
  startAdapter(kernels.arena, adapter.at, adapter.layout, recipe.seed);
  kernels.arena.fill(0, first, first + floatCount);
  kernels.arena.fill(0, second, second + floatCount);
  const { folder, stepsPerCheckpoint = 20 } = options;
  const identity = folder === undefined ? "" : identityOf(loaded, rows, recipe);
  const done = folder === undefined ? 0 : await readCheckpoint(folder, identity, state);
  for (let step = done + 1; step <= recipe.steps; step++) {
    const chosen = rowsOfStep(rows.length, recipe, step).map((i) => rows[i]!);
    const tasks = chosen.map((row, i): RowTask => {
      const at = rowBlocks[i]!;
      return { row, block: { at, floatCount }, into: { parameters: NONE, adapter: at } };
    });
    const losses = await team.run(tasks);
    kernels.arena.fill(0, sum, sum + floatCount);
    for (const { block } of tasks) kernels.add(floatCount, sum, block.at);
    kernels.arena.set(stepSettings(recipe, step, chosen.length), loaded.settings);
    kernels.adam(floatCount, adapter.at, sum, first, second, loaded.settings);
    const isLast = step === recipe.steps;
    if (folder !== undefined && (isLast || step % stepsPerCheckpoint === 0))
      await writeCheckpoint(folder, identity, step, state);
    const loss = losses.reduce((total, value) => total + value, 0) / losses.length;
    const tokenCount = chosen.reduce((count, { tokens }) => count + tokens.length, 0);
    options.onStep?.({ step, loss, tokenCount });
  }
}

function checkRecipe(recipe: TuningRecipe, rowCount: number): void {
  const { beta1, beta2, decay, epsilon, rate, rowsPerStep, steps, warmupSteps } = recipe;
  const wrong = Object.entries({
    steps: Number.isInteger(steps) && steps >= 1,
    rowsPerStep: Number.isInteger(rowsPerStep) && rowsPerStep >= 1 && rowsPerStep <= MOST_ROWS_PER_STEP,
    warmupSteps: Number.isInteger(warmupSteps) && warmupSteps >= 0,
    rate: rate > 0 && rate < 1,
    betas: beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
    epsilon: epsilon >= 1e-12 && epsilon < 1,
    decay: decay >= 0 && decay < 1,
    rows: rowCount >= 1,
  }).find(([, isRight]) => !isRight);
  if (wrong === undefined) return;
  throw modelError("MOD_INPUT_INVALID", `the recipe's ${wrong[0]} is out of range`, {
    data: { field: wrong[0] },
  });
}

/** As usual: A is uniform in ±1/√inputs, B is 0, so the adapter begins as nothing. */
function startAdapter(arena: Float32Array, at: Place, layout: AdapterLayout, seed: string): void {
  const random = new SeededRandom(`adapter ${seed}`);
  arena.fill(0, at, at + layout.floatCount);
  for (const { a, inputs } of layout.parts) {
    const spread = 1 / Math.sqrt(inputs);
    for (let i = 0; i < inputs * layout.settings.rank; i++)
      arena[at + a + i] = spread * (2 * random.nextFraction() - 1);
  }
}

/** Every round goes through all rows once, each round in another order. */
function rowsOfStep(rowCount: number, { rowsPerStep, seed }: TuningRecipe, step: number): number[] {
  const from = (step - 1) * rowsPerStep;
  const orders = new Map<number, Int32Array>();
  return Array.from({ length: rowsPerStep }, (_, i) => {
    const round = Math.floor((from + i) / rowCount);
    let order = orders.get(round);
    if (order === undefined) {
      order = new SeededRandom(`${seed} round ${round}`).permutation(rowCount);
      orders.set(round, order);
    }
    return order[(from + i) % rowCount]!;
  });
}

/** The ten numbers of `adam`; products only, so that they are the same everywhere. */
function stepSettings(recipe: TuningRecipe, step: number, rowCount: number): number[] {
  const { beta1, beta2, decay, epsilon } = recipe;
  const rate = recipe.rate * Math.min(1, step / Math.max(1, recipe.warmupSteps));
  let [power1, power2] = [1, 1];
  for (let i = 0; i < step; i++) {
    power1 *= beta1;
    power2 *= beta2;
  }
  return [
    rate,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    1 / (1 - power1),
    1 / (1 - power2),
    epsilon,
    rate * decay,
    1 / rowCount,
  ];
}

/** Names a tuning by all that decides its bytes: a state of another one must not be gone on from. */
function identityOf({ model }: LoadedModel, rows: readonly TokenRow[], recipe: TuningRecipe): string {
  const { adapter, kernels, layout, parameters, shape } = model;
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ shape, adapter: adapter!.layout.settings, recipe, rows }));
  const { buffer, byteOffset } = kernels.arena;
  hash.update(new Uint8Array(buffer, byteOffset + 4 * parameters, 4 * layout.floatCount));
  return hash.digest("hex");
}
