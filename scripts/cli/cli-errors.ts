/**
 * Errors CMD_… of the command line itself: meaning and remedy. docs/reference/errors.md is written from it by
 * scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the command line itself. */
export const commandErrors = defineErrors("CMD", {
  CMD_NO_DEPLOYMENT: {
    meaning: "no devnet runs here, and no rollup was named",
    remedy: "run npm start first, or pass --rpc, --rollup and --sequencer",
  },
  CMD_ACCOUNT_INVALID: {
    meaning:
      "no account is usable: none is named, known, readable, or signs for the leaf; `data.reason`, `data.known`",
    remedy:
      "name an account with --account or --private-key-file, or create one with: openledger account new NAME",
    note: "Your accounts are in the file of --accounts-file.",
  },
  CMD_GROUPS_GONE: {
    meaning:
      "groups whose members owned a key together are gone, since two faults destroyed a group's key or gave it away; nothing was changed",
    remedy:
      "keep your share's file; the leaf's owner on Ethereum, a Safe for example, gives the leaf another key: openledger account rotate-key --forced",
    note: "docs/how-to/own-together.md says how a Safe owns a Datanet.",
  },
  CMD_SPAN_INDEX_GONE: {
    meaning:
      "indexes of verbatim spans are gone, and so are the commands and options that made and served them; nothing was read or written",
    remedy:
      "search the rows themselves, without an index: openledger spans DATANET --text TEXT; delete the index's file",
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
