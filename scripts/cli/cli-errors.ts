import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the command line itself. */
export const commandErrors = defineErrors("CMD", {
  CMD_NO_DEPLOYMENT: {
    meaning: "no devnet runs here, and no rollup was named",
    remedy: "run npm start first, or pass --rpc, --rollup and --sequencer",
  },
  CMD_ACCOUNT_INVALID: {
    meaning:
      "the command has no usable account: none is named, its name is unknown or taken, its file cannot be read, or none of its keys signs for the leaf; `data.reason`, `data.known`",
    remedy:
      "your accounts are in the file of --accounts-file; create one with: openledger account new NAME; name it with --account or --private-key-file",
  },
  CMD_NO_MODEL_SERVER: {
    meaning: "the address of the model's server is unknown",
    remedy: "pass --server URL, or start one with: openledger models serve",
  },
  CMD_ROLLUP_ENDS: {
    meaning: "the rollup is ending or frozen: `openledger deposit` sends nothing to it; `data.mode`",
    remedy: "take out what is yours with: openledger withdraw all, or, once it is frozen, openledger exit",
  },
});

export const commandError = commandErrors.raise;
