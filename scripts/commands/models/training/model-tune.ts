/**
 * `openledger models tune`: tunes an adapter on a text file, without a ledger, and writes it as PEFT has it. Losses are in nats
 * a token.
 */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { counted } from "@openledger/foundation/counted";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { usualTargets } from "@openledger/models/engine/architecture/adapter-layout";
import { textRows } from "@openledger/models/engine/architecture/loss-gradient";
import { encodeAdapter } from "@openledger/models/engine/files/adapter-files";
import { loadModel, openModel } from "@openledger/models/engine/files/load-model";
import { MAX_THREAD_COUNT } from "@openledger/models/engine/kernels/kernels";
import { begun, openTokenizer } from "@openledger/models/engine/tokens/tokenizer";
import { baseSourceAt } from "@openledger/models/tuning/base/base-address";
import { forgetCheckpoint } from "@openledger/models/tuning/training/checkpoint";
import { lossWords, rowsLoss, type TuningLosses } from "@openledger/models/tuning/training/row-losses";
import {
  RowTeam,
  type TuningProgress,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "@openledger/models/tuning/training/tune-adapter";
import { commandError } from "../../../cli/cli-errors.ts";
import { readTextFile } from "../../../cli/read-text-file.ts";
import type { CommandContext } from "../../../cli/run-command.ts";
import { parseCount, parseNumber, type TuneOptions } from "../language-options.ts";
import { parseKernels, parseWeights } from "./language-base.ts";

/** Tokens of a row: small enough for any base on two cores. */
const ROW_TOKENS = 128;
/** Rows whose gradients make a step. */
const ROWS_PER_STEP = 8;

/** Tunes the adapter; a run that was killed goes on from its checkpoint. */
export async function tuneOnText({ options, output }: CommandContext<TuneOptions>): Promise<void> {
  const threadCount = parseCount(options.threads, "--threads", 1, MAX_THREAD_COUNT);
  const recipe = {
    ...usualRecipe,
    steps: parseCount(options.steps, "--steps", 1, 1_000_000),
    rowsPerStep: ROWS_PER_STEP,
    rate: parseNumber(options.rate, "--rate", 1e-7, 0.5),
    seed: options.seed,
  };
  const rank = parseCount(options.rank, "--rank", 1, 1_024);
  const kernels = parseKernels(options.kernels);
  if (await isFile(join(options.out, "adapter_config.json")))
    throw commandError("CMD_USAGE", `${options.out} has an adapter already: name another folder`);
  const text = await readTextFile(options.text);
  const source = baseSourceAt(options.base);
  const opened = await openModel(source);
  const { loaded, rows } = await (async () => {
    try {
      const tokenizer = await openTokenizer(source, opened.shape.vocabularySize);
      const made = textRows(begun(tokenizer, tokenizer.encode(text)), ROW_TOKENS);
      if (made.length === 0) throw commandError("CMD_USAGE", `${options.text} has too little text`);
      const weights = parseWeights(options.weights, opened.layout);
      output.progress(`loading ${source.name} as ${weights}`);
      const placed = await loadModel(opened, {
        kernels,
        maxRows: ROW_TOKENS,
        isTraining: true,
        weights,
        adapter: { rank, alpha: 2 * rank, targets: usualTargets(opened.shape) },
        adapterBlocks: tuningBlocks(recipe),
        threadCount,
      });
      return { loaded: placed, rows: made };
    } finally {
      await opened.close();
    }
  })();
  const onStep = ({ loss, step }: TuningProgress) =>
    output.progress(`step ${step} of ${recipe.steps}: ${loss.toFixed(3)} nats a token`);
  const team = new RowTeam(loaded);
  const lossNow = async () => rowsLoss(rows, await team.losses(rows), Buffer.byteLength(text));
  let losses: TuningLosses;
  try {
    const before = await lossNow();
    const keptStep = await tuneAdapter(loaded, team, rows, recipe, { folder: options.out, onStep });
    const trained = { rowCount: rows.length, before, after: await lossNow() };
    losses = { steps: recipe.steps, keptStep, trained, heldOut: null };
  } finally {
    await team.close();
  }
  const { adapter, kernels: own, layout, shape } = loaded.model;
  const files = encodeAdapter(shape, adapter!.layout, own.arena, adapter!.at, options.base);
  // The configuration last: without it there is no adapter.
  for (const [name, bytes] of files.reverse()) {
    await writeFileWhole(join(options.out, name), bytes);
  }
  await forgetCheckpoint(options.out);
  const sha256 = createHash("sha256").update(files[0]![1]).digest("hex");
  const lines = [
    `an adapter of rank ${rank}, tuned on ${counted(rows.length, "row")} in ${recipe.steps} steps by a base of ${layout.weights}, in ${options.out}`,
    ...lossWords(losses),
    `adapter_model.safetensors has SHA-256 ${sha256}: the same on every machine`,
  ];
  output.answer(lines, {
    folder: options.out,
    rowCount: rows.length,
    steps: recipe.steps,
    rank,
    weights: layout.weights,
    sha256,
    losses,
  });
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
