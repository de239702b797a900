import { availableParallelism } from "node:os";
import { MAX_THREAD_COUNT } from "@openledger/models/kernels/kernels";
import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { BASE_OPTION, CARD, type TuneOptions } from "./language-options.ts";

export function addModelTuneCommand(parent: Command): void {
  const command = parent
    .command("tune")
    .description("tune a LoRA adapter of a language model on a text; a killed run goes on where it was")
    .requiredOption(...BASE_OPTION)
    .requiredOption("--text <file>", "what it learns")
    .requiredOption("--out <folder>", "a folder for the adapter, as PEFT keeps it")
    .option("--steps <n>", "steps of AdamW", "100")
    .option("--rank <n>", "of the adapter", "8")
    .option("--rate <number>", "how far a step goes", "0.001")
    .option("--row-tokens <n>", "tokens of a row", "128")
    .option("--rows-per-step <n>", "rows whose gradients make a step", "8")
    .option(
      "--threads <n>",
      "threads; the bytes do not depend on them",
      String(Math.min(availableParallelism(), MAX_THREAD_COUNT)),
    )
    .option("--seed <text>", "decides the adapter's start and the rows' order", "adapter");
  command.option(
    "--kernels <set>",
    `native, avx512, avx2 or wasm give the same bytes; ${CARD}, a graphics card, gives others that nobody can recompute, and keeps no state`,
    "native",
  );
  withExample(command, "model tune --base default --text notes.txt --out notes-adapter");
  onRun<TuneOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { tuneOnText } = await import("./model-tune.ts");
    await tuneOnText(context);
  });
}
