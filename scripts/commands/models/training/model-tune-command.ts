/** `openledger models tune`: options of the command; model-tune.ts runs it. */
import { availableParallelism } from "node:os";
import { MAX_THREAD_COUNT } from "@openledger/models/engine/kernels/kernels";
import { OUT_FOLDER_OPTION, THREADS_OPTION } from "../../../cli/common-options.ts";
import { required, withFallback } from "../../../cli/options.ts";
import { command } from "../../../cli/run-command.ts";
import { BASE_OPTION, KERNELS_OPTION, WEIGHTS_OPTION } from "../language-options.ts";

export const addModelTuneCommand = command({
  usage: "tune",
  about: "fine-tune a LoRA adapter of a language model on a text; an interrupted run resumes",
  options: {
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
  examples: ["models tune --base default --text notes.txt --out notes-adapter"],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./model-tune.ts")).tuneOnText(context),
});
