import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of checking a rollup from L1 alone, and of leaving it. */
export const verifierErrors = defineErrors("CLI", {
  CLI_DEVELOPMENT_KEY_HIDDEN: {
    meaning:
      "a rollup's key has secrets that everybody knows, and its deployer said that it had not; `data.circuit`",
    remedy: "do not deposit; take out what is yours",
  },
  CLI_KEYS_MISSING: {
    meaning: "a circuit has no keys here, so nothing can be checked with it",
    remedy: "get the published keys of the rollup, and name their folder with --keys",
  },
  CLI_KEYS_DIFFER: {
    meaning: "the registered key of a circuit is not the one that this repository gives; `data.circuit`",
    remedy: "use the version of this repository that the rollup was deployed with",
  },
  CLI_EXIT_UNAVAILABLE: {
    meaning:
      "exits are for a frozen rollup (docs/reference/exits.md) and this one is not, or it was deployed without the circuits of exits that a freeze needs; `data.reason`",
    remedy:
      "take the money with: openledger withdraw all --forced, then openledger submit-queue; or look with --dry-run",
  },
  CLI_FORCED_NO_EFFECT: {
    meaning:
      "a forced operation would change nothing on the ledger that L1 has, and its fee would be burned; nothing was sent. `data.reason` is one of leaf-unknown, leaf-waits (`data.queueIndex`), not-owner (`data.owner`), balance-too-low, recipient-unknown, recipient-owner, wrong-kind, model-not-ready, not-payee, nothing-to-claim, nothing-to-close, no-effect",
    remedy:
      "see what is yours there: openledger exit --owner 0x… --dry-run; where what it needs is not posted yet, wait, or pass --unchecked",
  },
});

export const verifierError = verifierErrors.raise;
