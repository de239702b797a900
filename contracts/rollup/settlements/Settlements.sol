// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchVerifier} from "../BatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {ISettlements} from "./ISettlements.sol";
import {ACTIVATION, R, SETTLE} from "../Protocol.sol";
import {Randomness} from "./Randomness.sol";
import {SettlementReader} from "./SettlementReader.sol";

/// @title CloseEpochs, randomness, and what the proof of a settlement must show
/// @dev Documentation is in ISettlements.
abstract contract Settlements is BatchVerifier, ISettlements {
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
        Statement[] memory statements = new Statement[](1);
        SettlementReader.Header memory header =
            _read(settlement, Record(SETTLE, modelId, word, 0, false), statements[0]);
        // Attack: a record with voids needs the model's signature, so nobody but the model could serve it.
        if (header.voidCount != 0) revert SettlementVoidsPreVerified(modelId, header.voidCount);
        // Narrowing casts: 2^64 blocks and seconds do not come, 96 bits as it was read.
        (preVerified.blockNumber, preVerified.timestamp, preVerified.burnedWei) =
            (uint64(block.number), uint64(block.timestamp), uint96(header.burnedWei));
        emit SettlementPreVerified(modelId, word, settlement, proof);
        uint256 place;
        assembly ("memory-safe") {
            place := proof
        }
        _verify(_loadKeys(), statements, _proofs(place, 1));
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
        Settlement calldata settlement,
        Record memory record,
        Statement memory statement
    ) internal returns (uint256) {
        SettlementReader.Header memory header = _read(settlement, record, statement);
        _emit(settlement, record, header);
        return record.kind == ACTIVATION ? 0 : header.burnedWei;
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

    /// @dev Has the reader say what the proof of `settlement` must show for `record` (I11, I12), fills `statement` with it, and
    /// asks the gate (I16). The call is static, to code that the constructor made. Uses memory that the caller may free.
    function _read(Settlement calldata settlement, Record memory record, Statement memory statement)
        private
        view
        returns (SettlementReader.Header memory header)
    {
        // Called for 100 gas, since the keys are loaded.
        address reader = _keyStore;
        uint256 circuits = circuitCount;
        uint256 selector = uint32(SettlementReader.read.selector);
        uint256 commitment = settlement.commitment;
        bytes calldata data = settlement.data;
        assembly ("memory-safe") {
            // The ABI's form of (circuitCount, record, settlement).
            let input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x20), circuits)
            mcopy(add(input, 0x40), record, 0x80)
            mstore(add(input, 0xc0), 0xc0)
            mstore(add(input, 0xe0), calldataload(settlement))
            mstore(add(input, 0x100), commitment)
            mstore(add(input, 0x120), 0x60)
            mstore(add(input, 0x140), data.length)
            calldatacopy(add(input, 0x160), data.offset, data.length)
            if iszero(staticcall(gas(), reader, add(input, 0x1c), add(0x144, and(add(data.length, 31), not(31))), 0, 0)) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
            // A header of six words, then the statement.
            returndatacopy(header, 0, 0xc0)
            returndatacopy(statement, 0xc0, 0xc0)
        }
        bool isActivation = record.kind == ACTIVATION;
        // An Activation, or a settlement by draws. By row counts every epoch can be settled: no gate is asked.
        if (isActivation == header.isDefault) {
            _requireAdmitted(record.modelId, isActivation ? record.word : commitment, isActivation);
        }
    }

    function _emit(
        Settlement calldata settlement,
        Record memory record,
        SettlementReader.Header memory header
    ) private {
        // Narrowing casts: the fields were read with these widths, and a circuit's size has 16 bits.
        if (record.kind == SETTLE) {
            emit SettlementAccepted(
                record.modelId,
                record.batchNumber,
                uint24(header.epoch),
                settlement.circuit,
                uint8(header.voidCount),
                uint96(header.burnedWei),
                header.isDefault
            );
        } else {
            emit ActivationAccepted(
                record.modelId,
                record.batchNumber,
                settlement.circuit,
                uint8(header.capCircuit),
                uint16(header.cap)
            );
        }
        if (!record.isPlainCall) emit SettlementData(record.batchNumber, record.modelId, settlement.data);
    }
}
