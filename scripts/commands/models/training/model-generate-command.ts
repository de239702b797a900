import type { Command } from "commander";
import { TOKENS_OPTION } from "../../../cli/common-options.ts";
import { withFallback, withOptions } from "../../../cli/options.ts";
import { onRun, withExample } from "../../../cli/run-command.ts";
import { BASE_OPTION, KERNELS_OPTION, WEIGHTS_OPTION } from "../language-options.ts";

export function addModelGenerateCommand(parent: Command): void {
  const command = withOptions(
    parent.command("generate <prompt>").description("continue a text with a language model, on this machine"),
    {
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
  );
  withExample(command, 'models generate "The whale" --base default --tokens 32');
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { generateText } = await import("./model-generate.ts");
    await generateText(context);
  });
}
