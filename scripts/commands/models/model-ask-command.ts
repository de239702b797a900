import type { Command } from "commander";
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, WAIT_OPTION, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { FORCED_OPTION, MAX_FEE_OPTION, UNCHECKED_OPTION } from "../money/forced-operation.ts";

export function addModelAskCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("ask <model> <prompt>")
      .description("ask a model, check the answer against your copy of the model, and pay for it"),
    {
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
      ...TEXT_BASE_OPTION,
      "--least <levels>":
        "least assurance that you accept of answer, query and rows: believed, recomputed, disputable or proven; one level for all, or as answer=recomputed,rows=disputable. Your machine recomputes what it can; below this level nothing is paid",
      "--spans-root <hex>": "root of an index that you made or trust: verbatim spans are checked against it",
      "--private":
        "for a direct model: keep the prompt private even if its payment is drawn; then no one else can compare it",
      "--max-price <open>": "most OPEN that you pay; default: the answer's price",
      ...FORCED_OPTION,
      ...UNCHECKED_OPTION,
      ...MAX_FEE_OPTION,
      "--no-pay": "ask and check only; the next question is answered once this answer is paid or expired",
      ...WAIT_OPTION,
    },
  );
  withExample(
    command,
    'models ask 15 "Subject: you have won a free cruise" --account nina',
    'models ask 15 "lunch at noon?" --no-pay --account nina',
    'models ask 16 "The state of the union" --least answer=recomputed --account nina',
  );
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { askAndPay } = await import("./model-ask.ts");
    await askAndPay(context);
  });
}
