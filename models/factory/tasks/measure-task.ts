/**
 * Estimate before a job begins: time (in seconds), tokens and memory of a tuning, from a few real steps on this machine. Runs in
 * a process of its own (task-process.ts).
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { textFamily } from "../../tuning/recipe/text-family.ts";
import { type TuningRun, type TuningWatch, textTraining } from "../../tuning/recipe/text-training.ts";
import type { TuningStep, TuningWish } from "../../tuning/training/tune-adapter.ts";
import { TuningPaused } from "../../tuning/training/tune-adapter.ts";
import { readDatasetRows } from "./dataset-files.ts";
import type { Measurement, ModelTask } from "./task-messages.ts";
import { requireMemory, settingOf } from "./task-model.ts";

/** The first step warms up, and is not counted. */
const MEASURED_STEPS = 4;

/** Tunes a few steps with the job's own code, and estimates the cost of the whole. */
export async function measure(task: ModelTask): Promise<Measurement> {
  const startedAtMs = performance.now();
  const { recipe } = task;
  const rows = await readDatasetRows(task.rowsFolder);
  const memoryBytes = await requireMemory(task, rows.length);
  await initPoseidon();
  const watch = new Stopwatch();
  const setting = settingOf(task, watch);
  const training = textTraining(textFamily(setting), setting);
  await training.requireTrainable(rows, recipe);
  await training.train(rows, recipe, {}).catch((error: unknown) => {
    if (!(error instanceof TuningPaused)) throw error;
  });
  const { heldOut = 0, tuning } = recipe;
  const stepMs = watch.ms / watch.steps;
  const load = (watch.begunAtMs - startedAtMs) / 1_000;
  const tune = (stepMs * tuning.steps) / 1_000;
  // A pass through each row, then the map: about as much again for few rows (a rule of thumb).
  const features = (stepMs / tuning.rowsPerStep / 1_000) * (rows.length + heldOut) * 2;
  return {
    tokenCount: watch.tokenCounts.reduce((sum, count) => sum + count, 0),
    longestRowTokens: Math.max(...watch.tokenCounts),
    measuredSteps: watch.steps,
    stepMs,
    tokensPerSecond: (1_000 * watch.tokens) / watch.ms,
    seconds: { load, tune, features, total: load + tune + features },
    memoryBytes,
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
