import type { Command } from "commander";
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, WAIT_OPTION, withExample } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export function addModelAskCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("ask <model> <prompt>")
      .description("ask a model, check its answer against your own copy of it, and pay for it"),
    {
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
      ...TEXT_BASE_OPTION,
      "--least <levels>":
        "the least you accept of answer, query and rows: believed, recomputed, disputable or proven; one level for all, or as answer=recomputed,rows=disputable. What your machine can compute, it computes; else nothing is paid",
      "--spans-root <hex>": "of an index that you have made or trust: verbatim spans are checked against it",
      "--private":
        "of a direct model: the prompt is not published even if its payment is drawn; nobody else can compare it then",
      "--max-price <open>": "the most that you pay; default: what the answer asks",
      "--no-pay": "only ask and check; another question is answered once this one is paid or expired",
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
