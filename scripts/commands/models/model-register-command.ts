/** `openledger models register`: options of the command; model-register.ts runs it. */
import { FIRST_BALANCE_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";

export const addModelRegisterCommand = command({
  usage: "register <folder>",
  about: "create a trained model on the ledger and activate it with a proof of its payee table",
  options: {
    "--price <open>": { about: "price of one answer in OPEN: the least payment", fallback: "0.5" },
    ...FIRST_BALANCE_OPTION,
    ...CIRCUITS_OPTION,
    ...PROVER_OPTION,
    ...ANY_HOST_OPTION,
  },
  examples: ["models register my-model --price 0.5 --account mia"],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./model-register.ts")).registerModel(context),
});
