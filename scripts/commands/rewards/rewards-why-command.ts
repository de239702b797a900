import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addRewardsWhyCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("why <model> <epoch>")
      .description("row by row: which drawn answers paid it, with which score, and how much"),
    {
      "--leaf <leaf>": "only rows of this leaf: an id, an account's name or an address",
      "--top <count>": { about: "at most so many rows", fallback: "20" },
      "--server <url>": "where the model is served; default: what this machine knows",
      "--folder <folder>": "your copy of the model; by default it is fetched from the server",
      ...CIRCUITS_OPTION,
    },
  );
  withExample(command, "rewards why 15 1", "rewards why 15 1 --leaf bob --top 5");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { explainRewards } = await import("./rewards-why.ts");
    await explainRewards(context);
  });
}
