import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { addKernelsOption, BASE_OPTION, type GenerateOptions } from "./language-options.ts";

export function addModelGenerateCommand(parent: Command): void {
  const command = parent
    .command("generate <prompt>")
    .description("let a language model go on with a text, on this machine")
    .requiredOption(...BASE_OPTION)
    .option("--adapter <path>", "a LoRA adapter of that base: a folder or an address")
    .option("--tokens <n>", "most tokens of the answer", "64")
    .option("--temperature <number>", "0 takes the likeliest token each time", "0")
    .option("--seed <text>", "decides what is drawn above temperature 0", "0");
  addKernelsOption(command);
  withExample(command, 'model generate "The whale" --base default --tokens 32');
  onRun<GenerateOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { generateText } = await import("./model-generate.ts");
    await generateText(context);
  });
}
