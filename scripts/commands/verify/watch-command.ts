import type { Command } from "commander";
import { EVERY_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addWatchCommand(program: Command): void {
  const command = withOptions(
    program
      .command("watch <disputes>")
      .description(
        "recompute every newly committed model and every claimed query from published files, and refute false ones on L1 before they count; without --account it only looks",
      ),
    {
      "--model <folder>": "a published model, instead of where it is served",
      "--models <folder>": "published models, each in a folder named by its id",
      ...SERVER_OPTION,
      ...TEXT_BASE_OPTION,
      ...EVERY_OPTION,
      "--most-fees <ether>": {
        about:
          "at most, of one model commitment, for challenges of leaves that nobody publishes: a fee comes back unless its leaf is shown; 0 for none",
        fallback: "0.5",
      },
    },
  );
  withExample(command, "watch 0x… --account walt", "watch 0x… --account walt --every 10");
  onRun(command, async (context) => {
    // Loaded here: training would make every other command slower.
    const { watchModels } = await import("./watch-models.ts");
    await watchModels(context);
  });
}
