/** `openledger receipt`: options of the command; receipt-status.ts runs it. */
import { FOLDER_OPTION, LEAF_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export const addReceiptCommand = command({
  usage: "receipt [payment]",
  about:
    "follow the payment of an answer: whether it was drawn, payees and amounts, settlement and L1 transaction; without a payment, all payments of an account",
  options: {
    "--model <id>": "id of the model, if you name the payment by its receipt, not by its operation",
    ...LEAF_OPTION,
    "--top <count>": { about: "maximum rows to print", fallback: "10" },
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    ...CIRCUITS_OPTION,
  },
  examples: ["receipt --account nina", "receipt 0x1234…", "receipt 0x5678… --model 15 --json"],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./receipt-status.ts")).showReceiptStatus(context),
});
