import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of bridge/. */
export const bridgeErrors = defineErrors("BRG", {
  BRG_L1_UNREACHABLE: {
    meaning: "the L1 node did not answer, or not in time",
    remedy: "check that the Ethereum node runs and that its address is right",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_L1_REFUSED: {
    meaning: "the L1 node answered with an error that is not a revert",
    remedy:
      "check --rpc and --rollup, then try another node: some limit what they answer, or do not keep old blocks",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_CONTRACT_REVERTED: {
    meaning: "the contract refuses the call; data has the contract error's name and operands",
    remedy: "look the contract's error up in contracts/rollup/IRollup.sol",
    httpStatus: 409,
  },
  BRG_WRONG_DEPLOYMENT: {
    meaning: "the contract on L1 is not the one that the deployment record describes",
    remedy: "name the record and the Ethereum node of one deployment",
  },
  BRG_QUEUE_GAP: {
    meaning: "the L1 node's logs leave out a queue entry; seen with nodes that lag behind each other",
    remedy: "there is nothing to do; if it persists, use another Ethereum node",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_QUEUE_REORGANISED: {
    meaning:
      "L1 took back a queue entry that was deep enough to be handed over, and a final batch holds it: only a restore from L1 mends that",
    remedy: "restore the ledger from L1: openledger restore",
  },
  BRG_RANDOMNESS_LATE: {
    meaning: "a CloseEpoch's randomness is not on L1, and the time in which it can be recorded runs out",
    remedy: "give the bridge's account ether and its Ethereum node a chance (docs/how-to/runbook.md)",
    isRetryable: true,
  },
  BRG_RANDOMNESS_MISSED: {
    meaning:
      "a CloseEpoch's randomness was not recorded in time: its epochs can only be settled by the default split",
    remedy: "settle by row counts, from 14 days after the close on",
  },
  BRG_CLOSE_REORGANISED: {
    meaning:
      "L1 replaced a CloseEpoch's randomness that was deep enough to be passed on: a human has to look",
    remedy: "compare L1's nodes; docs/how-to/runbook.md has the steps",
  },
  BRG_NONCE_TAKEN: {
    meaning: "a transaction that the bridge does not know used the publisher's nonce",
    remedy: "use the publisher's account for nothing else; docs/how-to/runbook.md has the steps",
  },
  BRG_BATCH_TOO_LARGE: {
    meaning: "one batch alone is above the limits of a transaction",
    remedy: "raise the limits of a transaction, or close smaller batches",
  },
  BRG_PUBLISH_REFUSED: {
    meaning:
      "the contract refuses a batch, at several blocks one after the other, for a reason that the publisher cannot mend; it looks again and again",
    remedy: "read the contract's error in `data`; docs/how-to/runbook.md has the steps",
  },
  BRG_PUBLISH_REVERTED: {
    meaning:
      "transactions with batches are mined and revert although L1 takes the same call a moment later; the publisher waits longer each time",
    remedy: "look at the reverted transactions; docs/how-to/runbook.md has the steps",
    isRetryable: true,
  },
  BRG_FROZEN: {
    meaning: "the rollup is frozen on L1: the bridge publishes nothing and hands nothing over any more",
    remedy: "take out what is yours with: openledger exit",
    httpStatus: 410,
  },
  BRG_LEASE_LOST: {
    meaning: "another machine of the operator's has taken the lease: this bridge sends nothing any more",
    remedy: "leave this machine as a standby (docs/how-to/fail-over.md)",
  },
  BRG_LEASE_ENDED: {
    meaning: "the lease's time is over and it is not extended yet: nothing else is sent before it is",
    remedy: "give the bridge's account ether and a working Ethereum node",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_LEASE_HELD: {
    meaning: "the lease has not ended yet; `data.endsAtSeconds` is when it does",
    remedy: "wait until `data.endsAtSeconds`",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_FOREIGN_SIGNED: {
    meaning:
      "L1 has signed operations that the sequencer did not put there: its data directory is older than L1, or its key is used elsewhere",
    remedy: "stop, and restore the ledger from L1: openledger restore",
  },
  BRG_HISTORY_UNREADABLE: {
    meaning: "L1's records of the rollup are not in the form that the contract writes",
    remedy:
      "check --rpc and --rollup: they may be of two chains, or the contract of another version of this repository",
  },
  BRG_HISTORY_INCOMPLETE: {
    meaning:
      "the L1 node's logs do not begin with the rollup's first event: it does not keep old ones, or they were asked for from a later block on",
    remedy: "ask a node that keeps old logs (--rpc), or drop or lower --from-block",
    httpStatus: 502,
    isRetryable: true,
  },
  BRG_BATCH_MALFORMED: {
    meaning:
      "L1 has taken a batch that breaks the ledger's rules, so nothing is built on it; `data` names batch, transaction, rule and what to do",
    remedy:
      "ask another Ethereum node first: this one may lie. Else trust no newer root: stop operating, and leave by `openledger withdraw --forced`, after 14 days `openledger freeze`, then `openledger exit`, which says whether this batch's effect is known",
    httpStatus: 409,
  },
  BRG_BATCH_NOT_IN_CALL: {
    meaning: "a batch came in through another contract, and no event holds its data",
    remedy: "ask another Ethereum node (--rpc): this one leaves out events or transactions",
  },
  BRG_BLOB_MISSING: {
    meaning:
      "L1 names a blob that nobody who was asked has, or no archive and no beacon node was named to ask: Ethereum keeps blobs for 18 days. `data` has versioned hash, batch, block, who was asked, and what to do",
    remedy: "name an archive or a beacon node that may have it: --blobs, --beacon",
    httpStatus: 404,
  },
  BRG_BLOB_UNREACHABLE: {
    meaning:
      "a blob could not be read, and a beacon node or an archive that may have it gave no answer; `data` as of BRG_BLOB_MISSING",
    remedy: "try again, or name another beacon node or archive: --beacon, --blobs",
    httpStatus: 503,
    isRetryable: true,
  },
  BRG_BLOBS_FAILED: {
    meaning:
      "the folder of blobs cannot be read or written (room, rights, a failing disk); `data.reason` is the system's code",
    remedy: "make room or give the process its rights to the folder",
  },
  BRG_NOTHING_TO_DO: {
    meaning: "no entry waits in L1's queue, or the model has no closed epoch on L1",
    remedy: "there is nothing to do",
    httpStatus: 409,
  },
  BRG_TOO_EARLY: {
    meaning: "the contract takes this from a stranger, or by row counts, only later; `data` has the second",
    remedy: "wait until the time that the message names, or leave it to the operator",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_OPENING_MISSING: {
    meaning:
      "a drawn answer's opening was not published; without the model's signature only the default split is left",
    remedy: "have the model publish the opening, or wait for the default split",
    httpStatus: 409,
    isRetryable: true,
  },
  BRG_PROOF_OF_ANOTHER: {
    meaning:
      "a proof's public signals are not those of the statement: the circuit's files are of another version",
    remedy: "use the circuits of the version that the rollup was deployed with",
  },
  BRG_NO_CIRCUIT: {
    meaning: "the rollup has no registered circuit that the settlement fits, or its files are not here",
    remedy: "fetch the rollup's published circuits and keys",
    httpStatus: 409,
  },
  BRG_VERIFY_DIFFERS: {
    meaning: "what L1 holds is not what its records and the circuits give; data names the first difference",
    remedy:
      "ask another Ethereum node (--rpc): this one may leave something out; else do not trust this rollup before the difference is explained",
    httpStatus: 409,
  },
  BRG_PRECONFIRMATION_INVALID: {
    meaning:
      "the file is no preconfirmation with its operation, or one of another rollup, operation or signer, or the operation at its place is not beside it; `data.reason`",
    remedy: "take the file that the client stored with its operation",
    httpStatus: 422,
  },
  BRG_SNAPSHOT_INVALID: {
    meaning:
      "the file is no whole snapshot of a ledger, is not what its hash names, contradicts itself, or is of a state that L1 has not accepted; `data.why`",
    remedy: "fetch the snapshot from another server, or replay L1 from the start",
    httpStatus: 422,
  },
});

export const bridgeError = bridgeErrors.raise;
export type BridgeErrorCode = CodeOf<typeof bridgeErrors>;
