import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of an operator's work: `deploy`, `operator init`, `doctor`, payments to provers. */
export const operatorErrors = defineErrors("CMD", {
  CMD_DEPLOY_REFUSED: {
    meaning:
      "the deployment cannot be made as it is configured, and nothing was sent; `data.reason` is one of config-invalid, no-plain-batch, wrong-chain, development-keys, key-refused, token-unknown, no-ether, not-confirmed",
    remedy:
      "correct what the message names; docs/how-to/operate.md has an example, docs/how-to/keys.md the ceremony",
  },
  CMD_DEPLOY_FAILED: {
    meaning:
      "a deployment that was begun cannot go on: its journal is of another configuration, another transaction took a nonce, or one was reverted; `data.reason`",
    remedy:
      "put the configuration back to finish that one; else begin again in a new folder, and name a token that is there already as token.existing",
  },
  CMD_INIT_REFUSED: {
    meaning: "the installation cannot be written or checked as asked for; the message says why",
    remedy: "correct what the message names; name the installation's folder with --config",
  },
  CMD_PAYMENTS_UNCLEAR: {
    meaning:
      "the journal of the provers' payments and the ledger do not agree: a nonce was used otherwise, or the ledger has operations that the journal lacks. `data.transfers`, `data.missingNonces`",
    remedy:
      "put the newest journal back; else look at the worker's account, then say --paid HASH or --void HASH of each; pay from an account of its own",
  },
});

export const operatorError = operatorErrors.raise;
