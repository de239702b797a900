import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KERNELS_OPTION } from "./language-options.ts";

export function addModelBaseCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("base")
      .description("check the base model of this repository, or train it again to the same bytes"),
    {
      "--derive <folder>": "train it in this folder, some 12 minutes; a killed run goes on where it was",
      "--threads <n>": { about: "threads of the training; the bytes do not depend on them", fallback: "1" },
      ...KERNELS_OPTION,
    },
  );
  withExample(command, "model base", "model base --derive again --threads 2");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { checkBase, deriveAgain } = await import("./model-base.ts");
    await (context.options.derive === undefined ? checkBase(context) : deriveAgain(context));
  });
}
