import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";
import type { ReceiptStatusOptions } from "./receipt-status.ts";

export function addReceiptCommands(program: Command): void {
  const receipt = program.command("receipt").description("what became of an answer's payment");
  withExample(receipt, "receipt status --account nina");
  const command = receipt
    .command("status [payment]")
    .description(
      "drawn or not, paid to whom and how much, by which settlement and L1 transaction; without a payment: all of an account's",
    )
    .option("--model <id>", "where the payment is named by the answer's receipt and not by its operation")
    .option("--leaf <leaf>", "whose payments: an id, an account's name or an address; default: --account")
    .option("--top <count>", "at most so many rows", "10")
    .option("--server <url>", "where the model is served; default: what this machine knows")
    .option("--folder <folder>", "your copy of the model; by default it is fetched from the server")
    .option(...CIRCUITS_OPTION);
  withExample(
    command,
    "receipt status --account nina",
    "receipt status 0x1234… ",
    "receipt status 0x5678… --model 15 --json",
  );
  onRun<ReceiptStatusOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { showReceiptStatus } = await import("./receipt-status.ts");
    await showReceiptStatus(context);
  });
}
