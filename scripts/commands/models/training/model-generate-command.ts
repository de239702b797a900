/** `openledger models generate`: options of the command; model-generate.ts runs it. */
import { TOKENS_OPTION } from "../../../cli/common-options.ts";
import { withFallback } from "../../../cli/options.ts";
import { command } from "../../../cli/run-command.ts";
import { BASE_OPTION, KERNELS_OPTION, WEIGHTS_OPTION } from "../language-options.ts";

export const addModelGenerateCommand = command({
  usage: "generate <prompt>",
  about: "continue a text with a language model, on this machine",
  options: {
    ...BASE_OPTION,
    "--adapter <path>": "LoRA adapter of that base: a folder or URL",
    ...withFallback(TOKENS_OPTION, "64"),
    "--temperature <number>": {
      about: "sampling temperature; 0 always takes the most likely token",
      fallback: "0",
    },
    "--seed <text>": { about: "seed of the sampling above temperature 0", fallback: "0" },
    ...withFallback(KERNELS_OPTION, "native"),
    ...WEIGHTS_OPTION,
  },
  examples: ['models generate "The whale" --base default --tokens 32'],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./model-generate.ts")).generateText(context),
});
