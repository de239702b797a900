/**
 * Estimate before a job begins: time (in seconds), tokens and memory of a tuning, from a few real steps on this machine. Runs in
 * a process of its own (task-process.ts).
 */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ModelPlan } from "../../tuning/recipe/plan-model.ts";
import { fieldParts } from "../../tuning/recipe/recipe-presets.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { stepsAfter, type TuningRun, type TuningWatch } from "../../tuning/recipe/text-training.ts";
import type { TuningStep, TuningWish } from "../../tuning/training/tune-adapter.ts";
import { TuningPaused } from "../../tuning/training/tune-adapter.ts";
import type { SortForm } from "../factory-api.ts";
import { readDatasetRows } from "./dataset-files.ts";
import { planOrder } from "./plan-order.ts";
import type { Measurement, OrderTask } from "./task-messages.ts";
import { requireMemory, trainingsOf } from "./task-model.ts";
import { sortingSteps } from "./train-sorter.ts";

/** The first step warms up, and is not counted. */
const MEASURED_STEPS = 4;

/** Plans the job, runs a few of its steps with its own code, and estimates the cost of the whole. */
export async function measure(task: OrderTask): Promise<Measurement> {
  const startedAtMs = performance.now();
  const rows = await readDatasetRows(task.rowsFolder);
  await initPoseidon();
  const plan = await planOrder(task.order, rows, task);
  const memoryBytes = await requireMemory(task, plan.recipe, rows.length);
  const { form } = task.order;
  return form.use === "write"
    ? measureWriter(task, plan.recipe as TextRecipe, rows, { memoryBytes, startedAtMs })
    : measureSorter(plan, rows, form, { memoryBytes, startedAtMs });
}

interface Begun {
  readonly memoryBytes: number;
  readonly startedAtMs: number;
}

async function measureWriter(
  task: OrderTask,
  recipe: TextRecipe,
  rows: readonly OwnedRow[],
  { memoryBytes, startedAtMs }: Begun,
): Promise<Measurement> {
  const watch = new Stopwatch();
  await trainingsOf(task, watch)
    .text.train(rows, recipe, {})
    .catch((error: unknown) => {
      if (!(error instanceof TuningPaused)) throw error;
    });
  const { heldOut = 0, tuning } = recipe;
  const stepMs = watch.ms / watch.steps;
  const load = (watch.begunAtMs - startedAtMs) / 1_000;
  const tune = (stepMs * tuning.steps) / 1_000;
  const features = (stepMs * stepsAfter(recipe, rows.length)) / 1_000;
  return {
    steps: tuning.steps,
    trainedRowCount: rows.length - heldOut,
    tokenCount: watch.tokenCounts.reduce((sum, count) => sum + count, 0),
    longestRowTokens: Math.max(...watch.tokenCounts),
    measuredSteps: watch.steps,
    stepMs,
    tokensPerSecond: (1_000 * watch.tokens) / watch.ms,
    seconds: { load, tune, features, total: load + tune + features },
    memoryBytes,
    fields: [],
    telling: [],
  };
}

/** One training of the whole: those of fewer rows take less. */
async function measureSorter(
  { recipe, training }: ModelPlan,
  rows: readonly OwnedRow[],
  form: SortForm,
  { memoryBytes, startedAtMs }: Begun,
): Promise<Measurement> {
  const load = (performance.now() - startedAtMs) / 1_000;
  const begunAtMs = performance.now();
  const { heldOut } = await training.train(rows, recipe, {});
  const stepMs = performance.now() - begunAtMs;
  const steps = sortingSteps(rows.length, form);
  const tune = ((steps - 1) * stepMs) / 1_000;
  const features = stepMs / 1_000;
  return {
    steps,
    trainedRowCount: rows.length,
    tokenCount: null,
    longestRowTokens: null,
    measuredSteps: 1,
    stepMs,
    tokensPerSecond: null,
    seconds: { load, tune, features, total: load + tune + features },
    memoryBytes,
    fields: fieldParts(recipe, rows),
    telling: [...(heldOut?.telling ?? (await training.tellingColumns?.(rows, recipe)) ?? [])],
  };
}

class Stopwatch implements TuningWatch {
  begunAtMs = 0;
  ms = 0;
  steps = 0;
  tokens = 0;
  tokenCounts: number[] = [];
  #lastMs = 0;

  async begin({ tokens }: TuningRun): Promise<void> {
    this.begunAtMs = performance.now();
    this.#lastMs = this.begunAtMs;
    this.tokenCounts = tokens.map((row) => row.tokens.length + 1);
  }

  async afterStep(_run: TuningRun, { step, tokenCount }: TuningStep): Promise<TuningWish | undefined> {
    const nowMs = performance.now();
    if (step > 1) {
      this.ms += nowMs - this.#lastMs;
      this.steps += 1;
      this.tokens += tokenCount;
    }
    this.#lastMs = nowMs;
    return step > MEASURED_STEPS ? "pause" : undefined;
  }
}
