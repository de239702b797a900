import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { SCORES_OPTION } from "../../cli/scores-option.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addVerifySettlementCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("settlement <model> <epoch>")
      .description(
        "compute an epoch's draws, scores and totals again from L1 and what is published, and check its proof",
      ),
    {
      "--server <url>": "where the model is served; default: what this machine knows",
      "--folder <folder>": "your copy of the model; by default it is fetched from the server",
      ...SCORES_OPTION,
      ...CIRCUITS_OPTION,
    },
  );
  withExample(command, "verify settlement 15 1", "verify settlement 15 1 --folder spam-model");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { recomputeSettlement } = await import("./verify-settlement.ts");
    await recomputeSettlement(context);
  });
}
