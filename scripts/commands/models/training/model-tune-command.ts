import { availableParallelism } from "node:os";
import { MAX_THREAD_COUNT } from "@openledger/models/kernels/kernels";
import type { Command } from "commander";
import { OUT_FOLDER_OPTION, THREADS_OPTION } from "../../../cli/common-options.ts";
import { required, withFallback, withOptions } from "../../../cli/options.ts";
import { onRun, withExample } from "../../../cli/run-command.ts";
import { BASE_OPTION, KERNELS_OPTION, WEIGHTS_OPTION } from "../language-options.ts";

export function addModelTuneCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("tune")
      .description("fine-tune a LoRA adapter of a language model on a text; an interrupted run resumes"),
    {
      ...BASE_OPTION,
      "--text <file>": { about: "file with the training text", isRequired: true },
      ...required(OUT_FOLDER_OPTION),
      "--steps <n>": { about: "number of AdamW steps", fallback: "100" },
      "--rank <n>": { about: "rank of the adapter", fallback: "8" },
      "--rate <number>": { about: "learning rate", fallback: "0.001" },
      ...withFallback(THREADS_OPTION, String(Math.min(availableParallelism(), MAX_THREAD_COUNT))),
      "--seed <text>": { about: "seed of the adapter's start and of the rows' order", fallback: "adapter" },
      ...withFallback(KERNELS_OPTION, "native"),
      ...WEIGHTS_OPTION,
    },
  );
  withExample(command, "models tune --base default --text notes.txt --out notes-adapter");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { tuneOnText } = await import("./model-tune.ts");
    await tuneOnText(context);
  });
}
