import { RollupError } from "@openledger/foundation/rollup-error";

/**
 * Every error code of bridge/: what it means, the HTTP status an API answers with, and whether the same call may
 * succeed later without any change of its arguments.
 */
export const bridgeErrors = {
  BRG_CONFIG_INVALID: {
    meaning: "environment variables are missing or malformed; the message lists all of them",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_L1_UNREACHABLE: {
    meaning: "the L1 node did not answer, or not in time",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_L1_REFUSED: {
    // Nodes refuse for passing reasons too: limits, a block they do not have yet.
    meaning: "the L1 node answered with an error that is not a revert",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_CONTRACT_REVERTED: {
    meaning: "the contract refuses the call; data has the contract error's name and operands",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_WRONG_DEPLOYMENT: {
    meaning: "the contract on L1 is not the one that the deployment record describes",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_SEQUENCER_UNREACHABLE: {
    meaning: "the sequencer did not answer, not in time, or with a 5xx status",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_SEQUENCER_REFUSED: {
    // Two processes that follow L1 at their own pace may disagree for a moment.
    meaning:
      "the sequencer refuses what the bridge tells it, or answers in another form than docs/api.md says",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_QUEUE_GAP: {
    meaning: "the L1 node's logs leave out a queue entry; seen with nodes that lag behind each other",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_QUEUE_REORGANISED: {
    meaning:
      "L1 took back a queue entry that was deep enough to be handed over, and a final batch holds it: only a restore from L1 mends that",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_RANDOMNESS_LATE: {
    meaning: "a Seal's randomness is not on L1, and the time in which it can be recorded runs out",
    httpStatus: 500,
    isRetryable: true,
  },
  BRG_RANDOMNESS_MISSED: {
    meaning:
      "a Seal's randomness was not recorded in time: its epochs can only be settled by the default split",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_SEAL_REORGANISED: {
    meaning: "L1 replaced a Seal's randomness that was deep enough to be passed on: a human has to look",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_STORE_LOCKED: {
    meaning: "another process has the bridge's database open: stop that one first",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_STORE_FAILED: {
    meaning:
      "the bridge's database cannot be opened, read or written (room, rights, a failing disk): mend that and start again; the process ends, nothing is lost",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_STORE_CORRUPT: {
    meaning:
      "the files of the bridge's database are damaged or missing: move BRIDGE_DATA_PATH away and start with an empty one, which reads L1 again and does nothing twice; `data.reason` names the file",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_NONCE_TAKEN: {
    meaning: "a transaction that the bridge does not know used the publisher's nonce",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_BATCH_TOO_LARGE: {
    meaning: "one batch alone is above the limits of a transaction",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_PUBLISH_REFUSED: {
    meaning:
      "the contract refuses a batch, at several blocks one after the other, for a reason that the publisher cannot mend; it looks again and again",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_PUBLISH_REVERTED: {
    meaning:
      "transactions with batches are mined and revert although L1 takes the same call a moment later; the publisher waits longer each time",
    httpStatus: 500,
    isRetryable: true,
  },
  BRG_FROZEN: {
    meaning: "the rollup is frozen on L1: the bridge publishes nothing and hands nothing over any more",
    httpStatus: 410,
    isRetryable: false,
  },
  BRG_LEASE_LOST: {
    meaning: "another machine of the operator's has taken the lease: this bridge sends nothing any more",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_LEASE_ENDED: {
    meaning: "the lease's time is over and it is not extended yet: nothing else is sent before it is",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_LEASE_HELD: {
    meaning: "the lease has not ended yet; `data.endsAtSeconds` is when it does",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_FOREIGN_SIGNED: {
    meaning:
      "L1 has signed operations that the sequencer did not put there: its data directory is older than L1, or its key is used elsewhere",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_HISTORY_UNREADABLE: {
    meaning: "L1's records of the rollup are not in the form that the contract writes",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_HISTORY_INCOMPLETE: {
    // Not the rollup's fault: the contract's first event is that of its constructor.
    meaning:
      "the L1 node's logs do not begin with the rollup's first event: it does not keep old ones, or they were asked for from a later block on",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_BATCH_MALFORMED: {
    meaning:
      "L1 has taken a batch that breaks the ledger's rules, so nothing is built on it; `data` names batch, transaction, rule and what to do",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_BATCH_NOT_IN_CALL: {
    meaning: "a batch came in through another contract, and no event holds its data",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_BLOB_MISSING: {
    meaning:
      "L1 names a blob that nobody who was asked has: Ethereum keeps blobs for 18 days; `data` names versioned hash, batch, block, who was asked, and what to do",
    httpStatus: 404,
    isRetryable: false,
  },
  BRG_BLOB_UNREACHABLE: {
    meaning:
      "a blob could not be read, and a beacon node or an archive that may have it gave no answer; `data` as of BRG_BLOB_MISSING",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_BLOB_NO_SOURCE: {
    meaning:
      "a batch stands in a blob, and neither an archive nor a beacon node was named: --blobs, --beacon; `data` as of BRG_BLOB_MISSING",
    httpStatus: 404,
    isRetryable: false,
  },
  BRG_BLOBS_FAILED: {
    meaning:
      "the folder of blobs cannot be read or written (room, rights, a failing disk); `data.reason` is the system's code",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_QUEUE_EMPTY: {
    meaning: "no entry waits in the L1 queue",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_QUEUE_NOT_OVERDUE: {
    meaning: "the oldest queue entry is not overdue, so only the sequencer may take it; data.dueAtSeconds",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_SETTLEMENT_TOO_EARLY: {
    meaning: "L1 takes such a settlement from a stranger, or by row counts, only later; data.earliestSeconds",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_NOTHING_TO_SETTLE: {
    meaning: "the model has no sealed epoch on L1",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_RANDOMNESS_NOT_RECORDED: {
    meaning: "the epoch's randomness is not on L1: record it, or wait for the default split",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_OPENING_MISSING: {
    meaning:
      "a drawn answer's opening was not published; without the model's signature only the default split is left",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_PROOF_OF_ANOTHER: {
    meaning:
      "a proof's public signals are not those of the statement: the circuit's files are of another version",
    httpStatus: 500,
    isRetryable: false,
  },
  BRG_NO_CIRCUIT: {
    meaning: "the rollup has no registered circuit that the settlement fits, or its files are not here",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_VERIFY_DIFFERS: {
    meaning: "what L1 holds is not what its records and the circuits give; data names the first difference",
    httpStatus: 409,
    isRetryable: false,
  },
  BRG_PRECONFIRMATION_UNREADABLE: {
    meaning: "the file is no preconfirmation with its operation",
    httpStatus: 400,
    isRetryable: false,
  },
  BRG_PRECONFIRMATION_NOT_OPERATORS: {
    meaning:
      "the preconfirmation is of another rollup or another operation, or not signed by the address that the contract calls sequencer",
    httpStatus: 422,
    isRetryable: false,
  },
  BRG_PRECONFIRMATION_UNOPENED: {
    meaning:
      "the preconfirmation's place is taken on L1, and the operation that its hash is of is not beside it",
    httpStatus: 422,
    isRetryable: false,
  },
  BRG_SNAPSHOT_UNREADABLE: {
    meaning: "the file is no snapshot of a ledger, or not all of one",
    httpStatus: 400,
    isRetryable: false,
  },
  BRG_SNAPSHOT_FALSE: {
    meaning:
      "the snapshot is not what its hash names, contradicts itself, or is of a state that L1 has not accepted; `data.why`",
    httpStatus: 422,
    isRetryable: false,
  },
} as const;

export type BridgeErrorCode = keyof typeof bridgeErrors;

/** A RollupError with the retryability that `bridgeErrors` gives for the code. */
export function bridgeError(
  code: BridgeErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: bridgeErrors[code].isRetryable });
}
