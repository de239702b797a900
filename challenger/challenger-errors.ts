import { RollupError } from "@openledger/foundation/rollup-error";

/** Error codes of challenger/: what each means, and what to do about it. */
export const challengerErrors = {
  CMD_NO_ETHER: {
    meaning: "the account has not the ether for a transaction on L1, with the bond or stake that it carries",
    remedy: "send ether to the account that the message names; a service tries again by itself",
  },
  CMD_L1_PENDING: {
    meaning: "L1 has not mined what the account sent before, and a second time would do the same twice",
    remedy:
      "wait: a service replaces it by a dearer one, and goes on. What another process has sent it replaces after five minutes, by one that does nothing",
  },
  CMD_L1_AT_CAP: {
    meaning: "L1 does not mine a transaction, and a dearer one would pay more than the caps allow",
    remedy:
      "wait until gas is cheaper, or start again with a higher --max-fee-gwei and --max-priority-fee-gwei",
  },
  CMD_NOT_CLAIMANT: {
    meaning: "the account does not claim the model's queries, or the model promises no claims",
    remedy: "use the account that the recipe names as its claimant; without one drop --claim",
  },
  CMD_CLAIM_THREAD_ENDED: {
    meaning: "the thread that traces claims and games has ended, for want of memory say",
    remedy: "nothing: it starts again by itself; where it ends again and again, give the machine more memory",
  },
  CMD_CLAIM_IMPOSSIBLE: {
    meaning: "a drawn receipt cannot be claimed from what the server keeps of it",
    remedy:
      "bring the answers' folder back, or claim with the prompt: openledger disputes claim-query; else the epoch goes by row counts, 14 days after its Seal",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** CMD_USAGE: what was asked for fits no contract or model that is there. */
export function challengerError(
  code: keyof typeof challengerErrors | "CMD_USAGE",
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
