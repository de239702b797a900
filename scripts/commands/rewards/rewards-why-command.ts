import type { Command } from "commander";
import { FOLDER_OPTION, LEAF_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addRewardsWhyCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("why <model> <epoch>")
      .description("list rewards row by row: the drawn answers that paid it, its score, and the amount"),
    {
      ...LEAF_OPTION,
      "--top <count>": { about: "most rows to print", fallback: "20" },
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
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
