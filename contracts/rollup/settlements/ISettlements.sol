// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IBatchVerifier} from "../IBatchVerifier.sol";

/// @title What L1 adds to the proofs of settlements: closes, randomness, time
/// @notice Formats are those of docs/reference/settlement.md; invariants are numbered in docs/reference/invariants.md.
///
/// A model's epoch is closed by a CloseEpoch record in a batch. The block that takes the batch fixes a later block, whose
/// prevRandao draws the payments that are attributed. A Settle record takes a settlement with its own proof, which
/// shows the record's word J; an Activation record takes one that shows the model's payee table.
///
/// The sequencer brings settlements with its batches. Anybody else pre-verifies one: its proof is checked then, and the next
/// batch with its record takes it without a proof. So a stranger's settlement changes no root and voids no batch of the
/// sequencer's, unless the sequencer leaves it lying for SOFT_DEADLINE.
///
/// What it assumes:
/// - of the circuits: that a proven settlement follows docs/reference/settlement.md. An unsound one could credit what is in the
///   ledger to the wrong leaves, or burn it, but never pay out more than was paid in (I2).
/// - of prevRandao: nobody foresees it RANDOMNESS_DELAY blocks ahead. Who proposes that block can withhold it, once.
/// - of the chain: a block's hash can be had for 8,191 blocks (EIP-2935). Without that contract `recordRandomness`
///   works for 256 blocks only, and later the default split is left.
interface ISettlements {
    /// @notice One entry of a settlement, with one proof. A settlement of one shard is one entry. One of S shards is S entries by
    /// payee tables, S + 1 by draws: the draws' with the header, then the shards' in their order.
    /// @param circuit Index of the circuit that proves this entry.
    /// @param commitment C, the Poseidon commitment to the entry's elements.
    /// @param data Posted form of docs/reference/settlement.md, "On L1". Empty: the record takes what was pre-verified for it, and
    /// there is no proof; circuit and commitment are not looked at.
    struct Settlement {
        uint8 circuit;
        uint256 commitment;
        bytes data;
    }

    /// @notice A batch has CloseEpoch records: `closedAt` of its number is this block. Once a batch.
    event EpochsClosed(uint256 indexed batchNumber);

    event RandomnessRecorded(uint256 indexed batchNumber, uint256 prevRandao);

    /// @notice Before the event of the batch that holds the Settle record, in the same transaction. The record's other
    /// amounts stay in the ledger; they follow from the proof and the posted totals.
    /// @param epoch Number of the closed epoch.
    /// @param circuit Of the settlement's first entry.
    /// @param isDefault Split by row counts, without draws.
    event SettlementAccepted(
        uint256 indexed modelId,
        uint256 indexed batchNumber,
        uint24 epoch,
        uint8 circuit,
        uint8 voidCount,
        uint96 burnedWei,
        bool isDefault
    );

    /// @notice Before the event of the batch that holds the Activation record.
    /// @param settlementCircuit Index of the circuit that the model's epochs are settled by.
    /// @param cap Most payments of an epoch: what that circuit can replay.
    event ActivationAccepted(
        uint256 indexed modelId,
        uint256 indexed batchNumber,
        uint8 circuit,
        uint8 settlementCircuit,
        uint16 cap
    );

    /// @notice A settlement waits for the Settle record with this model and word.
    event SettlementPreVerified(
        uint256 indexed modelId, uint256 indexed word, Settlement[] entries, IBatchVerifier.Proof[] proofs
    );

    /// @notice Instead of SettlementAccepted, where the record took what was pre-verified for it.
    /// @param preVerifiedAtBlock Block of its SettlementPreVerified.
    event PreVerifiedSettlementTaken(
        uint256 indexed modelId, uint256 indexed batchNumber, uint256 word, uint256 preVerifiedAtBlock
    );

    /// @notice An entry's posted bytes, emitted only where the transaction's own input may not hold them, as
    /// IRollup.BatchData for a batch. In the order of the records and of each settlement's entries.
    event SettlementData(uint256 indexed batchNumber, uint256 indexed modelId, bytes data);

    /// @notice A Settle or Activation record finds no settlement left, or not all of its entries.
    error SettlementMissing(uint256 batchNumber, uint256 modelId);
    /// @notice Entries are left over when all records have theirs.
    error SettlementUnused(uint256 takenCount, uint256 givenCount);
    /// @notice The record's leaf A is not the treasury, or the Activation names a leaf A.
    error SettlementLeafInvalid(uint256 modelId, uint256 a);
    /// @notice A Settle needs a Settlement or a PayeeTable, an Activation a PayeeTable; several shards by draws a
    /// ShardedSettlement and Shards, else PayeeTables.
    error SettlementSortInvalid(uint256 circuit, uint256 sort, uint256 kind);
    /// @notice The data is shorter than its header, its items are not whole, it has not one link a shard, or a shard has no items.
    error SettlementDataLengthInvalid(uint256 length);
    /// @notice Of one shard only where the circuit is a Settlement; at most as many as a ShardedSettlement has; never 0 or above 8.
    error SettlementShardCountInvalid(uint256 shardCount);
    /// @notice What the shards of payee tables earned is more than 96 bits hold.
    error SettlementSumExceeded(uint256 sumWei);
    /// @notice More items than the circuit has payees, or an activation of more than the model's settlements will have.
    error SettlementPayeeCountExceeded(uint256 itemElementCount, uint256 maxCount);
    /// @notice An Activation names something else than a Settlement circuit, or of several shards than a ShardedSettlement with
    /// as many; or a Settle names a circuit.
    error SettlementCapInvalid(uint256 capCircuit);
    /// @notice No batch of that number holds a CloseEpoch.
    error SettlementCloseUnknown(uint256 closingBatch);
    error SettlementRandomnessMissing(uint256 closingBatch);
    /// @notice Before `earliest` an epoch is settled by its draws only.
    error SettlementDefaultTooEarly(uint256 closingBatch, uint256 earliest, uint256 timestamp);
    /// @notice Before `earliest` nothing is pre-verified, and only the sequencer settles.
    error SettlementStrangerTooEarly(uint256 closingBatch, uint256 earliest, uint256 timestamp);
    /// @notice Only the sequencer brings settlements with a batch; others have theirs pre-verified first. An Activation opens a model
    /// that holds nobody's money yet, so it comes from the sequencer alone.
    error SettlementNotSequencer(address caller);
    error SettlementAlreadyPreVerified(uint256 modelId, uint256 word);
    /// @notice Nothing is pre-verified for that record, or it is an Activation.
    error SettlementNotPreVerified(uint256 modelId, uint256 word);
    /// @notice Who is not the sequencer takes what was pre-verified at `latest` or before only.
    error SettlementNotOverdue(uint256 modelId, uint256 word, uint256 timestamp, uint256 latest);
    /// @notice A settlement with voids cannot be pre-verified: its record needs the model's signature.
    error SettlementVoidsPreVerified(uint256 modelId, uint256 voidCount);

    /// @notice No batch of that number holds a CloseEpoch.
    error RandomnessCloseUnknown(uint256 batchNumber);
    /// @notice Block `blockNumber` has no hash yet.
    error RandomnessTooEarly(uint256 blockNumber, uint256 currentBlock);
    /// @notice The hash of block `blockNumber` is not to be had any more: the epochs closed then go by default split.
    error RandomnessMissed(uint256 blockNumber, uint256 currentBlock);
    error RandomnessHeaderMismatch(bytes32 expected, bytes32 actual);
    /// @notice The header is no RLP list with a mixHash in its place; the flaw is at byte `place`.
    error RandomnessHeaderMalformed(uint256 place);
    /// @notice A mixHash of 0 is none: chains without prevRandao have it.
    error RandomnessZero(uint256 blockNumber);

    /// @notice Checks a settlement and its proof, and keeps it for the batch that holds the Settle record with this model
    /// and word (J): the sequencer's next one, or after SOFT_DEADLINE anybody's. Open to all until the ledger is frozen,
    /// from OPEN_SETTLEMENT_DELAY after the CloseEpoch on.
    /// @dev L1 does not know the ledger's epochs: what is pre-verified for one that the ledger does not have, or has settled
    /// otherwise, waits for ever, because no batch with its record can be proven.
    /// Makes no outside call but to precompiles and to its own reader.
    /// @param entries All of one settlement, and no more.
    /// @param proofs One of each entry.
    function preVerifySettlement(
        uint24 modelId,
        uint256 word,
        Settlement[] calldata entries,
        IBatchVerifier.Proof[] calldata proofs
    ) external;

    /// @notice Block and time at which it was pre-verified, and what it burns; zeros where nothing is.
    function preVerifiedSettlements(uint256 modelId, uint256 word)
        external
        view
        returns (uint64 blockNumber, uint64 timestamp, uint96 burnedWei);

    /// @notice Stores prevRandao of the block RANDOMNESS_DELAY after the one that took batch `batchNumber`, if that
    /// batch holds a CloseEpoch. Open to all until the ledger is frozen; once it is stored, a further call changes nothing and
    /// succeeds.
    /// @param header RLP of that block's header.
    function recordRandomness(uint256 batchNumber, bytes calldata header) external;

    /// @notice Block and time at which a batch with CloseEpoch records was taken; zeros for any other number.
    function closedAt(uint256 batchNumber) external view returns (uint64 blockNumber, uint64 timestamp);

    /// @notice What `recordRandomness` stored for a batch, or 0.
    function randomness(uint256 batchNumber) external view returns (uint256 prevRandao);

    /// @notice Blocks between a CloseEpoch and the block whose prevRandao draws. More than two epochs of 32: the proposer is
    /// not known when the CloseEpoch is posted.
    function RANDOMNESS_DELAY() external view returns (uint256);

    /// @notice Seconds after the CloseEpoch from which anyone may pre-verify a settlement. Longer than
    /// RANDOMNESS_DELAY blocks, so that the sequencer has had time.
    function OPEN_SETTLEMENT_DELAY() external view returns (uint256);

    /// @notice Seconds after the CloseEpoch from which an epoch may be settled by the default split. Longer than
    /// OPEN_SETTLEMENT_DELAY, so that anyone has had time to settle by the draws.
    function DEFAULT_SPLIT_DELAY() external view returns (uint256);
}
