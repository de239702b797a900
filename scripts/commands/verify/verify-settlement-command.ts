import type { Command } from "commander";
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
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
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
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
