// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchVerifier} from "../BatchVerifier.sol";
import {deriveChallenge, evaluateElements, hashElements} from "../ElementVector.sol";
import {IRollup} from "../IRollup.sol";
import {ISettlements} from "./ISettlements.sol";
import {ACTIVATION, R, SETTLE, SORT_SETTLEMENT, SORT_PAYEE_TABLE} from "../Protocol.sol";
import {Randomness} from "./Randomness.sol";
import {SettlementElements} from "./SettlementElements.sol";

/// @title CloseEpochs, randomness, and what the proof of a settlement must show
/// @dev Documentation is in ISettlements.
abstract contract Settlements is BatchVerifier, ISettlements {
    using SettlementElements for SettlementElements.Elements;

    /// @inheritdoc ISettlements
    uint256 public constant RANDOMNESS_DELAY = 128;
    /// @inheritdoc ISettlements
    uint256 public constant OPEN_SETTLEMENT_DELAY = 3 days;
    /// @inheritdoc ISettlements
    uint256 public constant DEFAULT_SPLIT_DELAY = 14 days;

    /// @dev One word: 128 bits free. 2^64 blocks and seconds do not come.
    struct ClosingTime {
        uint64 blockNumber;
        uint64 timestamp;
    }

    /// @dev One word. Its time is never 0.
    struct PreVerified {
        uint64 blockNumber;
        uint64 timestamp;
        uint96 burnedWei;
    }

    /// @dev A Settle or Activation record as the batch holds it, or the Settle record that a pre-verified settlement waits for.
    struct Record {
        uint256 kind;
        uint256 modelId;
        uint256 word;
        /// @dev 0 for one that is pre-verified.
        uint256 batchNumber;
        bool isPlainCall;
    }

    Randomness private immutable _randomness = new Randomness();

    /// @inheritdoc ISettlements
    mapping(uint256 batchNumber => ClosingTime) public closedAt;
    /// @inheritdoc ISettlements
    mapping(uint256 batchNumber => uint256) public randomness;

    /// @inheritdoc ISettlements
    mapping(uint256 modelId => mapping(uint256 word => PreVerified)) public preVerifiedSettlements;

    /// @inheritdoc ISettlements
    function preVerifySettlement(
        uint24 modelId,
        uint256 word,
        Settlement calldata settlement,
        Proof calldata proof
    ) external {
        _requireRunning();
        if (word >= R) revert IRollup.RollupElementOutOfField();
        PreVerified storage preVerified = preVerifiedSettlements[modelId][word];
        if (preVerified.timestamp != 0) revert SettlementAlreadyPreVerified(modelId, word);
        uint256 keys = _loadKeys();
        Statement[] memory statements = new Statement[](1);
        SettlementElements.Elements memory elements =
            _read(keys, settlement, Record(SETTLE, modelId, word, 0, false), statements[0]);
        // Attack: a record with voids needs the model's signature, so nobody but the model could serve it.
        if (elements.voidCount != 0) revert SettlementVoidsPreVerified(modelId, elements.voidCount);
        // Narrowing casts: 2^64 blocks and seconds do not come, 96 bits as it was read.
        (preVerified.blockNumber, preVerified.timestamp, preVerified.burnedWei) =
            (uint64(block.number), uint64(block.timestamp), uint96(elements.burnedWei));
        emit SettlementPreVerified(modelId, word, settlement, proof);
        uint256 place;
        assembly ("memory-safe") {
            place := proof
        }
        _verify(keys, statements, _proofs(place, 1));
    }

    /// @dev Proofs have no dynamic part, so an array of them is a place in the calldata and a number.
    function _proofs(uint256 place, uint256 count) internal pure returns (Proof[] calldata proofs) {
        assembly ("memory-safe") {
            proofs.offset := place
            proofs.length := count
        }
    }

    /// @inheritdoc ISettlements
    function recordRandomness(uint256 batchNumber, bytes calldata header) external {
        _requireRunning();
        uint256 closingBlock = closedAt[batchNumber].blockNumber;
        if (closingBlock == 0) revert RandomnessCloseUnknown(batchNumber);
        if (randomness[batchNumber] != 0) return;
        uint256 number = closingBlock + RANDOMNESS_DELAY;
        if (number >= block.number) revert RandomnessTooEarly(number, block.number);
        uint256 prevRandao = _randomness.prevRandaoOf(number, header);
        randomness[batchNumber] = prevRandao;
        emit RandomnessRecorded(batchNumber, prevRandao);
    }

    /// @dev Reverts once the ledger is frozen.
    function _requireRunning() internal view virtual;

    /// @dev Asks the rollup's gate about an Activation with this J, or about a settlement by draws with this C.
    function _requireAdmitted(uint256 modelId, uint256 word, bool isActivation) internal view virtual;

    /// @dev A batch's first CloseEpoch record.
    function _close(uint256 batchNumber) internal {
        closedAt[batchNumber] = ClosingTime(uint64(block.number), uint64(block.timestamp));
        emit EpochsClosed(batchNumber);
    }

    /// @dev Takes what the sequencer brings with a batch for `record`.
    function _takeSettlement(
        uint256 keys,
        Settlement calldata settlement,
        Record memory record,
        Statement memory statement
    ) internal returns (uint256) {
        SettlementElements.Elements memory elements = _read(keys, settlement, record, statement);
        _emit(settlement, record, elements);
        return record.kind == ACTIVATION ? 0 : elements.burnedWei;
    }

    /// @dev Takes what was pre-verified for `record`.
    /// @param latest Time until which it must have been pre-verified.
    function _takePreVerified(Record memory record, uint256 latest) internal returns (uint256 burnedWei) {
        PreVerified memory preVerified = preVerifiedSettlements[record.modelId][record.word];
        if (record.kind != SETTLE || preVerified.timestamp == 0) {
            revert SettlementNotPreVerified(record.modelId, record.word);
        }
        if (preVerified.timestamp > latest) {
            revert SettlementNotOverdue(record.modelId, record.word, preVerified.timestamp, latest);
        }
        delete preVerifiedSettlements[record.modelId][record.word];
        emit PreVerifiedSettlementTaken(record.modelId, record.batchNumber, record.word, preVerified.blockNumber);
        return preVerified.burnedWei;
    }

    /// @dev Fills `statement` with what the proof of `settlement` must show for `record` (I11), and checks its time
    /// (I12). Uses memory that the caller may free.
    function _read(
        uint256 keys,
        Settlement calldata settlement,
        Record memory record,
        Statement memory statement
    ) private view returns (SettlementElements.Elements memory elements) {
        if (settlement.commitment >= R) revert IRollup.RollupElementOutOfField();
        (bytes32 circuitId, uint256 sort,, uint256 payees) = _circuit(keys, settlement.circuit);
        bool isActivation = record.kind == ACTIVATION;
        if (sort != SORT_PAYEE_TABLE && (isActivation || sort != SORT_SETTLEMENT)) {
            revert SettlementSortInvalid(settlement.circuit, sort, record.kind);
        }
        elements = SettlementElements.read(settlement.data, payees, isActivation ? 3 : 6);
        if (elements.chain >= R) revert IRollup.RollupElementOutOfField();

        elements.isDefault = sort == SORT_PAYEE_TABLE;
        uint256 seed = 0;
        if (isActivation) {
            elements.cap = _cap(keys, elements);
        } else {
            if (elements.capCircuit != 0) revert SettlementCapInvalid(elements.capCircuit);
            seed = _seed(record, elements);
        }
        // An Activation, or a settlement by draws. By row counts every epoch can be settled: no gate is asked.
        if (isActivation == elements.isDefault) {
            _requireAdmitted(record.modelId, isActivation ? record.word : settlement.commitment, isActivation);
        }
        elements.writeHeader(record.word, record.modelId, isActivation, seed);

        statement.circuit = settlement.circuit;
        statement.commitment = settlement.commitment;
        statement.challenge = deriveChallenge(
            circuitId, settlement.commitment, hashElements(elements.start, elements.count)
        );
        // The record's word was checked with its batch's elements or when it was pre-verified, the chain above; the rest
        // has its widths.
        statement.evaluation =
            evaluateElements(elements.start, elements.count, elements.count, statement.challenge);
    }

    /// @dev Most payments of the epochs of a model: those of the circuit that its activation names. The batch's proof shows
    /// that the model's key signed them.
    function _cap(uint256 keys, SettlementElements.Elements memory elements) private view returns (uint256) {
        (, uint256 sort, uint256 payments, uint256 payees) = _circuit(keys, elements.capCircuit);
        if (sort != SORT_SETTLEMENT) revert SettlementCapInvalid(elements.capCircuit);
        elements.requireFits(payees);
        return payments;
    }

    /// @dev What draws the payments of the epoch; 0 for a default split, which draws none.
    function _seed(Record memory record, SettlementElements.Elements memory elements)
        private
        view
        returns (uint256)
    {
        uint256 closingBatch = elements.closingBatch;
        // Pre-verified.
        if (record.batchNumber == 0) {
            uint256 earliest = _closingTime(closingBatch) + OPEN_SETTLEMENT_DELAY;
            if (block.timestamp < earliest) {
                revert SettlementStrangerTooEarly(closingBatch, earliest, block.timestamp);
            }
        }
        if (elements.isDefault) {
            uint256 earliest = _closingTime(closingBatch) + DEFAULT_SPLIT_DELAY;
            if (block.timestamp < earliest) {
                revert SettlementDefaultTooEarly(closingBatch, earliest, block.timestamp);
            }
            return 0;
        }
        uint256 prevRandao = randomness[closingBatch];
        if (prevRandao == 0) revert SettlementRandomnessMissing(closingBatch);
        // The lower 128 bits.
        return uint128(
            uint256(keccak256(abi.encode(prevRandao, record.modelId, elements.epoch, elements.chain)))
        );
    }

    function _closingTime(uint256 closingBatch) private view returns (uint256 timestamp) {
        timestamp = closedAt[closingBatch].timestamp;
        if (timestamp == 0) revert SettlementCloseUnknown(closingBatch);
    }

    function _emit(
        Settlement calldata settlement,
        Record memory record,
        SettlementElements.Elements memory elements
    ) private {
        // Narrowing casts: the fields were read with these widths, and a circuit's size has 16 bits.
        if (record.kind == SETTLE) {
            emit SettlementAccepted(
                record.modelId,
                record.batchNumber,
                uint24(elements.epoch),
                settlement.circuit,
                uint8(elements.voidCount),
                uint96(elements.burnedWei),
                elements.isDefault
            );
        } else {
            emit ActivationAccepted(
                record.modelId,
                record.batchNumber,
                settlement.circuit,
                uint8(elements.capCircuit),
                uint16(elements.cap)
            );
        }
        if (!record.isPlainCall) emit SettlementData(record.batchNumber, record.modelId, settlement.data);
    }
}
