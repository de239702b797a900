import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { addKernelsOption, type BaseCommandOptions } from "./language-options.ts";

export function addModelBaseCommand(parent: Command): void {
  const command = parent
    .command("base")
    .description("check the base model of this repository, or train it again to the same bytes")
    .option(
      "--derive <folder>",
      "train it in this folder, some 12 minutes; a killed run goes on where it was",
    )
    .option("--threads <n>", "threads of the training; the bytes do not depend on them", "1");
  addKernelsOption(command);
  withExample(command, "model base", "model base --derive again --threads 2");
  onRun<BaseCommandOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { checkBase, deriveAgain } = await import("./model-base.ts");
    await (context.options.derive === undefined ? checkBase(context) : deriveAgain(context));
  });
}
