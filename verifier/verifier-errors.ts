/**
 * Errors CLI_… of verifying a rollup and of leaving it. docs/reference/errors.md is written from it by
 * scripts/errors.ts.
 */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of checking a rollup from L1 alone, and of leaving it. */
export const verifierErrors = defineErrors("CLI", {
  CLI_DEVELOPMENT_KEY_HIDDEN: {
    meaning:
      "the secrets of one of the rollup's keys are public, although its deployer declared them safe; `data.circuit`",
    remedy: "do not deposit; take out what is yours",
  },
  CLI_KEYS_MISSING: {
    meaning: "a circuit has no keys here, so nothing can be checked with it",
    remedy: "download the rollup's published keys, and name their folder with --keys",
  },
  CLI_KEYS_DIFFER: {
    meaning: "the registered key of a circuit differs from the one that this version gives; `data.circuit`",
    remedy: "use the version of this repository that the rollup was deployed with",
  },
  CLI_EXIT_UNAVAILABLE: {
    meaning: "the rollup is not frozen, or has no exit circuits (docs/reference/exits.md); `data.reason`",
    remedy: "withdraw with: openledger force withdraw amount=all, then submit-queue; or look with --dry-run",
  },
  CLI_FORCED_NO_EFFECT: {
    meaning:
      "the forced operation would change nothing on L1's ledger, and burn its fee; nothing was sent. `data.reason`",
    remedy:
      "list what is yours on L1: openledger exit --owner 0x… --dry-run; else wait for what is not posted, or pass --unchecked",
    note: "`data.reason` is one of leaf-unknown, leaf-waits (`data.queueIndex`), not-owner (`data.owner`), balance-too-low, recipient-unknown, recipient-owner, wrong-kind, model-not-ready, not-payee, nothing-to-claim, nothing-to-close, no-effect.",
  },
});

/** Makes an error of these codes; the caller throws it. */
export const verifierError = verifierErrors.raise;
