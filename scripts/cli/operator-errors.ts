/**
 * Errors CMD_… of `openledger deploy` and `operator init`: meaning and remedy. docs/reference/errors.md is written from it by
 * scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of an operator's work: `deploy` and `operator init`. */
export const operatorErrors = defineErrors("CMD", {
  CMD_DEPLOY_REFUSED: {
    meaning: "the deployment's configuration is not possible, and nothing was sent; `data.reason`",
    remedy: "correct what the message names; see docs/how-to/operate.md, and docs/how-to/keys.md for keys",
    note: "`data.reason` is one of config-invalid, no-plain-batch, no-twin-key, wrong-chain, development-keys, rehearsed-keys, no-contribution, too-few-contributions, no-beacon, key-refused, token-unknown, no-ether, not-confirmed.",
  },
  CMD_DEPLOY_FAILED: {
    meaning:
      "an unfinished deployment cannot continue: other configuration, a used nonce, or a revert; `data.reason`",
    remedy:
      "restore the configuration and go on, or start in a new folder with the existing token as token.existing",
  },
  CMD_INIT_REFUSED: {
    meaning:
      "the settings and secrets cannot be written as requested, and nothing was written; `data.reason`",
    remedy: "correct what the message names, and run the command again",
    note: "`data.reason` is one of folder-taken, other-rollup, key-missing, key-invalid, key-of-another, setting-unknown, setting-invalid, path-invalid.",
  },
});

export const operatorError = operatorErrors.raise;
