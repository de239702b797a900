import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import type { RegisterOptions } from "./model-register.ts";

export function addModelRegisterCommand(parent: Command): void {
  const command = parent
    .command("register <folder>")
    .description(
      "open a trained model on the ledger, prove its earner table, and so make it ready for payments",
    )
    .option("--price <open>", "least payment for one answer", "0.5")
    .option("--amount <open>", "the model's first balance, which pays for its seals", "1")
    .option(...CIRCUITS_OPTION)
    .option(...PROVER_OPTION);
  withExample(command, "model register spam-model --price 0.5 --account mia");
  onRun<RegisterOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { registerModel } = await import("./model-register.ts");
    await registerModel(context);
  });
}
