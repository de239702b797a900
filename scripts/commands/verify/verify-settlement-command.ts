/** `openledger verify settlement`: options of the command; verify-settlement.ts runs it, verify-prompts.ts with --prompts. */
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { SCORES_OPTION } from "../../cli/scores-option.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export const addVerifySettlementCommand = command({
  usage: "settlement <model> <epoch>",
  about: "recompute an epoch's draws, scores and totals from public data, and check its proof",
  options: {
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    ...SCORES_OPTION,
    ...CIRCUITS_OPTION,
    "--prompts": "for a direct model: compare the prompts of drawn payments with their queries instead",
  },
  examples: [
    "verify settlement 15 1",
    "verify settlement 15 1 --folder my-model",
    "verify settlement 16 1 --prompts",
  ],
  run: async (context) => {
    // Loaded here: they would make every other command slower.
    if (context.options.prompts === true) {
      const { comparePrompts } = await import("./verify-prompts.ts");
      return comparePrompts(context);
    }
    const { recomputeSettlement } = await import("./verify-settlement.ts");
    await recomputeSettlement(context);
  },
});
