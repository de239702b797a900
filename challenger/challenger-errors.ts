import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of what plays disputes: watchers, challengers and claimants. */
export const challengerErrors = defineErrors("CMD", {
  CMD_NO_ETHER: {
    meaning:
      "the account has not the ether for a transaction on L1, with the bond or stake that it carries; nothing was sent. `data.account`, `data.balanceWei`, `data.valueWei`",
    remedy: "send ether to the account that the message names; a service tries again by itself",
  },
  CMD_L1_PENDING: {
    meaning:
      "L1 has not mined what the account sent before; a service sends nothing else meanwhile, so that it does nothing twice, and pays more for it, up to `--max-fee-gwei` and `--max-priority-fee-gwei`. `data.account`, `data.nonce`; `data.count`, or `data.hashes` and `data.cap` where a dearer one would pay more",
    remedy:
      "wait: a service replaces it by a dearer one, and goes on; where the caps hold it up, wait until gas is cheaper, or start again with higher ones. What another process has sent it replaces after five minutes, by one that does nothing",
  },
  CMD_FALSE_UNCHALLENGED: {
    meaning:
      "a claim, or a posted row, is false, and is not challenged: that takes a larger stake than is given for one. `data.neededWei`, `data.mostWei`",
    remedy: "challenge it by hand before its window ends, do not pay the model; tell others who watch it",
  },
  CMD_MODEL_UNSERVED: {
    meaning:
      "a committed model's window is open, and its files are not to be had: nobody can recompute it. `watch` asks L1 for its last leaves, without a fee, and ends with status 3. `data.modelCommitment`, `data.modelId`, `data.endsAtSeconds`",
    remedy:
      "name where it is served: --server, or --models FOLDER; do not approve the model while nobody can recompute it",
  },
  CMD_NOT_CLAIMANT: {
    meaning:
      "the account does not claim the model's queries, or the model promises no claims. `data.claimant`, null for none",
    remedy: "use the account that the recipe names as its claimant; without one drop --claim",
  },
  CMD_CLAIM_IMPOSSIBLE: {
    meaning:
      "drawn receipts cannot be claimed from what the model's server keeps of them: no prompt, or another query than the trace's. `data.receipts`",
    remedy:
      "bring the answers' folder back, or claim with the prompt: openledger disputes claim-query; else the epoch goes by row counts, 14 days after its CloseEpoch",
  },
});

export const challengerError = challengerErrors.raise;
