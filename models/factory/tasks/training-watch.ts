/**
 * Live figures of a training job: each step's loss (nats a token), speed, time left, held-out loss, sample answers and the
 * hardest rows. train-task.ts hands it to the tuning; it sends events to the worker.
 */
import type { AdapterLayout } from "../../engine/architecture/adapter-layout.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import { encodeAdapter } from "../../engine/files/adapter-files.ts";
import { excerptOfRow, promptOfRow } from "../../tuning/recipe/row-prompts.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { promptOf, rowQuestion } from "../../tuning/recipe/text-tokens.ts";
import { stepsAfter, type TuningRun, type TuningWatch } from "../../tuning/recipe/text-training.ts";
import { generate } from "../../tuning/training/generate.ts";
import { meanLoss } from "../../tuning/training/row-losses.ts";
import { stepsPerLook, type TuningStep, type TuningWish } from "../../tuning/training/tune-adapter.ts";
import type { NewJobEvent } from "../factory-api.ts";
import type { Say, TaskWish } from "./task-messages.ts";

/** Tokens of a sample answer. */
const SAMPLE_TOKENS = 32;
/** Rows with the highest losses, as a look lists them. */
const HARDEST_ROWS = 8;
/** Steps whose mean time tells how long the rest takes. */
const RECENT_STEPS = 16;

/** Steps that may run ahead of the database. */
const MAX_UNSTORED = 16;

interface WatchOptions {
  readonly recipe: TextRecipe;
  readonly samplePrompts: readonly string[];
  /** Last step reported before a kill; −1 = not even the base alone. */
  readonly saidStep: number;
  readonly say: Say;
  readonly wish: () => TaskWish | null;
}

/** Reports every step and state to the worker, and measures the model at intervals. Nothing of it changes the model's bytes. */
export class TrainingWatch implements TuningWatch {
  readonly #options: WatchOptions;
  readonly #lossOf = new Map<number, number>();
  readonly #recent: { readonly ms: number; readonly tokenCount: number }[] = [];
  #lastMs = performance.now();
  #prompts: readonly string[] = [];
  #adapterConfig: Uint8Array = new Uint8Array(0);
  /** Messages that may not be in the database yet. */
  readonly #unstored: Promise<void>[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** adapter_config.json as PEFT has it. */
  get adapterConfig(): Uint8Array {
    return this.#adapterConfig;
  }

  async begin(run: TuningRun): Promise<void> {
    const { recipe, saidStep, samplePrompts } = this.#options;
    const { adapter, kernels, shape } = run.placed.loaded.model;
    const { at, layout } = adapter as { at: number; layout: AdapterLayout };
    this.#adapterConfig = encodeAdapter(shape, layout, kernels.arena, at, recipe.base.name)[0]![1];
    const own = run.heldOut
      .map((i) => promptOfRow(run.texts[i]!)?.prompt)
      .filter((text) => text !== undefined);
    this.#prompts = samplePrompts.length > 0 ? samplePrompts : own.slice(0, 2);
    if (saidStep < 0) {
      const rows = run.heldOut.map((i) => run.tokens[i]!);
      const loss = rows.length === 0 ? null : meanLoss(rows, await run.team.losses(rows));
      await this.#options.say({ kind: "events", step: 0, events: this.#look(run, 0, loss) });
    }
    this.#lastMs = performance.now();
  }

  async afterStep(run: TuningRun, step: TuningStep): Promise<TuningWish | undefined> {
    const { recipe, saidStep, say, wish } = this.#options;
    const { steps } = recipe.tuning;
    // Messages are read here: with one thread nothing else lets them in.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [i, row] of step.rows.entries()) this.#lossOf.set(row, step.losses[i]!);
    const nowMs = performance.now();
    this.#recent.push({ ms: nowMs - this.#lastMs, tokenCount: step.tokenCount });
    if (this.#recent.length > RECENT_STEPS) this.#recent.shift();
    this.#lastMs = nowMs;
    const currentWish = wish() ?? undefined;
    const isLook = step.step % stepsPerLook(recipe.tuning) === 0;
    const isLast = step.step === steps || currentWish === "stop";
    if (step.step > saidStep || currentWish === "stop") {
      const { loss, rate, tokenCount } = step;
      const events: NewJobEvent[] = [
        { kind: "step", step: step.step, loss, rate, tokenCount, ...this.#speed(run, steps - step.step) },
      ];
      if (isLook || isLast) events.push(...this.#look(run, step.step, step.heldOutLoss));
      this.#unstored.push(say({ kind: "events", step: step.step, events }));
      if (this.#unstored.length > MAX_UNSTORED) await this.#unstored.shift();
    }
    return currentWish;
  }

  async beforeState(): Promise<void> {
    await Promise.all(this.#unstored.splice(0));
  }

  async afterState(step: number): Promise<void> {
    await this.#options.say({ kind: "checkpoint", step });
  }

  #speed(run: TuningRun, stepsLeft: number) {
    const ms = this.#recent.reduce((sum, step) => sum + step.ms, 0);
    const tokenCount = this.#recent.reduce((sum, step) => sum + step.tokenCount, 0);
    const stepMs = ms / this.#recent.length;
    return {
      tokensPerSecond: (1_000 * tokenCount) / ms,
      secondsLeft: (stepMs * (stepsLeft + stepsAfter(this.#options.recipe, run.texts.length))) / 1_000,
    };
  }

  #look(run: TuningRun, step: number, loss: number | null): NewJobEvent[] {
    const events: NewJobEvent[] = [];
    const { heldOut, placed, texts } = run;
    if (loss !== null) events.push({ kind: "heldOut", step, loss, rowCount: heldOut.length });
    for (const prompt of this.#prompts)
      events.push({ kind: "sample", step, prompt, text: this.#continue(placed.loaded.model, run, prompt) });
    const rows = [...this.#lossOf]
      .sort(([a, lossOfA], [b, lossOfB]) => lossOfB - lossOfA || a - b)
      .slice(0, HARDEST_ROWS)
      .map(([row, loss]) => ({ row, loss, excerpt: excerptOfRow(texts[row]!) }));
    if (rows.length > 0) events.push({ kind: "hardest", step, rows });
    return events;
  }

  #continue(model: Transformer, { placed }: TuningRun, prompt: string): string {
    const { answers, rowTokens } = this.#options.recipe;
    const question = placed.tokens.encode(rowQuestion(placed.tokens, prompt, this.#options.recipe));
    const promptTokens = promptOf(this.#options.recipe, question).slice(
      0,
      Math.max(1, rowTokens - SAMPLE_TOKENS),
    );
    const tokenCount = Math.min(SAMPLE_TOKENS, rowTokens - promptTokens.length);
    if (promptTokens.length === 0 || tokenCount < 1) return "";
    const options = { ...answers, tokenCount, temperature: 0, seed: "sample" };
    return placed.tokens.decode([...generate(model, promptTokens, options)]);
  }
}
