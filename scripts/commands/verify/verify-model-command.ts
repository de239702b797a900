import type { Command } from "commander";
import { CARD_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addVerifyModelCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("model <id-or-folder>")
      .description("retrain a model from the Datanet's rows and compare every published file"),
    {
      ...SERVER_OPTION,
      ...TEXT_BASE_OPTION,
      ...CARD_OPTION,
      ...STORE_OPTION,
      "--quick": "skip the training: compute features from the published parameters",
    },
  );
  withExample(command, "verify model 15", "verify model spam-model --quick");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { retrainAndCompare } = await import("./verify-model.ts");
    await retrainAndCompare(context);
  });
}
