/**
 * Derivation of the base that ships: tokenizer and weights trained from public-domain texts, reproducible byte for byte by
 * `openledger models base --derive`. recipe.json names texts, settings, hashes and losses in nats a byte.
 */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants } from "node:zlib";
import { textRows } from "../../engine/architecture/loss-gradient.ts";
import { parameterLayout } from "../../engine/architecture/model-shape.ts";
import type { OpenModel } from "../../engine/files/load-model.ts";
import { type LoadedModel, loadModel } from "../../engine/files/load-model.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import { parseModelConfig } from "../../engine/files/model-config.ts";
import { encodeModel } from "../../engine/files/write-model.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { openTokenizer, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import { trainTokenizer } from "../../engine/tokens/train-tokenizer.ts";
import { type TrainingRecipe, trainingBlocks, trainWeights } from "../training/train-weights.ts";
import type { TuningProgress } from "../training/tune-adapter.ts";
import { RowTeam } from "../training/tune-adapter.ts";
import { type BaseCorpus, baseCorpus, CORPUS_PACKAGES, ngramNatsPerByte } from "./base-corpus.ts";
import {
  baseConfig,
  PASSES,
  ROW_TOKENS,
  tokenizerConfig,
  tokenizerRecipe,
  trainingRecipe,
} from "./base-recipe.ts";

interface DeriveOptions {
  readonly kernels: KernelChoice;
  readonly threadCount: number;
  /** Folder of the state, so that a killed run goes on. */
  readonly folder: string;
  readonly onStep?: (progress: TuningProgress & { readonly steps: number }) => void;
  readonly onStage?: (stage: string) => void;
}

/** Bytes of a file by its name. */
type BaseFiles = ReadonlyMap<string, Uint8Array>;

/** Steps between two states on disk: a kill costs some minutes at most. */
const STEPS_PER_CHECKPOINT = 50;

/**
 * Trains the base from its texts: the same files on every machine, whatever kernels and however many threads.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_THREAD_ENDED, MOD_ENGINE_UNAVAILABLE
 */
export async function deriveBase(options: DeriveOptions): Promise<BaseFiles> {
  const { onStage = () => undefined } = options;
  const corpus = baseCorpus();
  onStage(`training the tokenizer on ${corpus.training.length} texts`);
  const config = jsonBytes(baseConfig);
  const files = new Map([
    ["config.json", config],
    ["tokenizer.json", new TextEncoder().encode(trainTokenizer(corpus.training, tokenizerRecipe))],
    ["tokenizer_config.json", jsonBytes(tokenizerConfig)],
  ]);
  const tokenizer = await openTokenizer(memorySource("base", files), baseConfig.vocab_size);
  const rows = textRows(tokensOf(tokenizer, corpus.training), ROW_TOKENS);
  const recipe = { ...trainingRecipe, steps: Math.ceil((PASSES * rows.length) / trainingRecipe.rowsPerStep) };
  const loaded = await loadModel(emptyModel(config), {
    kernels: options.kernels,
    maxRows: ROW_TOKENS,
    isTraining: true,
    fullBlocks: trainingBlocks(recipe),
    threadCount: options.threadCount,
  });
  const team = new RowTeam(loaded);
  try {
    onStage(`training on ${rows.length} rows in ${recipe.steps} steps`);
    await trainWeights(loaded, team, rows, recipe, {
      folder: options.folder,
      stepsPerCheckpoint: STEPS_PER_CHECKPOINT,
      onStep: (progress) => options.onStep?.({ ...progress, steps: recipe.steps }),
    });
    const { kernels, layout, parameters, shape } = loaded.model;
    files.set("model.safetensors", encodeModel(shape, layout, kernels.arena, parameters, "F16"));
    onStage("measuring on the texts that were held out");
    files.set("recipe.json", jsonBytes(await describe(files, loaded, team, tokenizer, corpus, recipe)));
  } finally {
    await team.close();
  }
  return files;
}

/** Model without files to load: training begins with weights of its own. */
function emptyModel(config: Uint8Array): OpenModel {
  const shape = parseModelConfig(config);
  return {
    shape,
    layout: parameterLayout(shape),
    load: async () => undefined,
    close: async () => undefined,
  };
}

/** One text after another, each with its end. */
function tokensOf(tokenizer: TextTokens, texts: readonly string[]): number[] {
  return texts.flatMap((text) => [...tokenizer.encode(text), baseConfig.eos_token_id]);
}

async function describe(
  files: BaseFiles,
  loaded: LoadedModel,
  team: RowTeam,
  tokenizer: TextTokens,
  { heldOut, training }: BaseCorpus,
  recipe: TrainingRecipe,
) {
  const bytesOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const nats = await natsOf(loaded, team, tokensOf(tokenizer, heldOut));
  const rounded = (value: number) => Math.round(10_000 * value) / 10_000;
  const hashes = [...files].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]);
  return {
    command: "openledger models base --derive FOLDER",
    corpus: {
      packages: CORPUS_PACKAGES,
      texts: "Moby Dick; State of the Union speeches before 1946; every 25th chapter or speech held out",
      rights: "public domain; the packages' data are under PDDL 1.0 and CC0 1.0",
      trainingBytes: bytesOf(training),
      heldOutBytes: bytesOf(heldOut),
    },
    tokenizer: tokenizerRecipe,
    rowTokens: ROW_TOKENS,
    passes: PASSES,
    training: recipe,
    heldOutNatsPerByte: rounded(nats / bytesOf(heldOut)),
    ngramNatsPerByte: rounded(ngramNatsPerByte(training, heldOut)),
    brotliNatsPerByte: rounded(brotliNatsPerByte(heldOut)),
    sha256: Object.fromEntries(hashes),
  };
}

/** Loss of a compressor on the text alone, in nats a byte. */
function brotliNatsPerByte(texts: readonly string[]): number {
  const bytes = Buffer.from(texts.join(""));
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  return (8 * Math.LN2 * brotliCompressSync(bytes, { params }).length) / bytes.length;
}

/** The whole loss of a text in rows, in nats. */
async function natsOf({ model }: LoadedModel, team: RowTeam, tokens: readonly number[]): Promise<number> {
  const rows = textRows(tokens, ROW_TOKENS);
  const losses = await team.run(
    rows.map((row) => ({ row, block: { at: model.parameters, floatCount: 0 }, into: null })),
  );
  return losses.reduce((sum, loss, i) => sum + loss * rows[i]!.tokens.length, 0);
}

const jsonBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
