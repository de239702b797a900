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
        "what became of an answer's payment: drawn or not, paid to whom and how much, by which settlement and L1 transaction; without a payment, of all of an account's",
      ),
    {
      "--model <id>": "where the payment is named by the answer's receipt and not by its operation",
      ...LEAF_OPTION,
      "--top <count>": { about: "at most so many rows", fallback: "10" },
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
