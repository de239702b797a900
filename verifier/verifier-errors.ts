import { RollupError } from "@openledger/foundation/rollup-error";

/**
 * Error codes of verifier/: what each means, what to do about it, and whether the same call may succeed later without
 * any change of its arguments.
 */
export const verifierErrors = {
  CLI_DEVELOPMENT_KEY_HIDDEN: {
    meaning: "a rollup's key has secrets that everybody knows, and its deployer said that it had not",
    remedy: "do not deposit; take out what is yours",
    isRetryable: false,
  },
  CLI_CIRCUIT_UNNAMED: {
    meaning: "L1 does not say how many rows, features and draws one of the rollup's settlement circuits has",
    remedy: "name it, for example --circuits settlement-448-256-64-16-2",
    isRetryable: false,
  },
  CLI_CIRCUIT_MISSING: {
    meaning: "the proof needs a circuit that the rollup does not have",
    remedy: "use a model that fits one of the rollup's settlement circuits (openledger status lists them)",
    isRetryable: false,
  },
  CLI_KEYS_MISSING: {
    meaning: "the verification key of a ceremony is not where it is looked for",
    remedy: "get the published keys of the rollup, and name their folder with --keys",
    isRetryable: false,
  },
  CLI_KEYS_DIFFER: {
    meaning: "the rollup's registered key of a circuit is not the one that this repository gives",
    remedy: "use the version of this repository that the rollup was deployed with",
    isRetryable: false,
  },
  CLI_NOT_FROZEN: {
    meaning: "exits are for a frozen rollup, and this one is not",
    remedy: "take the money with: openledger withdraw (--forced), or look with --dry-run",
    isRetryable: false,
  },
  CLI_FREEZE_NO_WAY_OUT: {
    meaning: "the rollup was deployed without the circuits of exits that a freeze needs",
    remedy: "its queue is the way out: openledger withdraw all --forced, then openledger submit-queue",
    isRetryable: false,
  },
  CLI_FREEZE_NO_ENTRY: {
    meaning: "only a queue entry that waits for too long lets anyone freeze, and none waits",
    remedy: "ask for your money first: openledger withdraw all --forced --rpc … --rollup …",
    isRetryable: true,
  },
  CLI_FREEZE_TOO_EARLY: {
    meaning: "the queue's oldest entry does not wait for 14 days yet",
    remedy: "wait until the time that the message names, or carry the queue on: openledger submit-queue",
    isRetryable: true,
  },
} as const satisfies Record<string, { meaning: string; remedy: string; isRetryable: boolean }>;

/** RollupError with the retryability that `verifierErrors` gives for the code. */
export function verifierError(
  code: keyof typeof verifierErrors,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: verifierErrors[code].isRetryable });
}
