import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

/** Many language models at once. */
export function addModelsCommands(parent: Command): void {
  const models = parent.command("models").description("many language models on one base");
  withExample(models, "models serve --base FOLDER --adapters FOLDER");
  const command = withOptions(
    models.command("serve").description("serve one base and a folder of LoRA adapters over OpenAI's API"),
    {
      "--base <folder>": "the base model: config.json and safetensors",
      "--adapters <folder>": "adapters, each a folder as PEFT writes it",
      "--host <address>": "where to listen",
      "--port <number>": "where to listen; 0 = any free one",
      "--registered <folder>": "answer for receipts: published models, each folder named by its model's leaf",
      "--spans <folder>":
        "with --registered: indexes of versions' texts (datanet index), for answers' verbatim spans",
      "--claim":
        "with --registered: claim drawn receipts of each model that promises it, with a bond each, and defend the claims; needs --account, the claimant of all",
      "--threads <n>": "threads, each with a batch of its own",
      "--batch <n>": "requests at once of each thread",
      "--kernels <set>": "native, avx512, avx2 or wasm; all give the same bytes",
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
