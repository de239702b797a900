import type { Command } from "commander";
import { THREADS_OPTION } from "../../../cli/common-options.ts";
import { withFallback, withOptions } from "../../../cli/options.ts";
import { onRun, withExample } from "../../../cli/run-command.ts";
import { KERNELS_OPTION } from "../language-options.ts";

export function addModelBaseCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("base")
      .description("check the base model of this repository, or retrain it to the same bytes"),
    {
      "--derive <folder>": "train it in this folder, about 12 minutes; an interrupted run resumes",
      ...withFallback(THREADS_OPTION, "1"),
      ...withFallback(KERNELS_OPTION, "native"),
    },
  );
  withExample(command, "models base", "models base --derive again --threads 2");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { checkBase, deriveAgain } = await import("./model-base.ts");
    await (context.options.derive === undefined ? checkBase(context) : deriveAgain(context));
  });
}
