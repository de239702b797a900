import { TEXT_BASE_OPTION } from "@openledger/models/registered/model-families";
import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import type { VerifyModelOptions } from "./verify-model.ts";

export function addVerifyModelCommand(parent: Command): void {
  const command = parent
    .command("model <id-or-folder>")
    .description(
      "train a model again from the datanet's rows and compare everything that was published of it",
    )
    .option("--server <url>", "where the model is served; default: what this machine knows")
    .option(...TEXT_BASE_OPTION)
    .option("--card <file>", "the datanet's card, where the model is published without it")
    .option("--rows <folder>", "a store with the rows, where the model is published without them")
    .option("--quick", "do not train again: features from the published parameters");
  withExample(command, "verify model 15", "verify model spam-model --quick");
  onRun<VerifyModelOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { retrainAndCompare } = await import("./verify-model.ts");
    await retrainAndCompare(context);
  });
}
