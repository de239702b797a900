/**
 * Errors BRG_… of the bridge and of everything else that reads or writes L1: meaning, remedy, HTTP status and
 * whether a later try may succeed. docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of bridge/. */
export const bridgeErrors = defineErrors("BRG", {
  BRG_L1_UNREACHABLE: {
    meaning: "the Ethereum node did not answer in time",
    remedy: "check that the Ethereum node runs and that its address is right",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_L1_REFUSED: {
    meaning: "the Ethereum node answered with an error that is not a revert",
    remedy: "check --rpc and --rollup, then try another node: some limit their replies, or prune old blocks",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_CONTRACT_REVERTED: {
    meaning: "the contract reverted the call; `data` has the name and operands of its error",
    remedy: "look up the contract's error in contracts/rollup/IRollup.sol",
    httpStatus: 409,
  },
  BRG_WRONG_DEPLOYMENT: {
    meaning: "the contract on L1 is not the one that the deployment record describes",
    remedy: "use the deployment record and the Ethereum node of the same deployment",
  },
  BRG_QUEUE_GAP: {
    meaning: "the Ethereum node's logs omit a queue entry; load-balanced nodes out of step cause this",
    remedy: "no action is needed; if the error persists, use another Ethereum node",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_L1_STALLED: {
    meaning: "the Ethereum node's newest block has been the same for ten minutes",
    remedy: "check that the node is in sync, or use another one (docs/how-to/runbook.md)",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_L1_LOGS_INCOMPLETE: {
    meaning:
      "the Ethereum node's logs lack events that must be there; `data.what` names them. They are asked for again",
    remedy: "if the error persists, use another node: this one lags behind itself, or leaves out logs",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_QUEUE_REORGANISED: {
    meaning: "L1 removed a confirmed queue entry that a final batch includes: only a restore from L1 helps",
    remedy: "restore the ledger from L1: openledger restore",
  },
  BRG_RANDOMNESS_LATE: {
    meaning: "a CloseEpoch's randomness is not recorded on L1, and the time to record it is running out",
    remedy: "fund the bridge's account with ether, and check its Ethereum node (docs/how-to/runbook.md)",
    isRetryable: true,
  },
  BRG_RANDOMNESS_MISSED: {
    meaning: "a CloseEpoch's randomness was not recorded in time: its epochs settle by the default split",
    remedy: "settle by row counts, from 14 days after the close",
  },
  BRG_CLOSE_REORGANISED: {
    meaning:
      "L1 replaced a CloseEpoch's randomness that was deep enough to be passed on: an operator has to look into it",
    remedy: "compare several Ethereum nodes; docs/how-to/runbook.md has the steps",
  },
  BRG_NONCE_TAKEN: {
    meaning: "the publisher's nonce was used by a transaction that the bridge did not send",
    remedy: "use the publisher's account for the bridge alone; docs/how-to/runbook.md has the steps",
  },
  BRG_BATCH_TOO_LARGE: {
    meaning: "a single batch exceeds the limits of a transaction",
    remedy: "raise the transaction limits, or close smaller batches",
  },
  BRG_PUBLISH_REFUSED: {
    meaning:
      "the contract rejects a batch at several blocks in a row, for a reason that the publisher cannot resolve; it keeps trying",
    remedy: "read the contract's error in `data`; docs/how-to/runbook.md has the steps",
  },
  BRG_PUBLISH_REVERTED: {
    meaning:
      "transactions revert when mined, although L1 accepts the same call a moment later; the publisher pauses",
    remedy: "inspect the reverted transactions; docs/how-to/runbook.md has the steps",
    note: "The pause is twice as long each time, up to ten minutes.",
    isRetryable: true,
  },
  BRG_FROZEN: {
    meaning: "the rollup is frozen on L1: the bridge no longer publishes batches or passes anything on",
    remedy: "take out what is yours with: openledger exit",
    httpStatus: 410,
  },
  BRG_FOREIGN_SIGNED: {
    meaning:
      "L1 has signed operations that this sequencer did not post: its directory is old, or its key is used elsewhere",
    remedy: "stop the processes, and restore the ledger from L1: openledger restore",
  },
  BRG_HISTORY_UNREADABLE: {
    meaning: "the rollup's events and calls on L1 do not have the form that the contract writes",
    remedy: "check --rpc and --rollup: they may be of different chains, or the contract of another version",
  },
  BRG_HISTORY_INCOMPLETE: {
    meaning:
      "the node's logs do not begin with the rollup's first event: they are pruned, or the search began too late",
    remedy: "use an archive node (--rpc), or drop or lower --from-block",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_BATCH_MALFORMED: {
    meaning: "L1 has accepted a batch that breaks the ledger's rules; `data` names batch, rule and remedy",
    remedy:
      "ask another node first. If it agrees, trust no newer root: stop operating, and leave with `openledger force withdraw amount=all`",
    note: "Without an answer to the forced withdrawal: `openledger freeze` after 7 days, then `openledger exit`, which says whether this batch's effect is known.",
    httpStatus: 409,
  },
  BRG_BATCH_NOT_IN_CALL: {
    meaning: "a batch was posted through another contract, and no event has its data",
    remedy: "use another Ethereum node (--rpc): this one omits events or transactions",
  },
  BRG_BLOB_MISSING: {
    meaning:
      "no archive or beacon node that was named has a blob of L1's; `data` has the places asked, and the remedy",
    remedy: "name an archive or a beacon node that may have it: --blobs, --beacon",
    note: "Ethereum prunes blobs after 18 days. `data` also has the versioned hash, the batch and the block.",
    httpStatus: 404,
  },
  BRG_BLOB_UNREACHABLE: {
    meaning:
      "a blob could not be read: an archive or a beacon node that may have it did not answer; `data` as for BRG_BLOB_MISSING",
    remedy: "try again, or name another beacon node or archive: --beacon, --blobs",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_BLOBS_FAILED: {
    meaning:
      "the folder of blobs cannot be read or written (space, permissions, disk); `data.reason` is the system's code",
    remedy: "free disk space, or give the process permission to use the folder",
  },
  BRG_NOTHING_TO_DO: {
    meaning: "L1's queue is empty, or the model has no closed epoch on L1",
    remedy: "no action is needed",
    httpStatus: 409,
  },
  BRG_TOO_EARLY: {
    meaning:
      "the contract accepts this from other accounts, or by row counts, only later; `data` has the time",
    remedy: "wait until the time in the message, or leave it to the operator",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_OPENING_MISSING: {
    meaning:
      "the opening of a drawn answer was not published; without the model's signature only the default split is left",
    remedy: "ask the model's owner to publish the opening, or wait for the default split",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_PROOF_OF_ANOTHER: {
    meaning: "a proof's public signals do not match its statement: the circuit's files are another version's",
    remedy: "use the circuits of the version that the rollup was deployed with",
  },
  BRG_NO_CIRCUIT: {
    meaning: "no registered circuit of the rollup fits the settlement, or its files are missing here",
    remedy: "download the rollup's published circuits and keys",
    httpStatus: 409,
  },
  BRG_VERIFY_DIFFERS: {
    meaning: "L1's state differs from what its events and circuits give; `data` names the first difference",
    remedy:
      "ask another Ethereum node (--rpc). If it agrees, do not trust this rollup until the difference is explained",
    httpStatus: 409,
  },
  BRG_PRECONFIRMATION_INVALID: {
    meaning:
      "the file is no preconfirmation with its operation, or not one for this rollup, signer and batch; `data.reason`",
    remedy: "use the file that the client stored with the operation",
    httpStatus: 422,
  },
  BRG_SNAPSHOT_INVALID: {
    meaning:
      "the snapshot is incomplete, altered, contradicts itself, or is of a state that L1 has not accepted; `data.why`",
    remedy: "download the snapshot from another server, or replay L1 from the start",
    httpStatus: 422,
  },
});

/** Makes an error of these codes; the caller throws it. */
export const bridgeError = bridgeErrors.raise;
export type BridgeErrorCode = CodeOf<typeof bridgeErrors>;
