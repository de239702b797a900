/**
 * Training loop of adapters: AdamW (Loshchilov & Hutter 2019) on rows drawn by recipe and step, held-out looks, checkpoints, and
 * the threads that compute rows' gradients. Losses are in nats a token.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import type { AdapterLayout } from "../../engine/architecture/adapter-layout.ts";
import { type TokenRow, targetLosses } from "../../engine/architecture/loss-gradient.ts";
import type { LoadedModel } from "../../engine/files/load-model.ts";
import { NONE, type Place } from "../../engine/kernels/kernels.ts";
import { modelError } from "../../model-errors.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { hashParts } from "./hash-parts.ts";
import { meanLoss } from "./row-losses.ts";
import { type RowSeat, type RowTask, runTask, type TeamTask } from "./row-task.ts";
import { checkStepRecipe, rateOfStep, rowsOfStep, type StepRecipe, stepSettings } from "./step-plan.ts";
import { type Tangents, tangentTasks } from "./tangents.ts";
import type { TuningState } from "./tuning-state.ts";

type RowThread = TaskPool<typeof import("./row-tasks.ts")>;

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
  run(tasks: readonly TeamTask[]): Promise<number[]> {
    return this.#each(
      tasks,
      (task) => runTask(this.#loaded.model, task),
      (thread, task) => thread.run("run", task),
    );
  }

  async #each<Task, Result>(
    tasks: readonly Task[],
    here: (task: Task) => Result,
    there: (thread: RowThread, task: Task) => Promise<Result>,
  ): Promise<Result[]> {
    if (this.#isClosed) throw ended("the threads were ended");
    if (this.#threads.length === 0) return tasks.map(here);
    const results = new Array<Result>(tasks.length);
    let next = 0;
    const work = async (thread: RowThread) => {
      for (let i = next++; i < tasks.length; i = next++)
        results[i] = await there(thread, tasks[i]!).catch((error: Error) => {
          throw isRollupError(error) ? error : ended(error.message, error);
        });
    };
    await Promise.all(this.#threads.map(work));
    return results;
  }

  /** Losses of the model as it is now, in nats a token. @throws RollupError MOD_INPUT_INVALID, MOD_THREAD_ENDED */
  losses(rows: readonly TokenRow[]): Promise<number[]> {
    return this.run(rows.map((row) => ({ row, block: { at: 0, floatCount: 0 }, into: null })));
  }

  /** Losses of each row's targets, in nats. @throws RollupError MOD_INPUT_INVALID, MOD_THREAD_ENDED */
  targetLosses(rows: readonly TokenRow[]): Promise<number[][]> {
    return this.#each(
      rows,
      (row) => targetLosses(this.#loaded.model, row),
      (thread, row) => thread.run("lossesOf", row),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/**
 * Training takes all cores, for seconds to days: whoever waits for an answer comes first. At 3 one thread has a core to itself beside
 * two of these; on a machine that is busy with others they still get half of what each of those gets.
 */
const NICENESS = 3;

/** A pool of one thread: each has a seat of its own on the arena. */
const startRowThread = (seat: RowSeat): RowThread =>
  new TaskPool({
    tasks: new URL("./row-tasks.ts", import.meta.url),
    seat,
    threadCount: 1,
    // Weights are in the arena; the operator asked for the training.
    maxHeapMb: OWN_WORK_HEAP_MB,
    niceness: NICENESS,
    isWarm: true,
    ended: (cause) => ended(cause.message, cause),
  });

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

/** Blocks that tuning needs beside the adapter: two moments, the sum, the best so far, and a gradient for each row of a step. */
export const tuningBlocks = ({ rowsPerStep }: TuningRecipe): number => 4 + rowsPerStep;

/** Times of a tuning that its held-out rows are looked at. */
const LOOKS = 20;
export const stepsPerLook = ({ steps }: Pick<TuningRecipe, "steps">): number =>
  Math.max(1, Math.round(steps / LOOKS));

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
  /** Mean of the held-out rows, in nats a token; null between two looks, and if no row is held out. */
  readonly heldOutLoss: number | null;
}

/** stop = no step is made after this one; pause = the run goes on from here another time. */
export type TuningWish = "stop" | "pause";

export interface TuningOptions {
  /** Folder of the state, so that a killed run goes on to the same bytes. */
  readonly folder?: string;
  /** Steps between two states that are written. */
  readonly stepsPerCheckpoint?: number;
  /**
   * Rows that are not trained on. Their loss is measured at an interval of steps, and after the last one. The result is
   * the adapter of the step at which this loss, as a float32, was lowest; of equal ones the first.
   */
  readonly heldOut?: readonly TokenRow[];
  readonly onStep?: (progress: TuningProgress) => void;
  /** Tangents that follow the steps. Not for a run that goes on from a state on disk: it does not have them. */
  readonly tangents?: Tangents | null;
  /** The threads are idle until it has answered. */
  readonly afterStep?: (step: TuningStep) => Promise<TuningWish | undefined>;
  /** Called before each checkpoint. Steps before a checkpoint are not repeated after a resume. */
  readonly beforeState?: () => Promise<void>;
  /** Called when a checkpoint is in the folder. */
  readonly afterState?: (step: number) => Promise<void>;
}

/** Thrown if `afterStep` asks for a pause: the state is on disk. */
export class TuningPaused extends Error {}

/**
 * Tunes the adapter of a loaded model by AdamW: each step on rows that only recipe and step decide. Same base, rows
 * and recipe, same bytes, whatever kernels and however many threads.
 *
 * @returns the step whose adapter is the result: the last one, if no row is held out
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_THREAD_ENDED; TuningPaused
 */
export async function tuneAdapter(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  options: TuningOptions = {},
): Promise<number> {
  const { kernels } = loaded.model;
  checkStepRecipe(recipe, rows.length);
  const { adapter, best, first, floatCount, rowBlocks, second, sum } = tuningPlaces(loaded, recipe);
  const { heldOut = [] } = options;
  // The best step so far, and its loss.
  const numbers = Float32Array.of(0, Number.POSITIVE_INFINITY);
  const blocks = { weights: adapter, first, second };
  const state: TuningState = {
    arena: kernels.arena,
    floatCount,
    blocks,
    ...(heldOut.length === 0 ? {} : { blocks: { ...blocks, best }, numbers }),
  };
  const look = async (step: number): Promise<number> => {
    const loss = Math.fround(meanLoss(heldOut, await team.losses(heldOut)));
    if (loss < numbers[1]!) {
      numbers.set([step, loss]);
      kernels.arena.copyWithin(best, adapter, adapter + floatCount);
    }
    return loss;
  };
  startTuning(loaded, recipe);
  const { folder, stepsPerCheckpoint = 20 } = options;
  const identity = folder === undefined ? "" : identityOf(loaded, rows, heldOut, recipe);
  const done = folder === undefined ? 0 : await readCheckpoint(folder, identity, state);
  const lastStep = recipe.lastStep ?? recipe.steps;
  if (done > lastStep)
    throw modelError("MOD_FILE_INVALID", `the state in ${folder} has ${done} steps, not ${lastStep}`, {
      data: { path: folder, reason: "it has more steps" },
    });
  let [isStopped, stoppedAt] = [false, done];
  for (let step = done + 1; step <= lastStep && !isStopped; step++) {
    const { indices, losses } = await takeStep(loaded, team, rows, recipe, step);
    if (options.tangents) {
      const positions = { sum, first, second, settings: loaded.settings };
      await team.run(tangentTasks(kernels, options.tangents, indices, rowBlocks, positions));
    }
    const loss = losses.reduce((total, value) => total + value, 0) / losses.length;
    const tokenCount = indices.reduce((count, i) => count + rows[i]!.tokens.length, 0);
    const rate = rateOfStep(recipe, step);
    options.onStep?.({ step, loss, tokenCount });
    const isLook = heldOut.length > 0 && (step % stepsPerLook(recipe) === 0 || step === lastStep);
    const heldOutLoss = isLook ? await look(step) : null;
    const wish = await options.afterStep?.({
      step,
      loss,
      tokenCount,
      rows: indices,
      losses,
      rate,
      heldOutLoss,
    });
    isStopped = wish === "stop";
    if (isStopped && !isLook && heldOut.length > 0) await look(step);
    const isLast = step === lastStep || wish !== undefined;
    if (folder !== undefined && (isLast || step % stepsPerCheckpoint === 0)) {
      await options.beforeState?.();
      await writeCheckpoint(folder, identity, step, state);
      await options.afterState?.(step);
    }
    if (wish === "pause") throw new TuningPaused(`after step ${step}`);
    stoppedAt = step;
  }
  const [bestStep] = numbers as unknown as [number];
  if (bestStep === 0) return stoppedAt;
  kernels.arena.copyWithin(adapter, best, best + floatCount);
  return bestStep;
}

/** Places of a tuning in the model's arena, each of `floatCount` numbers. */
interface TuningPlaces {
  readonly floatCount: number;
  readonly adapter: Place;
  /** Adam's moments. */
  readonly first: Place;
  readonly second: Place;
  /** Sum of the step's gradients. */
  readonly sum: Place;
  /** Adapter of the best step so far. */
  readonly best: Place;
  /** Gradients of the step's rows, in their order. */
  readonly rowBlocks: readonly Place[];
}

/** @throws RangeError if the model was loaded without an adapter or its blocks */
export function tuningPlaces({ adapterBlocks, model }: LoadedModel, recipe: TuningRecipe): TuningPlaces {
  const { adapter } = model;
  if (adapter === null || adapterBlocks.length < tuningBlocks(recipe))
    throw new RangeError("the model was loaded without an adapter or blocks for tuning");
  const [first, second, sum, best, ...rowBlocks] = adapterBlocks as [Place, Place, Place, Place, ...Place[]];
  return { floatCount: adapter.layout.floatCount, adapter: adapter.at, first, second, sum, best, rowBlocks };
}

/** Writes the state before the first step: the first adapter, and moments of 0. */
export function startTuning(loaded: LoadedModel, recipe: TuningRecipe): void {
  const { adapter, kernels } = loaded.model;
  const { first, floatCount, second } = tuningPlaces(loaded, recipe);
  startAdapter(kernels.arena, adapter!.at, adapter!.layout, recipe.seed);
  kernels.arena.fill(0, first, first + floatCount);
  kernels.arena.fill(0, second, second + floatCount);
}

/** Takes step 1 … steps from the state in place. @returns the step's rows, and the loss of each */
export async function takeStep(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  step: number,
): Promise<{ indices: number[]; losses: number[] }> {
  const { kernels } = loaded.model;
  const { adapter, first, floatCount, rowBlocks, second, sum } = tuningPlaces(loaded, recipe);
  const indices = rowsOfStep(rows.length, recipe, step);
  const tasks = indices.map((row, i): RowTask => {
    const at = rowBlocks[i]!;
    return { row: rows[row]!, block: { at, floatCount }, into: { parameters: NONE, adapter: at } };
  });
  const losses = await team.run(tasks);
  kernels.arena.fill(0, sum, sum + floatCount);
  for (const { block } of tasks) kernels.add(floatCount, sum, block.at);
  kernels.arena.set(stepSettings(recipe, step, 1 / indices.length), loaded.settings);
  kernels.adam(floatCount, adapter, sum, first, second, loaded.settings);
  return { indices, losses };
}

/** Draws the first adapter as usual: A is uniform in ±1/√inputs, B is 0, so the adapter begins as nothing. */
function startAdapter(arena: Float32Array, at: Place, layout: AdapterLayout, seed: string): void {
  const random = new SeededRandom(`adapter ${seed}`);
  arena.fill(0, at, at + layout.floatCount);
  for (const { a, inputs } of layout.parts) {
    const spread = 1 / Math.sqrt(inputs);
    for (let i = 0; i < inputs * layout.rank; i++)
      arena[at + a + i] = spread * (2 * random.nextFraction() - 1);
  }
}

/** Names a tuning by all that decides its bytes: a state of another one must not be gone on from. */
function identityOf(
  { model }: LoadedModel,
  rows: readonly TokenRow[],
  heldOut: readonly TokenRow[],
  input: TuningRecipe,
): string {
  // The steps before do not depend on where it stops.
  const { lastStep: _, ...recipe } = input;
  const { adapter, kernels, layout, parameters, shape } = model;
  const unseen = heldOut.length === 0 ? {} : { heldOut };
  // What states of earlier versions lack, whose slopes were floats.
  const back = layout.weights === "int8" ? { slopeBits: 16 } : {};
  const facts = JSON.stringify({
    shape,
    adapter: adapter!.layout.settings,
    recipe,
    rows,
    ...unseen,
    ...back,
  });
  const { buffer, byteOffset } = kernels.arena;
  return hashParts(facts, new Uint8Array(buffer, byteOffset + 4 * parameters, 4 * layout.floatCount));
}
