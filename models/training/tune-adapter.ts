import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { RollupError } from "@openledger/foundation/rollup-error";
import type { AdapterLayout } from "../architecture/adapter-layout.ts";
import type { TokenRow } from "../architecture/loss-gradient.ts";
import type { LoadedModel } from "../files/load-model.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { readCheckpoint, type TuningState, writeCheckpoint } from "./checkpoint.ts";
import { hashParts } from "./hash-parts.ts";
import { type RowTask, runTask, type TeamTask } from "./row-task.ts";
import { type RowThread, startRowThread } from "./row-thread.ts";
import { checkStepRecipe, rateOfStep, rowsOfStep, type StepRecipe, stepSettings } from "./step-plan.ts";
import { type Tangents, tangentTasks } from "./tangents.ts";

/**
 * Threads that compute rows' gradients, each whole rows. Every row has a block of its own, so the bytes do not depend
 * on which thread took it. With one workspace the caller's thread computes.
 */
export class RowTeam {
  readonly #loaded: LoadedModel;
  readonly #threads: RowThread[];
  #isClosed = false;

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    const { models, shared } = loaded;
    this.#threads =
      models.length === 1
        ? []
        : models.map(({ kernels: _, ...model }, i) => startRowThread({ shared, threadIndex: i + 1, model }));
  }

  /** @returns the losses in the tasks' order. @throws RollupError MOD_INPUT_INVALID, MOD_THREAD_ENDED */
  async run(tasks: readonly TeamTask[]): Promise<number[]> {
    if (this.#isClosed) throw ended("the threads were ended");
    if (this.#threads.length === 0) return tasks.map((task) => runTask(this.#loaded.model, task));
    const losses = new Array<number>(tasks.length);
    let next = 0;
    const work = async (thread: RowThread) => {
      for (let i = next++; i < tasks.length; i = next++) losses[i] = await ask(thread, tasks[i]!);
    };
    await Promise.all(this.#threads.map(work));
    return losses;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

async function ask(thread: RowThread, task: TeamTask): Promise<number> {
  const answer = await thread.ask(task).catch((error: Error) => {
    throw ended(error.message, error);
  });
  if ("loss" in answer) return answer.loss;
  if ("failure" in answer) throw ended(String(answer.failure), answer.failure);
  const { code, message } = answer.refusal;
  throw new RollupError(code, message, answer.refusal);
}

function ended(reason: string, cause?: unknown) {
  return modelError("MOD_THREAD_ENDED", `a thread of the computation failed: ${reason}`, {
    data: { reason },
    cause,
  });
}

/** All that decides the bytes of a tuned adapter, beside the base and the rows. */
export type TuningRecipe = StepRecipe;

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

export interface TuningStep extends TuningProgress {
  /** The step's rows, and the loss of each. */
  readonly rows: readonly number[];
  readonly losses: readonly number[];
  readonly rate: number;
}

/** stop = this was the last step, and the recipe's `lastStep` says so; pause = the run goes on from here another time. */
export type TuningWish = "stop" | "pause";

export interface TuningOptions {
  /** Where the state is kept, so that a killed run goes on to the same bytes. */
  readonly folder?: string;
  /** A state is written after each so many steps. */
  readonly stepsPerCheckpoint?: number;
  readonly onStep?: (progress: TuningProgress) => void;
  /** Go along as long as they have seen every step from the first on: a state on disk does not have them. */
  readonly tangents?: Tangents | null;
  /** The threads are idle until it has answered. */
  readonly afterStep?: (step: TuningStep) => Promise<TuningWish | undefined>;
  /** Before a state is written: a run that goes on from it does not make the steps before again. */
  readonly beforeState?: () => Promise<void>;
}

/** Thrown where `afterStep` wishes a pause: the state is on disk. */
export class TuningPaused extends Error {}

/**
 * Tunes the adapter of a loaded model by AdamW: each step on rows that only recipe and step decide. Same base, rows
 * and recipe, same bytes, whatever kernels and however many threads.
 *
 * @returns the last step
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_THREAD_ENDED; TuningPaused
 */
export async function tuneAdapter(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  options: TuningOptions = {},
): Promise<number> {
  const { adapterBlocks, model } = loaded;
  const { adapter, kernels } = model;
  checkStepRecipe(recipe, rows.length);
  if (adapter === null || adapterBlocks.length < tuningBlocks(recipe))
    throw new RangeError("the model was loaded without an adapter or blocks for tuning");
  const [first, second, sum, ...rowBlocks] = adapterBlocks as [Place, Place, Place, ...Place[]];
  const { floatCount } = adapter.layout;
  const state: TuningState = {
    arena: kernels.arena,
    floatCount,
    blocks: { weights: adapter.at, first, second },
  };
  startAdapter(kernels.arena, adapter.at, adapter.layout, recipe.seed);
  kernels.arena.fill(0, first, first + floatCount);
  kernels.arena.fill(0, second, second + floatCount);
  const { folder, stepsPerCheckpoint = 20 } = options;
  const identity = folder === undefined ? "" : identityOf(loaded, rows, recipe);
  const done = folder === undefined ? 0 : await readCheckpoint(folder, identity, state);
  const lastStep = recipe.lastStep ?? recipe.steps;
  if (done > lastStep)
    throw modelError("MOD_FILE_INVALID", `the state in ${folder} has ${done} steps, not ${lastStep}`, {
      data: { path: folder, reason: "it has more steps" },
    });
  for (let step = done + 1; step <= lastStep; step++) {
    const indices = rowsOfStep(rows.length, recipe, step);
    const chosen = indices.map((i) => rows[i]!);
    const tasks = chosen.map((row, i): RowTask => {
      const at = rowBlocks[i]!;
      return { row, block: { at, floatCount }, into: { parameters: NONE, adapter: at } };
    });
    const losses = await team.run(tasks);
    kernels.arena.fill(0, sum, sum + floatCount);
    for (const { block } of tasks) kernels.add(floatCount, sum, block.at);
    kernels.arena.set(stepSettings(recipe, step, 1 / chosen.length), loaded.settings);
    kernels.adam(floatCount, adapter.at, sum, first, second, loaded.settings);
    if (options.tangents?.stepCount === step - 1) {
      const places = { sum, first, second, settings: loaded.settings };
      await team.run(tangentTasks(kernels, options.tangents, indices, rowBlocks, places));
    }
    const loss = losses.reduce((total, value) => total + value, 0) / losses.length;
    const tokenCount = chosen.reduce((count, { tokens }) => count + tokens.length, 0);
    const rate = rateOfStep(recipe, step);
    options.onStep?.({ step, loss, tokenCount });
    const wish = await options.afterStep?.({ step, loss, tokenCount, rows: indices, losses, rate });
    const isLast = step === lastStep || wish !== undefined;
    if (folder !== undefined && (isLast || step % stepsPerCheckpoint === 0)) {
      await options.beforeState?.();
      await writeCheckpoint(folder, identity, step, state);
    }
    if (wish === "pause") throw new TuningPaused(`after step ${step}`);
    if (wish === "stop") return step;
  }
  return lastStep;
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

/** Names a tuning by all that decides its bytes: a state of another one must not be gone on from. */
function identityOf({ model }: LoadedModel, rows: readonly TokenRow[], given: TuningRecipe): string {
  // The steps before do not depend on where it stops.
  const { lastStep: _, ...recipe } = given;
  const { adapter, kernels, layout, parameters, shape } = model;
  const facts = JSON.stringify({ shape, adapter: adapter!.layout.settings, recipe, rows });
  const { buffer, byteOffset } = kernels.arena;
  return hashParts(facts, new Uint8Array(buffer, byteOffset + 4 * parameters, 4 * layout.floatCount));
}
