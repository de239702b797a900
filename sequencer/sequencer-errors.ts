import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of sequencer/. OP_ codes come from the ledger. */
export const sequencerErrors = defineErrors("SEQ", {
  SEQ_UNKNOWN: {
    meaning:
      "the sequencer has no such operation, batch, blob, queue entry, epoch or settlement; `data.reason` says which",
    remedy: "check the hash or number; what is new may be there in a moment",
    httpStatus: 404,
  },
  SEQ_LEASE_LOST: {
    meaning:
      "another machine of the operator's acknowledges operations now; `data.url` is where it says that it is",
    remedy: "send the operation to the machine at `data.url`",
    httpStatus: 503,
  },
  SEQ_LEASE_ENDED: {
    meaning: "the sequencer's lease on L1 is not extended, so it promises nothing; what it executed stays",
    remedy: "try again; if it persists, the operator looks at the bridge (docs/how-to/fail-over.md)",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_LEASE_MISSING: {
    meaning:
      "a lease is required, and the data directory has taken none: or it was copied after it took one, and the epoch holds only where it was taken",
    remedy: "take the lease with: openledger operator lease take",
  },
  SEQ_REPLICA_SILENT: {
    meaning:
      "the operation is executed, and the standby has not confirmed it: nothing is promised; sending it again asks again",
    remedy: "send the same operation again; the operator looks at the standby (docs/how-to/fail-over.md)",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_OPERATION_REFUSED: {
    meaning:
      "the sequencer refuses an operation that could only be a mistake, though the ledger might allow it; `data.reason` is one of self-transfer, zero-amount, amount-exponent, row-count-range, recipient-is-rollup, unusable-key",
    remedy: "correct what the message names",
    httpStatus: 422,
  },
  SEQ_TOO_EARLY: {
    meaning:
      "L1 or a full node has to come further first; `data.reason` is one of publication-not-posted, epoch-not-posted, randomness-unknown, default-split-too-early, restore-not-final, full-node-behind",
    remedy: "wait as long as the message says, and try again",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_REPLACEMENT_UNDERPRICED: {
    meaning: "a pending operation has this nonce; replacing it needs a maxFeePerUnit at least a tenth higher",
    remedy: "sign again with a higher maxFeePerUnit",
    httpStatus: 409,
  },
  SEQ_PENDING_ENDED: {
    meaning:
      "a pending operation was given up: the nonce gap before it was not filled in time, or another operation took its nonce; `data.reason`",
    remedy: "sign and send a new operation",
    httpStatus: 410,
  },
  SEQ_PRICE_INVALID: {
    meaning: "the file with OPEN's price holds no price; the last good one stands",
    remedy: "write a positive decimal price into the file",
    isRetryable: true,
  },
  SEQ_L1_HEAD_UNKNOWN: {
    meaning:
      "the bridge has not reported since the start what L1 has: its head, how far the ledger is there, all that the rollup's gate admits",
    remedy: "the bridge has not spoken to the sequencer yet: try again in a few seconds",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_BEHIND_L1: {
    meaning:
      "L1 has signed operations that the sequencer's data directory does not: their places are given, and nothing is taken until L1 and the directory agree; `data` has how far each is (docs/how-to/runbook.md#behindl1)",
    remedy: "the operator has to bring the sequencer up to L1: try again later",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_BACKLOG_FULL: {
    meaning: "too many batches wait for their proof or for L1",
    remedy: "try again later; the operator looks at provers and bridge (docs/how-to/runbook.md)",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_FROZEN: {
    meaning:
      "the rollup is frozen on L1: nothing is taken any more, and what is in it leaves by exits (docs/reference/exits.md)",
    remedy: "take out what is yours with: openledger exit",
    httpStatus: 410,
  },
  SEQ_BATCH_MALFORMED: {
    meaning:
      "L1 has taken a batch that breaks the ledger's rules: nothing is taken while L1 has it; `data` names it, and what to do (docs/how-to/runbook.md#batchmalformed)",
    remedy: "the operator does what `data` says (docs/how-to/runbook.md#batchmalformed)",
    httpStatus: 503,
  },
  SEQ_SUNSET: {
    meaning:
      'the operator ends this rollup: only what leads out is taken (docs/how-to/operate.md, "Ending a rollup"); `data.kind`',
    remedy: "take out what is yours with: openledger withdraw all, then: openledger claim",
    httpStatus: 403,
  },
  SEQ_SETTLEMENT_INVALID: {
    meaning:
      "a settlement or activation does not say what L1 would fill in, names a circuit of another size than the model's, or its proof does not verify; `data` names the part",
    remedy: "make the settlement again from the ledger's present values",
    httpStatus: 422,
  },
  SEQ_SETTLEMENT_STALE: {
    meaning:
      "the settlement is of an epoch that is not the model's closed one (any more), or of a ready model",
    remedy: "read the model's epoch again",
    httpStatus: 409,
  },
  SEQ_NOT_ADMITTED: {
    meaning:
      "the rollup's gate does not admit this activation or this settlement by draws yet; `data.reason` says which (docs/explanation/disputes.md, docs/explanation/fault-proofs.md)",
    remedy:
      "see openledger disputes show: a challengeable model is posted, and admitted after its window; any other is admitted at once (openledger disputes admit). By row counts every epoch can be settled",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_RANDOMNESS_MISSED: {
    meaning: "nobody recorded the epoch's randomness in time: only the default split is left",
    remedy: "settle with --default-split, from 14 days after the close on",
    httpStatus: 409,
  },
  SEQ_CLOSE_CONFLICT: {
    meaning: "other randomness of this batch was reported before; L1 was reorganised too deeply",
    remedy: "compare L1's nodes; docs/how-to/runbook.md has the steps",
    httpStatus: 409,
  },
  SEQ_QUEUE_GAP: {
    meaning: "queue entries were left out between the last known one and these",
    remedy: "hand the entries over in their order; the bridge does so by itself",
    httpStatus: 409,
  },
  SEQ_QUEUE_CONFLICT: {
    meaning: "another queue entry of this index was handed over before",
    remedy: "hand over what L1 has now; the bridge does so by itself",
    httpStatus: 409,
  },
  SEQ_QUEUE_FINAL: {
    meaning: "L1 took back a queue entry that a final batch holds: only a restore from L1 mends that",
    remedy: "restore the ledger from L1: openledger restore",
    httpStatus: 409,
  },
  SEQ_BATCH_CONFLICT: {
    meaning:
      "what was said of a batch does not fit the sequencer's chain: replaced, out of order, final already, or not a continuation of it; `data.reason`",
    remedy: "ask for the batches again; the bridge does so by itself",
    httpStatus: 409,
  },
  SEQ_PROOF_INVALID: {
    meaning:
      "a proof that a prover handed in does not verify, or is of other public signals than the batch's",
    remedy: "look into the prover's log; the batch is proven again",
    httpStatus: 422,
  },
  SEQ_WRONG_DIRECTORY: {
    meaning:
      "the data directory is not one to start this from: it is empty while L1 has batches, holds a ledger already, is a full node's, or of another rollup; `data.reason`",
    remedy: "name the right directory; an empty one is restored with: openledger restore",
  },
  SEQ_READ_ONLY: {
    meaning:
      "a full node takes nothing; `data.sequencerUrl` names the sequencer that does, where it is known",
    remedy: "ask the sequencer at `data.sequencerUrl`",
    httpStatus: 403,
  },
  SEQ_LEADER_UNREACHABLE: {
    meaning: "the sequencer that is followed did not answer",
    remedy: "check that the followed sequencer runs and that its address is right",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_LEADER_REFUSED: {
    meaning: "the sequencer that is followed answers with an error; `data.code` is its code",
    remedy: "look the sequencer's own code up",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_LEADER_UNREADABLE: {
    meaning: "the sequencer that is followed answers in another form than docs/reference/api.md says",
    remedy: "run both with one version",
    httpStatus: 502,
  },
  SEQ_LEADER_DIFFERS: {
    meaning:
      "what the followed sequencer says was executed does not execute, or gives other batches; `data.what` names the first difference",
    remedy:
      "do not count on the sequencer before the difference is explained (docs/how-to/run-a-full-node.md)",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_FOLLOW_REORGANISED: {
    meaning:
      "L1 has replaced a block that was deep enough to be final: the full node's directory has to be made again, and is",
    remedy: "there is nothing to do: the next start follows again from L1",
    isRetryable: true,
  },
  SEQ_STORE_INCONSISTENT: {
    meaning: "the data directory contradicts itself or the deployment; a human has to look",
    remedy: "keep the directory, and restore the ledger from L1 or a full node (docs/how-to/operate.md)",
  },
});

export const sequencerError = sequencerErrors.raise;
export type SequencerErrorCode = CodeOf<typeof sequencerErrors>;
