/**
 * `openledger models base`: checks the base that ships, adds a published one for the factory, or derives the default base again
 * from its texts.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { MAX_THREAD_COUNT } from "@openledger/models/engine/kernels/kernels";
import {
  ADDED_BASES,
  BASE_FOLDER,
  BASE_HASHES,
  BASE_SHA256,
  defaultBase,
} from "@openledger/models/tuning/base/base-address";
import { deriveBase } from "@openledger/models/tuning/base/derive-base";
import { addBase } from "@openledger/models/tuning/recipe/add-base";
import { wordsOfBase, wordsOfPlan } from "@openledger/models/tuning/recipe/base-words";
import { forgetCheckpoint } from "@openledger/models/tuning/training/checkpoint";
import type { CommandContext } from "../../../cli/run-command.ts";
import { type BaseCommandOptions, parseCount } from "../language-options.ts";
import { parseKernels } from "./language-base.ts";

/** Checks the default base's files by their hashes, and prints its measured losses. @throws MOD_FILE_INVALID */
export async function checkBase({ output }: CommandContext<BaseCommandOptions>): Promise<void> {
  const source = defaultBase();
  for (const file of Object.keys(BASE_HASHES)) await (await source.open(file))?.close();
  const recipe = JSON.parse(await readFile(join(BASE_FOLDER, "recipe.json"), "utf8"));
  const bits = (nats: number) => (nats / Math.LN2).toFixed(3);
  const lines = [
    `the default base, in ${BASE_FOLDER}`,
    `it has read ${recipe.corpus.trainingBytes} bytes in ${recipe.passes} passes; of ${recipe.corpus.heldOutBytes} bytes that were held out it has`,
    `  ${bits(recipe.heldOutNatsPerByte)} bits a byte; counts of runs of up to 7 bytes of the same texts ${bits(recipe.ngramNatsPerByte)}, brotli ${bits(recipe.brotliNatsPerByte)}`,
    `model.safetensors has SHA-256 ${BASE_SHA256}, as expected`,
  ];
  output.answer(lines, { folder: BASE_FOLDER, sha256: BASE_HASHES });
}

/** Copies a published base into the factory's list. @throws MOD_… for what is refused; nothing is left of it */
export async function addToList({ options, output }: CommandContext<BaseCommandOptions>): Promise<void> {
  const added = await addBase(options.add!, ADDED_BASES, {
    kernels: parseKernels(options.kernels),
    token: process.env.HF_TOKEN || null,
    onPlan: (plan) => output.progress(wordsOfPlan(plan)),
    onProgress: ({ done, total }) =>
      output.progress(`${Math.round(done / 1e6)} of ${Math.round(total / 1e6)} MB copied`),
  });
  output.answer(wordsOfBase(added), added);
}

/** Trains the default base again; ends with status 1 if a byte differs. */
export async function deriveAgain({ options, output }: CommandContext<BaseCommandOptions>): Promise<void> {
  const folder = options.derive!;
  const threadCount = parseCount(options.threads, "--threads", 1, MAX_THREAD_COUNT);
  const kernels = parseKernels(options.kernels);
  const startedAtMs = performance.now();
  let tokens = 0;
  const files = await deriveBase({
    kernels,
    threadCount,
    folder,
    onStage: (stage) => output.progress(stage),
    onStep: ({ loss, step, steps, tokenCount }) => {
      tokens += tokenCount;
      const tokensPerSecond = Math.round((1000 * tokens) / (performance.now() - startedAtMs));
      const minutes = ((steps - step) * tokenCount) / tokensPerSecond / 60;
      output.progress(
        `step ${step} of ${steps}: ${loss.toFixed(3)} nats a token, ${tokensPerSecond} tokens/s, ${minutes.toFixed(1)} minutes to go`,
      );
    },
  });
  const hashes: Record<string, string> = {};
  for (const [name, bytes] of files) {
    await writeFileWhole(join(folder, name), bytes);
    hashes[name] = createHash("sha256").update(bytes).digest("hex");
  }
  await forgetCheckpoint(folder);
  const isSame = Object.entries(BASE_HASHES).every(([name, hash]) => hashes[name] === hash);
  const lines = [
    `model.safetensors has SHA-256 ${hashes["model.safetensors"]}`,
    isSame
      ? "every file has the bytes of this repository's base"
      : "this is NOT the base of this repository: its texts, its recipe or its code differ",
  ];
  output.answer(lines, { folder, sha256: hashes, isSame });
  if (!isSame) process.exitCode = 1;
}
