import type { Command } from "commander";
import { FIRST_BALANCE_OPTION } from "../../cli/common-options.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";

export function addModelRegisterCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("register <folder>")
      .description("create a trained model on the ledger and activate it with a proof of its payee table"),
    {
      "--price <open>": { about: "price of one answer in OPEN: the least payment", fallback: "0.5" },
      ...FIRST_BALANCE_OPTION,
      ...CIRCUITS_OPTION,
      ...PROVER_OPTION,
    },
  );
  withExample(command, "models register spam-model --price 0.5 --account mia");
  onRun(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { registerModel } = await import("./model-register.ts");
    await registerModel(context);
  });
}
