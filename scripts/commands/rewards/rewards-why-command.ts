/** `openledger rewards why`: options of the command; rewards-why.ts runs it. */
import { FOLDER_OPTION, LEAF_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";

export const addRewardsWhyCommand = command({
  usage: "why <model> <epoch>",
  about: "list rewards row by row: the drawn answers that paid it, its score, and the amount",
  options: {
    ...LEAF_OPTION,
    "--top <count>": { about: "maximum rows to print", fallback: "20" },
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    ...CIRCUITS_OPTION,
  },
  examples: ["rewards why 15 1", "rewards why 15 1 --leaf bob --top 5"],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./rewards-why.ts")).explainRewards(context),
});
