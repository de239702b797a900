/** `openledger rewards what-if`: options of the command; what-if.ts runs it. */
import { LEAF_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export const addWhatIfCommand = command({
  usage: "what-if <id-or-folder>",
  about: "tune a language model again without some rows: what changes, and what their scores say",
  options: {
    "--without <rows>":
      "numbers of the rows to leave out, from 1 on, as 3,7-9; default: those that the leaf has contributed",
    ...LEAF_OPTION,
    "--prompt <text>": "question whose answer is compared, too",
    ...SERVER_OPTION,
    ...TEXT_BASE_OPTION,
    ...STORE_OPTION,
  },
  examples: [
    'rewards what-if 15 --without 3,7-9 --prompt "The state of the union"',
    "rewards what-if speeches --leaf bob",
  ],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./what-if.ts")).leaveRowsOut(context),
});
