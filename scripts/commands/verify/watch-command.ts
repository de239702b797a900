import { TEXT_BASE_OPTION } from "@openledger/models/registered/model-families";
import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import type { WatchCommandOptions } from "./watch-models.ts";

export function addWatchCommand(program: Command): void {
  const command = program
    .command("watch <disputes>")
    .description(
      "recompute every newly posted model and every claimed query from published files, and refute false ones on L1 before they count; without --account it only looks",
    )
    .option("--model <folder>", "a published model, instead of where it is served")
    .option("--models <folder>", "published models, each in a folder named by its id")
    .option("--server <url>", "where the models are served; default: what this machine knows")
    .option(...TEXT_BASE_OPTION)
    .option("--every <minutes>", "look again after so many minutes; default: once")
    .option(
      "--pay-demands",
      "demand leaves that nobody publishes: it costs a fee, which comes back unless they are shown",
    )
    .option("--most-demands <ether>", "with --pay-demands: spent on one posting at most", "0.5")
    .option(
      "--most-stake <ether>",
      "of one challenge of a query or of a row; default: eight times the contract's stake",
    );
  withExample(command, "watch 0x… --account walt", "watch 0x… --account walt --every 10");
  onRun<WatchCommandOptions>(command, async (context) => {
    // Loaded here: training would make every other command slower.
    const { watchModels } = await import("./watch-models.ts");
    await watchModels(context);
  });
}
