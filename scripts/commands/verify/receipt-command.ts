import type { Command } from "commander";
import { FOLDER_OPTION, LEAF_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addReceiptCommand(program: Command): void {
  const command = withOptions(
    program
      .command("receipt [payment]")
      .description(
        "follow the payment of an answer: whether it was drawn, payees and amounts, settlement and L1 transaction; without a payment, all payments of an account",
      ),
    {
      "--model <id>": "id of the model, if you name the payment by its receipt, not by its operation",
      ...LEAF_OPTION,
      "--top <count>": { about: "most rows to print", fallback: "10" },
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
      ...CIRCUITS_OPTION,
    },
  );
  withExample(command, "receipt --account nina", "receipt 0x1234…", "receipt 0x5678… --model 15 --json");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { showReceiptStatus } = await import("./receipt-status.ts");
    await showReceiptStatus(context);
  });
}
