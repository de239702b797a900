/** `openledger verify model`: options of the command; sign-recomputation.ts runs it. */
import { CARD_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { command } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { ANY_HOST_OPTION, UNSIGNED_OPTION } from "../datanet/host-options.ts";

export const addVerifyModelCommand = command({
  usage: "model <id-or-folder>",
  about:
    "retrain a model from the Datanet's rows and compare every published file; with a host also its labels with the signed records",
  options: {
    ...SERVER_OPTION,
    ...TEXT_BASE_OPTION,
    ...CARD_OPTION,
    ...STORE_OPTION,
    ...ANY_HOST_OPTION,
    ...UNSIGNED_OPTION,
    "--quick": "skip the training: compute features from the published parameters",
    "--sign":
      "sign that your account has recomputed it, and bring the record to the host, for certificates of removal",
  },
  examples: [
    "verify model 15",
    "verify model 15 --host http://127.0.0.1:8560",
    "verify model 15 --host http://127.0.0.1:8560 --sign --account me",
    "verify model my-model --quick",
  ],
  // Loaded here: it would make every other command slower.
  run: async (context) => (await import("./sign-recomputation.ts")).verifyAndSign(context),
});
