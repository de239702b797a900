import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";
import type { WhyOptions } from "./rewards-why.ts";

export function addRewardsWhyCommand(parent: Command): void {
  const command = parent
    .command("why <model> <epoch>")
    .description("row by row: which drawn answers paid it, with which score, and how much")
    .option("--leaf <leaf>", "only rows of this leaf: an id, an account's name or an address")
    .option("--top <count>", "at most so many rows", "20")
    .option("--server <url>", "where the model is served; default: what this machine knows")
    .option("--folder <folder>", "your copy of the model; by default it is fetched from the server")
    .option(...CIRCUITS_OPTION);
  withExample(command, "rewards why 15 1", "rewards why 15 1 --leaf bob --top 5");
  onRun<WhyOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { explainRewards } = await import("./rewards-why.ts");
    await explainRewards(context);
  });
}
