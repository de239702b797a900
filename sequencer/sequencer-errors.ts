import { RollupError } from "@openledger/foundation/rollup-error";

/**
 * Every error code of sequencer/: what it means, the HTTP status it is answered with, and whether the same call
 * may succeed later without any change of its arguments. OP_ codes come from the ledger; see http-status.ts.
 */
export const sequencerErrors = {
  SEQ_BAD_REQUEST: {
    meaning: "a field of the request is absent or of the wrong form",
    httpStatus: 400,
    isRetryable: false,
  },
  SEQ_MALFORMED_JSON: { meaning: "the request's body is not JSON", httpStatus: 400, isRetryable: false },
  SEQ_UNSUPPORTED_MEDIA_TYPE: {
    meaning: "the request's body is not declared as application/json",
    httpStatus: 415,
    isRetryable: false,
  },
  SEQ_BODY_TOO_LARGE: {
    meaning: "the request's body is above the limit",
    httpStatus: 413,
    isRetryable: false,
  },
  SEQ_UNKNOWN_ROUTE: { meaning: "there is no such route", httpStatus: 404, isRetryable: false },
  SEQ_UNKNOWN_OPERATION: {
    meaning: "the sequencer has seen no such operation",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_UNKNOWN_BATCH: {
    meaning: "there is no closed batch of this number",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_UNKNOWN_BLOB: {
    meaning: "no blob of this versioned hash is kept here",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_UNKNOWN_QUEUE_ENTRY: {
    meaning: "the bridge has not handed over a queue entry of this index",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_UNAUTHORIZED: {
    meaning: "the operator's token is absent or wrong",
    httpStatus: 401,
    isRetryable: false,
  },
  SEQ_RATE_LIMITED: { meaning: "too many requests from this address", httpStatus: 429, isRetryable: true },
  SEQ_FEED_FULL: { meaning: "the feed has as many clients as it takes", httpStatus: 503, isRetryable: true },
  SEQ_INTERNAL: { meaning: "the sequencer failed in an unforeseen way", httpStatus: 500, isRetryable: false },
  SEQ_STOPPING: { meaning: "the sequencer is shutting down", httpStatus: 503, isRetryable: true },

  SEQ_LEASE_LOST: {
    meaning:
      "another machine of the operator's acknowledges operations now; `data.url` is where it says that it is",
    httpStatus: 503,
    isRetryable: false,
  },
  SEQ_LEASE_ENDED: {
    meaning: "the sequencer's lease on L1 is not extended, so it promises nothing; what it executed stays",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_LEASE_MISSING: {
    meaning: "a lease is required, and the data directory has taken none",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_LEASE_COPIED: {
    meaning:
      "the data directory was copied after it had taken the lease: only where it was taken does its epoch hold; take it anew",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_REPLICA_SILENT: {
    meaning:
      "the operation is executed, and the spare has not confirmed it: nothing is promised; sending it again asks again",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_SIGNATURES_WAITING: {
    meaning: "more signatures wait to be checked than the sequencer keeps",
    httpStatus: 503,
    isRetryable: true,
  },

  SEQ_SELF_TRANSFER: {
    meaning: "a transfer from a leaf to itself; the ledger would allow it",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_ZERO_AMOUNT: {
    meaning: "a transfer, payment or withdrawal of nothing",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_AMOUNT_EXPONENT: {
    meaning: "a transfer or payment whose amount code has an exponent above 18; the ledger would allow it",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_ROW_COUNT_RANGE: {
    meaning: "a CommitData of no rows, or of 2^32 or more",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_RECIPIENT_IS_ROLLUP: {
    meaning:
      "a withdrawal to the rollup's own contract, where nobody could claim it; the ledger would allow it",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_UNUSABLE_KEY: {
    meaning: "a new key is no x-coordinate of a point of BabyJubJub's prime-order subgroup",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_PUBLICATION_NOT_POSTED: {
    meaning: "the datanet's version is not yet posted on L1, so its time of publication may still change",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_REPLACEMENT_UNDERPRICED: {
    meaning: "a pending operation has this nonce; replacing it needs a maxFeePerUnit at least a tenth higher",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_PENDING_LEAF_FULL: {
    meaning: "this leaf has as many operations behind a nonce gap as it may",
    httpStatus: 429,
    isRetryable: true,
  },
  SEQ_MEMPOOL_FULL: {
    meaning: "as many operations wait behind nonce gaps as the sequencer holds",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_PENDING_EXPIRED: {
    meaning: "the nonce gap before a pending operation was not filled in time",
    httpStatus: 410,
    isRetryable: false,
  },
  SEQ_PRICE_INVALID: {
    meaning: "the file with OPEN's price holds no price; the last good one stands",
    httpStatus: 500,
    isRetryable: true,
  },
  SEQ_REPLACED: {
    meaning: "another operation took the nonce of this pending one",
    httpStatus: 410,
    isRetryable: false,
  },
  SEQ_L1_HEAD_UNKNOWN: {
    meaning:
      "the bridge has not reported since the start what L1 has: its head, how far the ledger is there, all that the rollup's gate admits",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_BEHIND_L1: {
    meaning:
      "L1 has signed operations that the sequencer's data directory does not: their places are given, and nothing is taken until L1 and the directory agree; `data` has how far each is",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_BACKLOG_FULL: {
    meaning: "too many batches wait for their proof or for L1",
    httpStatus: 503,
    isRetryable: true,
  },

  SEQ_FROZEN: {
    meaning: "the rollup is frozen on L1: nothing is taken any more, and what is in it leaves by exits",
    httpStatus: 410,
    isRetryable: false,
  },
  SEQ_BATCH_MALFORMED: {
    meaning:
      "L1 has taken a batch that breaks the ledger's rules: nothing is taken while L1 has it; `data` names it, and what to do",
    httpStatus: 503,
    isRetryable: false,
  },
  SEQ_SUNSET: {
    meaning: "the operator ends this rollup: only what leads out is taken; data.kind is the operation's name",
    httpStatus: 403,
    isRetryable: false,
  },
  SEQ_EPOCH_NOT_POSTED: {
    meaning: "the beginning of the model's epoch is not yet posted on L1, so its time may still change",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_UNKNOWN_SETTLEMENT: {
    meaning: "this epoch of this model was not settled here",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_UNKNOWN_EPOCH: {
    meaning: "the model has not come to this epoch",
    httpStatus: 404,
    isRetryable: false,
  },
  SEQ_SETTLEMENT_INVALID: {
    meaning:
      "a settlement does not say what L1 would fill in, or not in L1's form; data.field names the part",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_CIRCUIT_MISFIT: {
    meaning:
      "a settlement by, or a genesis that names, a circuit for other rows, earners, features or draws than the model's; data.what names which",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_SETTLEMENT_STALE: {
    meaning:
      "the settlement is of an epoch that is not the model's sealed one (any more), or of a ready model",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_SETTLEMENT_PROOF_INVALID: {
    meaning: "the settlement's proof does not verify",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_GENESIS_NOT_ADMITTED: {
    meaning:
      "the rollup's gate does not admit this genesis yet: the model is to be posted and its window to end, or its statics to be shown as those of a model without challenges (docs/disputes.md)",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_SETTLEMENT_NOT_ADMITTED: {
    meaning:
      "the rollup's gate does not take this settlement by draws: each opened draw needs a claim that stands (docs/lm-disputes.md). By row counts every epoch can be settled",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_RANDOMNESS_UNKNOWN: {
    meaning: "L1 has not yet recorded the randomness that the epoch's draws depend on",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_RANDOMNESS_MISSED: {
    meaning: "nobody recorded the epoch's randomness in time: only the default split is left",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_DEFAULT_SPLIT_TOO_EARLY: {
    meaning: "14 days have not passed on L1 since the epoch was sealed there; data.allowedAtSeconds",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_SEAL_CONFLICT: {
    meaning: "other randomness of this batch was reported before; L1 was reorganised too deeply",
    httpStatus: 409,
    isRetryable: false,
  },

  SEQ_QUEUE_GAP: {
    meaning: "queue entries were left out between the last known one and these",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_QUEUE_CONFLICT: {
    meaning: "another queue entry of this index was handed over before",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_QUEUE_FINAL: {
    meaning: "L1 took back a queue entry that a final batch holds: only a restore from L1 mends that",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_BATCH_REPLACED: {
    meaning: "the batch of this number has another hash by now",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_BATCH_OUT_OF_ORDER: {
    meaning: "an earlier batch has not come this far",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_BATCH_FINAL: {
    meaning: "the batch is final and cannot be taken back",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_FOREIGN_BATCH_INVALID: {
    meaning:
      "a batch of somebody else does not continue the chain that the sequencer shares with L1, or holds signed operations",
    httpStatus: 409,
    isRetryable: false,
  },
  SEQ_PROOF_INVALID: {
    meaning: "a proof that a prover handed in with its own token does not verify",
    httpStatus: 422,
    isRetryable: false,
  },
  SEQ_PROOF_MISMATCH: {
    meaning: "the proof's public signals are not those of the batch",
    httpStatus: 422,
    isRetryable: false,
  },

  SEQ_CONFIG_INVALID: {
    meaning: "environment variables are missing or malformed; the message lists all of them",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_STORE_LOCKED: {
    meaning: "another process has the data directory open: stop that one first",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_STORE_FAILED: {
    meaning:
      "the data directory cannot be opened, read or written (room, rights, a failing disk): mend that and start again; the process stops, nothing acknowledged is lost",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_STORE_EMPTY: {
    meaning:
      "the data directory never held a batch, and the rollup has some on L1: another directory was meant, or it has to be restored; the process stops",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_STORE_NOT_EMPTY: {
    meaning: "the data directory holds a ledger already: a restored one goes into a new directory",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_RESTORE_NOT_FINAL: {
    meaning:
      "L1's last signed operations, or the contract itself, are not final yet: a ledger restored now might miss some",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_STORE_CORRUPT: {
    meaning:
      "files of the data directory are damaged or missing, `data.reason` names them; nothing is served from it. Keep it, and go on from a newer copy, a follower or L1 (docs/operating.md); a follower's is moved away, and made again at its next start",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_STORE_INCONSISTENT: {
    meaning: "the data directory contradicts itself or the deployment; a human has to look",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_READ_ONLY: {
    meaning: "a follower takes nothing; `data.sequencerUrl` names the sequencer that does, where it is known",
    httpStatus: 403,
    isRetryable: false,
  },
  SEQ_LEADER_UNREACHABLE: {
    meaning: "the sequencer that is followed did not answer",
    httpStatus: 503,
    isRetryable: true,
  },
  SEQ_LEADER_REFUSED: {
    meaning: "the sequencer that is followed answers with an error; `data.code` is its code",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_LEADER_UNREADABLE: {
    meaning: "the sequencer that is followed answers in another form than docs/api.md says",
    httpStatus: 502,
    isRetryable: false,
  },
  SEQ_LEADER_DIFFERS: {
    meaning:
      "what the followed sequencer says was executed does not execute, or gives other batches; `data.what` names the first difference",
    httpStatus: 502,
    isRetryable: true,
  },
  SEQ_FOLLOW_WRONG_ROLLUP: {
    meaning: "the follower's data directory or sequencer is of another rollup",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_FOLLOWER_BEHIND: {
    meaning:
      "L1 has a batch that the follower's directory does not: let the follower catch up, then try again",
    httpStatus: 409,
    isRetryable: true,
  },
  SEQ_STORE_OF_FOLLOWER: {
    meaning:
      "a follower made the data directory: a sequencer goes on from what `openledger restore` makes of it",
    httpStatus: 500,
    isRetryable: false,
  },
  SEQ_FOLLOW_REORGANISED: {
    meaning:
      "L1 has replaced a block that was deep enough to be final: the follower's directory has to be made again, and is",
    httpStatus: 500,
    isRetryable: true,
  },
} as const satisfies Record<string, { meaning: string; httpStatus: number; isRetryable: boolean }>;

export type SequencerErrorCode = keyof typeof sequencerErrors;

/** A RollupError with the retryability that `sequencerErrors` gives for the code. */
export function sequencerError(
  code: SequencerErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: sequencerErrors[code].isRetryable });
}
