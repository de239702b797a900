import type { Command } from "commander";
import { CLAIM_OPTION, LISTEN_OPTIONS, THREADS_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KERNELS_OPTION } from "../model/language-options.ts";

/** Many language models at once. */
export function addModelsCommands(parent: Command): void {
  const models = parent.command("models").description("many language models on one base");
  withExample(models, "models serve --base FOLDER --adapters FOLDER");
  const command = withOptions(
    models.command("serve").description("serve one base and a folder of LoRA adapters over OpenAI's API"),
    {
      "--base <folder>": "the base model: config.json and safetensors",
      "--adapters <folder>": "adapters, each a folder as PEFT writes it",
      ...LISTEN_OPTIONS,
      "--registered <folder>": "answer for receipts: published models, each folder named by its model's leaf",
      "--spans <folder>":
        "with --registered: indexes of versions' texts (datanet index), for answers' verbatim spans",
      ...CLAIM_OPTION,
      ...THREADS_OPTION,
      "--batch <n>": "requests at once of each thread",
      ...KERNELS_OPTION,
    },
  );
  withExample(
    command,
    "models serve --base models/smollm2 --adapters adapters --port 8798",
    "models serve --base models/smollm2 --adapters adapters --registered published",
    "models serve --base models/smollm2 --adapters adapters --registered published --claim --account mia",
  );
  onRun(command, async ({ options, output }) => {
    // Loaded here: it would make every other command slower.
    const { serveUntilStopped } = await import("./models-serve.ts");
    await serveUntilStopped(options, output);
  });
}
