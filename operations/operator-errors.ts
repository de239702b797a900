import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of an operator's work: `deploy`, `operator init`, `doctor`, payments to provers. */
export const operatorErrors = defineErrors("CMD", {
  CMD_DEPLOY_REFUSED: {
    meaning:
      "the deployment's configuration is not possible, and nothing was sent; `data.reason` is one of config-invalid, no-plain-batch, wrong-chain, development-keys, rehearsed-keys, no-contribution, too-few-contributions, no-beacon, key-refused, token-unknown, no-ether, not-confirmed",
    remedy: "correct what the message names; see docs/how-to/operate.md, and docs/how-to/keys.md for keys",
  },
  CMD_DEPLOY_FAILED: {
    meaning:
      "an unfinished deployment cannot continue: its journal is of another configuration, another transaction used a nonce, or one reverted; `data.reason`",
    remedy:
      "restore the configuration to finish that deployment; or start again in a new folder, with the existing token as token.existing",
  },
  CMD_INIT_REFUSED: {
    meaning: "the installation cannot be written or checked as requested; the message says why",
    remedy: "correct what the message names; name the installation's folder with --config",
  },
  CMD_PAYMENTS_UNCLEAR: {
    meaning:
      "the journal of the provers' payments and the ledger disagree: a nonce was used for something else, or the ledger has operations that the journal lacks. `data.transfers`, `data.missingNonces`",
    remedy:
      "restore the newest journal; otherwise check the worker's account, then pass --paid HASH or --void HASH for each; pay from a separate account",
  },
});

export const operatorError = operatorErrors.raise;
