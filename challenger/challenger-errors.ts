import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of what plays disputes: watchers, challengers and claimants. */
export const challengerErrors = defineErrors("CMD", {
  CMD_NO_ETHER: {
    meaning:
      "the account has too little ether for an L1 transaction with its bond or stake; nothing was sent. `data.account`, `data.balanceWei`, `data.valueWei`",
    remedy: "send ether to the account that the message names; a service retries by itself",
  },
  CMD_L1_PENDING: {
    meaning:
      "L1 has not mined the account's previous transaction; a service sends nothing else meanwhile, and raises its fee up to `--max-fee-gwei` and `--max-priority-fee-gwei`. `data.account`, `data.nonce`; `data.count`, or `data.hashes` and `data.cap` where the cap prevents a higher fee",
    remedy:
      "wait: a service replaces the transaction at a higher fee and continues; where the caps prevent that, wait for cheaper gas, or restart with higher caps. A transaction of another process is replaced after five minutes by one without effect",
  },
  CMD_FALSE_UNCHALLENGED: {
    meaning:
      "a claim or a committed row is false and remains unchallenged: the challenge needs a larger stake than the limit allows. `data.neededWei`, `data.mostWei`",
    remedy: "challenge it by hand before its window ends; do not pay the model, and tell other watchers",
  },
  CMD_MODEL_UNSERVED: {
    meaning:
      "a committed model's challenge window is open, but its files are not available, so it cannot be recomputed. A watcher requests its last leaves on L1, without a fee, and ends with status 3. `data.modelCommitment`, `data.modelId`, `data.endsAtSeconds`",
    remedy: "name a source: --server, or --models FOLDER; do not approve a model that cannot be recomputed",
  },
  CMD_NOT_CLAIMANT: {
    meaning: "the account is not the model's claimant (`data.claimant`), or the model promises no claims",
    remedy: "use the claimant's account that the recipe names; if it names none, drop --claim",
  },
  CMD_CLAIM_IMPOSSIBLE: {
    meaning:
      "drawn receipts cannot be claimed: the model's server has no prompt for them, or another query than the trace gives. `data.receipts`",
    remedy:
      "restore the answers' folder, or claim with the prompt: openledger disputes claim-query; otherwise the epoch settles by row counts, 14 days after its CloseEpoch",
  },
});

export const challengerError = challengerErrors.raise;
