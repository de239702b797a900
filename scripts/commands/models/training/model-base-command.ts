/** `openledger models base`: options of the command; model-base.ts runs it. */
import { ADDED_BASES } from "@openledger/models/tuning/base/base-address";
import { THREADS_OPTION } from "../../../cli/common-options.ts";
import { withFallback } from "../../../cli/options.ts";
import { command } from "../../../cli/run-command.ts";
import { KERNELS_OPTION } from "../language-options.ts";

export const addModelBaseCommand = command({
  usage: "base",
  about: "check the base model of this repository, retrain it, or add another to the factory's list",
  options: {
    "--add <place>": `copy a base from a folder, a URL or a hub (owner/name[@revision]) into ${ADDED_BASES}, and test it`,
    "--derive <folder>": "train it in this folder, an hour or two; an interrupted run resumes",
    ...withFallback(THREADS_OPTION, "1"),
    ...withFallback(KERNELS_OPTION, "native"),
  },
  examples: ["models base", "models base --add HuggingFaceTB/SmolLM2-135M"],
  run: async (context) => {
    // Loaded here: it would make every other command slower.
    const { addToList, checkBase, deriveAgain } = await import("./model-base.ts");
    const { add, derive } = context.options;
    const run = add !== undefined ? addToList : derive !== undefined ? deriveAgain : checkBase;
    await run(context);
  },
});
