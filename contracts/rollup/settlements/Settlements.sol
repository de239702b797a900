// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchVerifier} from "../BatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {ISettlements} from "./ISettlements.sol";
import {
    ACTIVATION, SHARD_COUNT_MAX, R, SETTLE, SORT_SETTLEMENT, SORT_SHARDED_SETTLEMENT
} from "../Protocol.sol";
import {Randomness} from "./Randomness.sol";
import {SHARD_COUNT_AT, SettlementRecord} from "./SettlementElements.sol";
import {DEFAULT_DELAY_SECONDS, OPEN_DELAY_SECONDS, SettlementReader} from "./SettlementReader.sol";

/// @title CloseEpochs, randomness, and what the proof of a settlement must show
/// @dev Documentation is in ISettlements.
abstract contract Settlements is BatchVerifier, ISettlements {
    /// @inheritdoc ISettlements
    uint256 public constant RANDOMNESS_DELAY = 128;
    /// @inheritdoc ISettlements
    uint256 public constant OPEN_SETTLEMENT_DELAY = OPEN_DELAY_SECONDS;
    /// @inheritdoc ISettlements
    uint256 public constant DEFAULT_SPLIT_DELAY = DEFAULT_DELAY_SECONDS;

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
        Settlement[] calldata entries,
        Proof[] calldata proofs
    ) external {
        _requireRunning();
        if (word >= R) revert IRollup.RollupElementOutOfField();
        PreVerified storage preVerified = preVerifiedSettlements[modelId][word];
        if (preVerified.timestamp != 0) revert SettlementAlreadyPreVerified(modelId, word);
        uint256 keys = _loadKeys();
        Statement[] memory statements = new Statement[](entries.length);
        (SettlementReader.Header memory header, uint256 count) =
            _read(keys, entries, 0, SettlementRecord(SETTLE, modelId, word, 0), statements, 0);
        if (count != entries.length) revert SettlementUnused(count, entries.length);
        // Attack: a record with voids needs the model's signature, so nobody but the model could serve it.
        if (header.voidCount != 0) revert SettlementVoidsPreVerified(modelId, header.voidCount);
        // Narrowing casts: 2^64 blocks and seconds do not come, 96 bits as it was read.
        (preVerified.blockNumber, preVerified.timestamp, preVerified.burnedWei) =
            (uint64(block.number), uint64(block.timestamp), uint96(header.burnedWei));
        emit SettlementPreVerified(modelId, word, entries, proofs);
        _verify(keys, statements, proofs);
    }

    /// @inheritdoc ISettlements
    function recordRandomness(uint256 batchNumber, bytes calldata header) external {
        _requireRunning();
        uint256 closingBlock = closedAt[batchNumber].blockNumber;
        if (closingBlock == 0) revert RandomnessCloseUnknown(batchNumber);
        if (randomness[batchNumber] != 0) return;
        uint256 number = closingBlock + RANDOMNESS_DELAY;
        if (number >= block.number) revert RandomnessTooEarly(number, block.number);
        uint256 prevRandao = Randomness(_keyStore).prevRandaoOf(number, header);
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

    /// @dev Takes what the sequencer brings with a batch for `record`: the entries from `index` on. Fills as many statements, and
    /// returns how many.
    function _takeSettlement(
        uint256 keys,
        Settlement[] calldata entries,
        uint256 index,
        SettlementRecord memory record,
        bool isPlainCall,
        Statement[] memory statements,
        uint256 statementIndex
    ) internal returns (uint256 count, uint256 burnedWei) {
        SettlementReader.Header memory header;
        (header, count) = _read(keys, entries, index, record, statements, statementIndex);
        // Narrowing casts: the fields were read with these widths, and a circuit's size has 16 bits.
        if (record.kind == SETTLE) {
            burnedWei = header.burnedWei;
            emit SettlementAccepted(
                record.modelId,
                record.batchNumber,
                uint24(header.epoch),
                entries[index].circuit,
                uint8(header.voidCount),
                uint96(burnedWei),
                header.isDefault
            );
        } else {
            emit ActivationAccepted(
                record.modelId,
                record.batchNumber,
                entries[index].circuit,
                uint8(header.capCircuit),
                uint16(header.cap)
            );
        }
        if (isPlainCall) return (count, burnedWei);
        for (uint256 i = 0; i < count; ++i) {
            emit SettlementData(record.batchNumber, record.modelId, entries[index + i].data);
        }
    }

    /// @dev Takes what was pre-verified for `record`.
    /// @param latest Time until which it must have been pre-verified.
    function _takePreVerified(SettlementRecord memory record, uint256 latest) internal returns (uint256 burnedWei) {
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

    /// @dev Has the reader say what the proofs of the settlement from `index` on must show for `record` (I11, I12), fills `count`
    /// statements with it, and asks the gate (I16). The call is static, to code that the constructor made. Uses memory that the
    /// caller may free.
    function _read(
        uint256 keys,
        Settlement[] calldata entries,
        uint256 index,
        SettlementRecord memory record,
        Statement[] memory statements,
        uint256 statementIndex
    ) private view returns (SettlementReader.Header memory header, uint256 count) {
        if (index < entries.length) count = _entryCount(keys, entries[index]);
        if (count == 0 || index + count > entries.length) revert SettlementMissing(record.batchNumber, record.modelId);
        _callReader(entries, index, count, record);
        assembly ("memory-safe") {
            // A header of six words; then the place and the length of the array.
            returndatacopy(header, 0, 0xc0)
        }
        for (uint256 i = 0; i < count; ++i) {
            Statement memory statement = statements[statementIndex + i];
            assembly ("memory-safe") {
                returndatacopy(statement, add(0x100, mul(0xc0, i)), 0xc0)
            }
        }
        bool isActivation = record.kind == ACTIVATION;
        // An Activation, or a settlement by draws. By row counts every epoch can be settled: no gate is asked.
        if (isActivation == header.isDefault) {
            _requireAdmitted(
                record.modelId, isActivation ? record.word : entries[index].commitment, isActivation
            );
        }
    }

    /// @dev How many entries the settlement consumes that begins with this one: as many as it says that it has shards, and by draws
    /// the draws' own. One where the reader refuses it in any case.
    function _entryCount(uint256 keys, Settlement calldata first) private view returns (uint256) {
        (, uint256 sort,,) = _circuit(keys, first.circuit);
        if (first.data.length <= SHARD_COUNT_AT) return 1;
        uint256 shardCount = uint8(first.data[SHARD_COUNT_AT]);
        if (shardCount < 2 || shardCount > SHARD_COUNT_MAX || sort == SORT_SETTLEMENT) return 1;
        return sort == SORT_SHARDED_SETTLEMENT ? shardCount + 1 : shardCount;
    }

    /// @dev reader.read(circuitCount, record, entries from `index` on): the answer is left as the call's return data. Reverts as the reader
    /// does. By hand, since the compiler has no slices of such arrays.
    function _callReader(
        Settlement[] calldata entries,
        uint256 index,
        uint256 count,
        SettlementRecord memory record
    ) private view {
        // Called for 100 gas, since the keys are loaded.
        address reader = _keyStore;
        uint256 circuits = circuitCount;
        uint256 selector = uint32(SettlementReader.read.selector);
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x20), circuits)
            mcopy(add(input, 0x40), record, 0x80)
            mstore(add(input, 0xc0), 0xc0)
            mstore(add(input, 0xe0), count)
        }
        // Offsets count from the first of them.
        uint256 offsetsAt = input + 0x100;
        uint256 next = offsetsAt + 0x20 * count;
        for (uint256 i = 0; i < count; ++i) {
            Settlement calldata entry = entries[index + i];
            uint256 circuit = entry.circuit;
            uint256 commitment = entry.commitment;
            bytes calldata data = entry.data;
            assembly ("memory-safe") {
                mstore(add(offsetsAt, mul(0x20, i)), sub(next, offsetsAt))
                mstore(next, circuit)
                mstore(add(next, 0x20), commitment)
                mstore(add(next, 0x40), 0x60)
                mstore(add(next, 0x60), data.length)
                next := add(next, 0x80)
                calldatacopy(next, data.offset, data.length)
                next := add(next, and(add(data.length, 31), not(31)))
            }
        }
        assembly ("memory-safe") {
            // The selector's four bytes are the last ones of its word.
            if iszero(staticcall(gas(), reader, add(input, 0x1c), sub(next, add(input, 0x1c)), 0, 0)) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
        }
    }
}
