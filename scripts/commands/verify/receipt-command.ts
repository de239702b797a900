import type { Command } from "commander";
import { FOLDER_OPTION, LEAF_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export function addReceiptCommands(program: Command): void {
  const receipt = program.command("receipt").description("what became of an answer's payment");
  withExample(receipt, "receipt status --account nina");
  const command = withOptions(
    receipt
      .command("status [payment]")
      .description(
        "drawn or not, paid to whom and how much, by which settlement and L1 transaction; without a payment: all of an account's",
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
  withExample(
    command,
    "receipt status --account nina",
    "receipt status 0x1234… ",
    "receipt status 0x5678… --model 15 --json",
  );
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { showReceiptStatus } = await import("./receipt-status.ts");
    await showReceiptStatus(context);
  });
}
