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
      .description("recompute an epoch's draws, scores and totals from public data, and check its proof"),
    {
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
      ...SCORES_OPTION,
      ...CIRCUITS_OPTION,
      "--prompts": "for a direct model: compare the prompts of drawn payments with their queries instead",
    },
  );
  withExample(
    command,
    "verify settlement 15 1",
    "verify settlement 15 1 --folder spam-model",
    "verify settlement 16 1 --prompts",
  );
  onRun(command, async (context) => {
    // Loaded here: they would make every other command slower.
    if (context.options.prompts === true) {
      const { comparePrompts } = await import("./verify-prompts.ts");
      return comparePrompts(context);
    }
    const { recomputeSettlement } = await import("./verify-settlement.ts");
    await recomputeSettlement(context);
  });
}
