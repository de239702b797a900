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
      "list your accounts with: openledger accounts list; make one with: openledger accounts create NAME; name it with --account or --key-file",
  },
  CMD_NO_MODEL_SERVER: {
    meaning: "no address of the model's server is known; pass `--server`",
    remedy: "pass --server URL, or start one with: openledger model serve",
  },
  CMD_FORCED_NO_EFFECT: {
    meaning:
      "a forced operation would change nothing on the ledger that L1 has, and its fee would be burned; nothing was sent. `data.reason` is one of leaf-unknown, leaf-waits (`data.queueIndex`), not-owner (`data.owner`), balance-too-low, payee-unknown, payee-owner, wrong-kind, model-not-ready, not-earner, nothing-to-collect, nothing-to-seal, no-effect",
    remedy:
      "see what is yours there: openledger exit --owner 0x… --dry-run; where what it needs is not posted yet, wait, or pass --unchecked",
  },
  CMD_ROLLUP_ENDS: {
    meaning:
      "the operator ends the rollup, or it is frozen: `openledger deposit` sends nothing into it; `data.mode`",
    remedy: "take out what is yours with: openledger withdraw all, or, once it is frozen, openledger exit",
  },
});

export const commandError = commandErrors.raise;
