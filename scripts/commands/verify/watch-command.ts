import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addWatchCommand(program: Command): void {
  const command = withOptions(
    program
      .command("watch <disputes>")
      .description(
        "recompute every newly posted model and every claimed query from published files, and refute false ones on L1 before they count; without --account it only looks",
      ),
    {
      "--model <folder>": "a published model, instead of where it is served",
      "--models <folder>": "published models, each in a folder named by its id",
      "--server <url>": "where the models are served; default: what this machine knows",
      ...TEXT_BASE_OPTION,
      "--every <minutes>": "look again after so many minutes; default: once",
      "--pay-demands":
        "demand leaves that nobody publishes: it costs a fee, which comes back unless they are shown",
      "--most-demands <ether>": {
        about: "with --pay-demands: spent on one posting at most",
        fallback: "0.5",
      },
      "--most-stake <ether>":
        "of one challenge of a query or of a row; default: eight times the contract's stake",
    },
  );
  withExample(command, "watch 0x… --account walt", "watch 0x… --account walt --every 10");
  onRun(command, async (context) => {
    // Loaded here: training would make every other command slower.
    const { watchModels } = await import("./watch-models.ts");
    await watchModels(context);
  });
}
