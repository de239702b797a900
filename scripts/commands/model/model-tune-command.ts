import { availableParallelism } from "node:os";
import { MAX_THREAD_COUNT } from "@openledger/models/kernels/kernels";
import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { BASE_OPTION, CARD } from "./language-options.ts";

export function addModelTuneCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("tune")
      .description("tune a LoRA adapter of a language model on a text; a killed run goes on where it was"),
    {
      ...BASE_OPTION,
      "--text <file>": { about: "what it learns", isRequired: true },
      "--out <folder>": { about: "a folder for the adapter, as PEFT keeps it", isRequired: true },
      "--steps <n>": { about: "steps of AdamW", fallback: "100" },
      "--rank <n>": { about: "of the adapter", fallback: "8" },
      "--rate <number>": { about: "how far a step goes", fallback: "0.001" },
      "--row-tokens <n>": { about: "tokens of a row", fallback: "128" },
      "--rows-per-step <n>": { about: "rows whose gradients make a step", fallback: "8" },
      "--threads <n>": {
        about: "threads; the bytes do not depend on them",
        fallback: String(Math.min(availableParallelism(), MAX_THREAD_COUNT)),
      },
      "--seed <text>": { about: "decides the adapter's start and the rows' order", fallback: "adapter" },
      "--kernels <set>": {
        about: `native, avx512, avx2 or wasm give the same bytes; ${CARD}, a graphics card, gives others that nobody can recompute, and keeps no state`,
        fallback: "native",
      },
    },
  );
  withExample(command, "model tune --base default --text notes.txt --out notes-adapter");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { tuneOnText } = await import("./model-tune.ts");
    await tuneOnText(context);
  });
}
