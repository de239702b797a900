/**
 * Errors SEQ_… of the sequencer and of full nodes, which their API gives to clients: meaning, remedy, HTTP
 * status and whether a later try may succeed. docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of sequencer/. OP_ codes come from the ledger. */
export const sequencerErrors = defineErrors("SEQ", {
  SEQ_UNKNOWN: {
    meaning: "no such operation, batch, blob, queue entry, epoch or settlement exists; `data.reason`",
    remedy: "check the hash or number; a new one may appear in a moment",
    httpStatus: 404,
  },
  SEQ_OPERATION_REFUSED: {
    meaning: "the ledger might allow the operation, but it is a likely mistake; `data.reason` names it",
    remedy: "correct what the message names",
    note: "`data.reason` is one of self-transfer, zero-amount, amount-exponent, row-count-range, recipient-is-rollup, unusable-key.",
    httpStatus: 422,
  },
  SEQ_TOO_EARLY: {
    meaning: "L1 or a full node has not progressed far enough yet; `data.reason`",
    remedy: "wait for the time that the message gives, then try again",
    note: "`data.reason` is one of publication-not-posted, epoch-not-posted, randomness-unknown, default-split-too-early, restore-not-final, full-node-behind.",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_REPLACEMENT_UNDERPRICED: {
    meaning: "a pending operation has this nonce; a replacement needs a maxFeePerUnit at least 10 % higher",
    remedy: "sign again with a higher maxFeePerUnit",
    httpStatus: 409,
  },
  SEQ_PENDING_ENDED: {
    meaning:
      "a pending operation was dropped: its nonce gap stayed open, or another operation used its nonce; `data.reason`",
    remedy: "sign and send a new operation",
    httpStatus: 410,
  },
  SEQ_PRICE_INVALID: {
    meaning: "the file with OPEN's price has no valid price; the last valid one is still used",
    remedy: "write a positive decimal price into the file",
    isRetryable: true,
  },
  SEQ_L1_HEAD_UNKNOWN: {
    meaning: "since the start, the bridge has not reported L1's head and the last posted batch",
    remedy: "the bridge has not reported to the sequencer yet: try again in a few seconds",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_L1_LACKS_FINAL: {
    meaning:
      "L1 lacks batches that were final on it, so nothing is accepted; `data` has the progress of each",
    remedy: "the operator has to name the rollup's own directory and a good Ethereum node: try again later",
    note: "L1 is then another rollup, another chain, or a false node: docs/how-to/runbook.md#l1lacksfinal.",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_L1_STALLED: {
    meaning:
      "the bridge has reported no new block of L1 for ten minutes: nothing is posted; operations are still taken",
    remedy:
      "the operator has to look at the bridge and its Ethereum node (docs/how-to/runbook.md#sequencerl1stalled)",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_CIRCUITS_DIFFER: {
    meaning:
      "the batches' circuits are not those of this version or of the data directory. `data.reason`, `data.circuits`",
    remedy:
      "start the version that the rollup was deployed with, and name its own deployment record: docs/how-to/upgrade.md",
    note: "Its batches could not be proven.",
  },
  SEQ_BEHIND_L1: {
    meaning:
      "L1 has signed operations that the data directory does not have; nothing is accepted until both agree",
    remedy: "the operator has to bring the sequencer up to date with L1: try again later",
    note: "`data` has the progress of each: docs/how-to/runbook.md#behindl1.",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_BACKLOG_FULL: {
    meaning: "too many batches wait for their proof or for L1",
    remedy: "try again later; the operator checks provers and bridge (docs/how-to/runbook.md)",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_FROZEN: {
    meaning:
      "the rollup is frozen on L1: no operation is accepted, and balances leave by exits (docs/reference/exits.md)",
    remedy: "take out what is yours with: openledger exit",
    httpStatus: 410,
  },
  SEQ_BATCH_MALFORMED: {
    meaning:
      "L1 has a batch that breaks the ledger's rules, and while it does no operation is accepted; `data` names it",
    remedy: "the operator does what `data` says (docs/how-to/runbook.md#batchmalformed)",
    note: "`data` has the remedy, too: docs/how-to/runbook.md#batchmalformed.",
    httpStatus: 503,
  },
  SEQ_SUNSET: {
    meaning:
      "the operator is ending this rollup: only withdrawals and what prepares them are accepted; `data.kind`",
    remedy: "take out what is yours with: openledger withdraw all, then: openledger finalize-withdrawal",
    note: 'docs/how-to/operate.md, "Ending a rollup", has the steps.',
    httpStatus: 403,
  },
  SEQ_SETTLEMENT_INVALID: {
    meaning:
      "a settlement or activation has false values, a circuit of another size, or an invalid proof; `data` names the part",
    remedy: "build the settlement again from the ledger's current values",
    note: "False values are those that L1 would not fill in. The circuit's size has to be the model's.",
    httpStatus: 422,
  },
  SEQ_SETTLEMENT_STALE: {
    meaning: "the settlement is not for the model's current closed epoch, or the model is activated already",
    remedy: "read the model's current epoch, then try again",
    httpStatus: 409,
  },
  SEQ_RANDOMNESS_MISSED: {
    meaning: "the epoch's randomness was not recorded in time: only the default split is left",
    remedy: "settle with --default-split, from 14 days after the close",
    httpStatus: 409,
  },
  SEQ_CLOSE_CONFLICT: {
    meaning: "different randomness was reported for this batch before: L1 was reorganised too deeply",
    remedy: "compare several Ethereum nodes; docs/how-to/runbook.md has the steps",
    httpStatus: 409,
  },
  SEQ_QUEUE_GAP: {
    meaning: "queue entries are missing between the last known one and these",
    remedy: "submit the entries in order; the bridge does so by itself",
    httpStatus: 409,
  },
  SEQ_QUEUE_CONFLICT: {
    meaning: "a different queue entry with this index was submitted before",
    remedy: "submit what L1 has now; the bridge does so by itself",
    httpStatus: 409,
  },
  SEQ_QUEUE_FINAL: {
    meaning: "L1 removed a queue entry that a final batch includes: only a restore from L1 helps",
    remedy: "restore the ledger from L1: openledger restore",
    httpStatus: 409,
  },
  SEQ_BATCH_CONFLICT: {
    meaning: "a report about a batch does not match the sequencer's chain; `data.reason`",
    remedy: "read the batches again; the bridge does so by itself",
    note: "The batch was replaced, is out of order, is final already, or does not continue the chain.",
    httpStatus: 409,
  },
  SEQ_PLACE_IMPOSSIBLE: {
    meaning:
      "no circuit of the rollup has batches' data in the place that the operator asked for; `data.place`",
    remedy: "close the batch without a place: the circuits were chosen when the rollup was deployed",
    httpStatus: 409,
  },
  SEQ_PROOF_INVALID: {
    meaning: "a prover's proof is invalid, or its public signals are not the batch's",
    remedy: "check the prover's log; the batch is proven again",
    httpStatus: 422,
  },
  SEQ_WRONG_DIRECTORY: {
    meaning:
      "the process cannot start from this data directory; `data.reason`, `data.found`, `data.expected`",
    remedy: "name the right directory; restore an empty one with: openledger restore; docs/how-to/upgrade.md",
    note: "The directory is empty while L1 has batches, holds a ledger already, is a full node's, or belongs to another rollup.",
  },
  SEQ_PAYMENT_MISMATCH: {
    meaning:
      "a payment of x402 does not fit its requirements, or these are not of this rollup; `data.field` names the first difference",
    remedy:
      "take scheme, network and asset from GET /x402/supported, and pay exactly what the requirements ask",
    note: "`data.field` is one of scheme, network, asset, accepted, payTo, kind, payer, model, amount, receipt.",
    httpStatus: 422,
  },
  SEQ_READ_ONLY: {
    meaning: "a full node accepts no operations; `data.sequencerUrl` names the sequencer, where it is known",
    remedy: "send it to the sequencer at `data.sequencerUrl`",
    httpStatus: 403,
  },
  SEQ_LEADER_UNREACHABLE: {
    meaning: "the sequencer that this full node follows did not answer",
    remedy: "check that the sequencer runs and that its address is right",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_LEADER_REFUSED: {
    meaning: "the sequencer that this full node follows answered with an error; `data.code` is its code",
    remedy: "look up the sequencer's own code",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_LEADER_UNREADABLE: {
    meaning: "the reply of the sequencer that this full node follows is malformed (docs/reference/api.md)",
    remedy: "run the same version of both",
    httpStatus: 502,
  },
  SEQ_LEADER_DIFFERS: {
    meaning:
      "operations of the sequencer's feed do not execute, or give other batches; `data.what` names the first difference",
    remedy: "do not rely on the sequencer until the difference is explained (docs/how-to/run-a-full-node.md)",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_FOLLOW_REORGANISED: {
    meaning: "L1 replaced a block that was deep enough to be final: the full node rebuilds its directory",
    remedy: "no action is needed: the next start follows L1 again",
    isRetryable: true,
  },
  SEQ_HISTORY_PRUNED: {
    meaning:
      "this part of the final history is deleted, by SEQUENCER_RETENTION; `data.prunedTo` is the last batch that is gone",
    remedy: "ask a full node, which keeps all of it (openledger follow), or read it from L1",
    note: "Of a leaf's operations `data.prunedBeforeMs` is a time before which all was executed that is gone.",
    httpStatus: 410,
  },
  SEQ_STORE_INCONSISTENT: {
    meaning: "the data directory contradicts itself or the deployment; an operator has to look into it",
    remedy: "keep the directory, and restore the ledger from L1 or a full node (docs/how-to/operate.md)",
  },
});

/** Makes an error of these codes; the caller throws it. */
export const sequencerError = sequencerErrors.raise;
export type SequencerErrorCode = CodeOf<typeof sequencerErrors>;
