/** An adapter tuned on rows that stay here: the same loop, and the same bytes, in a page's worker and in Node. */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { TextRow } from "@openledger/attribution/rows/text-rows";
import { usualTargets } from "@openledger/models/architecture/adapter-layout";
import type { TokenRow } from "@openledger/models/architecture/loss-gradient";
import { answerRow, textRows } from "@openledger/models/architecture/loss-gradient";
import { usualWeights } from "@openledger/models/architecture/model-shape";
import { encodeAdapter } from "@openledger/models/files/adapter-files";
import type { FileSource } from "@openledger/models/files/load-model";
import { type LoadedModel, loadModel, openModel } from "@openledger/models/files/load-model";
import { modelError } from "@openledger/models/model-errors";
import { openTokenizer, type TextTokens } from "@openledger/models/tokens/tokenizer";
import { generate } from "@openledger/models/training/generate";
import { meanLoss } from "@openledger/models/training/row-losses";
import {
  RowTeam,
  stepsPerLook,
  type TuningRecipe,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "@openledger/models/training/tune-adapter";
import type { TuneEvent, TuneSettings } from "./tune-messages.ts";

interface TuneSetting {
  readonly base: FileSource;
  readonly baseName: string;
  readonly rows: readonly TextRow[];
  readonly settings: TuneSettings;
  /** Under which name the state is kept, so that a run that ended goes on; null = nowhere. */
  readonly stateName: string | null;
  readonly threadCount: number;
  /** What the reader wishes; asked after each step. */
  readonly wish: () => "stop" | "pause" | undefined;
  readonly onEvent: (event: TuneEvent) => void;
}

/** The files of the adapter, as PEFT names them. */
type TunedFiles = readonly (readonly [name: string, bytes: Uint8Array])[];

const LEAST_STEPS = 20;
const HARDEST_ROWS = 5;
const EXCERPT_CHARACTERS = 120;
const SAMPLE_TOKENS = 40;
/** Of a held-out row, how much of it begins a sample. */
const PROMPT_TOKENS = 12;

/**
 * @returns the adapter's files
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_THREAD_ENDED, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE
 *   and what opening a base may; TuningPaused, with the state kept
 */
export async function tuneHere(setting: TuneSetting): Promise<TunedFiles> {
  const { base, baseName, onEvent, settings } = setting;
  onEvent({ kind: "stage", stage: "load", done: 0, total: 1 });
  const opened = await openModel(base);
  try {
    const { shape } = opened;
    const tokens = await openTokenizer(base, shape.vocabularySize);
    const rowTokens = Math.min(settings.rowTokens, shape.maxPositions);
    const all = tokensOfRows(tokens, setting.rows, rowTokens);
    const { heldOut, trained } = holdOut(all, settings);
    const recipe = recipeOf(settings, trained.length);
    const loaded = await loadModel(opened, {
      kernels: "wasm",
      maxRows: Math.min(shape.maxPositions, Math.max(rowTokens, PROMPT_TOKENS + SAMPLE_TOKENS)),
      isTraining: true,
      weights: usualWeights(opened.layout),
      adapter: { rank: settings.rank, alpha: 2 * settings.rank, targets: usualTargets(shape) },
      adapterBlocks: tuningBlocks(recipe),
      threadCount: setting.threadCount,
    });
    onEvent({ kind: "stage", stage: "train", done: 0, total: recipe.steps });
    const team = new RowTeam(loaded);
    try {
      await tune(setting, { loaded, team, tokens, recipe, trained, heldOut });
    } finally {
      await team.close();
    }
    const { adapter, kernels } = loaded.model;
    return encodeAdapter(shape, adapter!.layout, kernels.arena, adapter!.at, baseName);
  } finally {
    await opened.close();
  }
}

interface Parts {
  readonly loaded: LoadedModel;
  readonly team: RowTeam;
  readonly tokens: TextTokens;
  readonly recipe: TuningRecipe;
  readonly trained: readonly TokenRow[];
  readonly heldOut: readonly TokenRow[];
}

async function tune(setting: TuneSetting, parts: Parts): Promise<void> {
  const { onEvent, stateName, wish } = setting;
  const { heldOut, loaded, recipe, team, tokens, trained } = parts;
  const look = (step: number, loss: number | null) => {
    if (loss !== null) onEvent({ kind: "heldOut", step, loss, rowCount: heldOut.length });
    const prompt = (heldOut[0] ?? trained[0]!).tokens.slice(0, PROMPT_TOKENS);
    const answer = generate(loaded.model, prompt, { tokenCount: SAMPLE_TOKENS, temperature: 0, seed: "" });
    onEvent({ kind: "sample", step, prompt: tokens.decode(prompt), text: tokens.decode([...answer]) });
  };
  const lastLosses = new Map<number, number>();
  // The adapter is nothing yet: this is the base alone.
  look(0, heldOut.length === 0 ? null : meanLoss(heldOut, await team.losses(heldOut)));
  let startedMs = performance.now();
  let [seconds, tokenCount, firstStep] = [0, 0, 0];
  await tuneAdapter(loaded, team, trained, recipe, {
    ...(stateName === null ? {} : { folder: stateName }),
    stepsPerCheckpoint: stepsPerLook(recipe),
    heldOut,
    async afterStep({ heldOutLoss, loss, losses, rate, rows, step, tokenCount: count }) {
      seconds += (performance.now() - startedMs) / 1_000;
      tokenCount += count;
      if (firstStep === 0) firstStep = step;
      for (const [i, row] of rows.entries()) lastLosses.set(row, losses[i]!);
      const secondsLeft = ((recipe.steps - step) * seconds) / (step - firstStep + 1);
      const tokensPerSecond = tokenCount / seconds;
      onEvent({ kind: "step", step, loss, rate, tokenCount: count, tokensPerSecond, secondsLeft });
      // Lets messages in: a thread that only computes hears no wish.
      await new Promise((settle) => setTimeout(settle, 0));
      const wished = wish();
      if (wished !== undefined || step % stepsPerLook(recipe) === 0 || step === recipe.steps) {
        look(step, heldOutLoss);
        const hardest = [...lastLosses].sort((a, b) => b[1] - a[1]).slice(0, HARDEST_ROWS);
        onEvent({
          kind: "hardest",
          step,
          rows: hardest.map(([row, of]) => ({ row, loss: of, excerpt: excerptOf(tokens, trained[row]!) })),
        });
      }
      startedMs = performance.now();
      return wished;
    },
  });
}

/** A question and its answer are told apart. */
function excerptOf(tokens: TextTokens, { targets, tokens: read }: TokenRow): string {
  const all = [...read, ...targets.slice(-1)];
  const asked = targets.findIndex((target) => target >= 0) + 1;
  const parts = asked > 1 ? [all.slice(0, asked), all.slice(asked)] : [all];
  return parts
    .map((part) => tokens.decode(part).trim())
    .join(" → ")
    .slice(0, EXCERPT_CHARACTERS);
}

function recipeOf(settings: TuneSettings, rowCount: number): TuningRecipe {
  const { lastPart, rate, rounds, rowsPerStep, seed } = settings;
  const steps = Math.max(LEAST_STEPS, Math.ceil((rounds * rowCount) / rowsPerStep));
  const warmupSteps = Math.min(usualRecipe.warmupSteps, Math.ceil(steps / 10));
  return { ...usualRecipe, steps, rowsPerStep, rate, lastPart, warmupSteps, seed };
}

/** A longer text is several rows; a question with its answer stays whole. @throws MOD_INPUT_INVALID naming the row */
function tokensOfRows(tokens: TextTokens, rows: readonly TextRow[], rowTokens: number): TokenRow[] {
  return rows.flatMap((row, index) => {
    if ("text" in row) return textRows(tokens.encode(row.text), rowTokens);
    const made = answerRow(tokens.encode(row.prompt), tokens.encode(row.answer));
    const count = made.tokens.length + 1;
    if (count <= rowTokens) return [made];
    throw modelError("MOD_INPUT_INVALID", `row ${index} has ${count} tokens, a row takes ${rowTokens}`, {
      data: { field: "rows", index, count, most: rowTokens },
    });
  });
}

/** Drawn by lot; at least one row is left to train on. @throws MOD_INPUT_INVALID where there is none */
function holdOut(rows: readonly TokenRow[], { heldOutRows, seed }: TuneSettings) {
  const wanted = rows.filter(({ tokens }) => tokens.length > 0);
  if (wanted.length === 0)
    throw modelError("MOD_INPUT_INVALID", "there are no rows with two tokens or more", {
      data: { field: "rows" },
    });
  const order = new SeededRandom(`held out ${seed}`).permutation(wanted.length);
  const count = Math.min(heldOutRows, wanted.length - 1);
  const isHeldOut = new Set(order.slice(0, count));
  return {
    heldOut: wanted.filter((_, i) => isHeldOut.has(i)),
    trained: wanted.filter((_, i) => !isHeldOut.has(i)),
  };
}
