/** `openledger models ask`: options of the command; model-ask.ts runs it. */
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { command, WAIT_OPTION } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export const addModelAskCommand = command({
  usage: "ask <model> [prompt]",
  about:
    "ask a model, check the answer against your copy of the model, and pay for it. Ask a model of texts by a text, one of pictures by --file, and one of tables by --field",
  options: {
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    ...TEXT_BASE_OPTION,
    "--file <path>":
      "the question's file, in place of <prompt>: a picture (PNG, JPEG, WebP or GIF), a text, or a row in JSON",
    "--field <name=value...>":
      "a field of the row that a model of tables is asked about; fields that are not given are missing",
    "--min-assurance <levels>":
      "minimum assurance that you accept of answer, query and rows: believed, recomputed or proven; one level for all, or as answer=recomputed,rows=believed. Your machine recomputes what it can; below this level nothing is paid",
    "--private":
      "for a direct model: keep the prompt private even if its payment is drawn; then no one else can compare it",
    "--max-price <open>": "maximum OPEN that you pay; default: the answer's price",
    ...WAIT_OPTION,
    "--no-pay": "ask and check only; the next question is answered once this answer is paid or expired",
  },
  examples: [
    'models ask 15 "Subject: you have won a free cruise" --account nina',
    'models ask 15 "lunch at noon?" --no-pay --account nina',
    "models ask 17 --file photo.jpg --account nina",
    "models ask 18 --field age=46 --field city=Oslo --account nina",
    'models ask 16 "The state of the union" --min-assurance answer=recomputed --account nina',
  ],
  forcedAs: "models ask MODEL PROMPT --no-pay, then the openledger force that it prints",
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./model-ask.ts")).askAndPay(context),
});
