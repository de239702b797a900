// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {BatchVerifier, STATEMENT_SIZE} from "../BatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {loadWord} from "../MemoryWords.sol";
import {
    ACTIVATION, SHARD_COUNT_MAX, R, SETTLE, SORT_PAYEE_TABLE, SORT_SETTLEMENT, SORT_SHARDED_SETTLEMENT
} from "../Protocol.sol";
import {ISettlements} from "./ISettlements.sol";
import {Randomness} from "./Randomness.sol";
import {
    CLOSING_BATCH_BIT, POSTED_HEADER_SIZE, RECORD_SIZE, SHARD_COUNT_BIT, SettlementRecord
} from "./SettlementElements.sol";
import {
    BURNED_AT,
    DEFAULT_DELAY_SECONDS,
    HEADER_SIZE,
    OPEN_DELAY_SECONDS,
    SettlementReader,
    VOID_COUNT_AT
} from "./SettlementReader.sol";

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
        uint256 statements = _newStatements(entries.length);
        uint256 entriesAt;
        assembly ("memory-safe") {
            entriesAt := entries.offset
        }
        (uint256 header, uint256 count) =
            _read(keys, entriesAt, 0, entries.length, SettlementRecord(SETTLE, modelId, word, 0, 0, 0), statements);
        if (count != entries.length) revert SettlementUnused(count, entries.length);
        // Attack: a record with voids needs the model's signature, so nobody but the model could serve it.
        uint256 voidCount = loadWord(header + VOID_COUNT_AT);
        if (voidCount != 0) revert SettlementVoidsPreVerified(modelId, voidCount);
        // Narrowing casts: 2^64 blocks and seconds do not come, 96 bits as it was read.
        (preVerified.blockNumber, preVerified.timestamp, preVerified.burnedWei) =
            (uint64(block.number), uint64(block.timestamp), uint96(loadWord(header + BURNED_AT)));
        // Has the compiler check every entry's place.
        emit SettlementPreVerified(modelId, word, entries, proofs);
        _verify(keys, statements, count, proofs);
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

    /// @dev A batch's first CloseEpoch record.
    function _close(uint256 batchNumber) internal {
        closedAt[batchNumber] = ClosingTime(uint64(block.number), uint64(block.timestamp));
        emit EpochsClosed(batchNumber);
    }

    /// @dev Takes what the sequencer brings with a batch for `record`: the entries from `index` on. Fills as many statements, and
    /// returns how many.
    function _takeSettlement(
        uint256 keys,
        uint256 entriesAt,
        uint256 index,
        uint256 entryCount,
        SettlementRecord memory record,
        bool isPlainCall,
        uint256 statements
    ) internal returns (uint256 count, uint256 burnedWei) {
        uint256 header;
        (header, count) = _read(keys, entriesAt, index, entryCount, record, statements);
        bool isSettle = record.kind == SETTLE;
        // Attack: an Activation's data may name an amount, too, and nothing of the ledger is burned by it.
        if (isSettle) burnedWei = loadWord(header + BURNED_AT);
        bytes32 topic = isSettle ? SettlementAccepted.selector : ActivationAccepted.selector;
        // emit SettlementAccepted(...) or ActivationAccepted(...), in less code: the header begins with what their data are.
        assembly ("memory-safe") {
            log3(header, add(0x60, shl(6, isSettle)), topic, mload(add(record, 0x20)), mload(add(record, 0x60)))
        }
        if (isPlainCall) return (count, burnedWei);
        for (uint256 i = 0; i < count; ++i) {
            (, uint256 place) = _entry(entriesAt, index + i);
            bytes calldata data;
            assembly ("memory-safe") {
                data.offset := add(place, 0x20)
                data.length := calldataload(place)
            }
            emit SettlementData(record.batchNumber, record.modelId, data);
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

    /// @dev Has the reader say what the proofs of the settlement from `index` on must show for `record` (I11, I12), and fills `count`
    /// statements with it. The call is static, to code that the constructor made.
    /// @return header Address of the five words that the reader says first.
    function _read(
        uint256 keys,
        uint256 entriesAt,
        uint256 index,
        uint256 entryCount,
        SettlementRecord memory record,
        uint256 statements
    ) private view returns (uint256 header, uint256 count) {
        if (index < entryCount) count = _prepare(keys, entriesAt, index, record);
        // Both are small numbers.
        unchecked {
            if (count == 0 || index + count > entryCount) revert SettlementMissing(record.batchNumber, record.modelId);
        }
        header = _callReader(entriesAt, index, count, record);
        assembly ("memory-safe") {
            returndatacopy(header, 0, HEADER_SIZE)
            mstore(0x40, add(header, HEADER_SIZE))
            returndatacopy(statements, HEADER_SIZE, mul(STATEMENT_SIZE, count))
        }
    }

    /// @dev Places of an entry and of its data in the calldata. Whoever calls has the compiler check both of every entry, in the
    /// same transaction.
    function _entry(uint256 entriesAt, uint256 index) private pure returns (uint256 entry, uint256 data) {
        assembly ("memory-safe") {
            entry := add(entriesAt, calldataload(add(entriesAt, shl(5, index))))
            data := add(entry, calldataload(add(entry, 0x40)))
        }
    }

    function _dataLength(uint256 entriesAt, uint256 index) internal pure returns (uint256 length) {
        (, uint256 data) = _entry(entriesAt, index);
        assembly ("memory-safe") {
            length := calldataload(data)
        }
    }

    /// @dev Adds to `record` what the reader must know of the close, and returns how many entries the settlement consumes that begins
    /// with this one: as many as it says that it has shards, and by draws the draws' own. One where the reader refuses it in any
    /// case, as it does where its data are shorter than what is looked at here.
    function _prepare(uint256 keys, uint256 entriesAt, uint256 index, SettlementRecord memory record)
        private
        view
        returns (uint256)
    {
        uint256 circuit;
        uint256 length;
        // The posted header's beginning.
        uint256 posted;
        {
            (uint256 entry, uint256 data) = _entry(entriesAt, index);
            assembly ("memory-safe") {
                circuit := calldataload(entry)
                length := calldataload(data)
                posted := calldataload(add(data, 0x20))
            }
        }
        (, uint256 sort,,) = _circuit(keys, circuit);
        if (record.kind == SETTLE) {
            uint256 closingBatch = uint40(posted >> CLOSING_BATCH_BIT);
            bool isDefault = sort == SORT_PAYEE_TABLE;
            if (isDefault || record.batchNumber == 0) record.closingTime = closedAt[closingBatch].timestamp;
            if (!isDefault) record.prevRandao = randomness[closingBatch];
        }
        uint256 shardCount = uint8(posted >> SHARD_COUNT_BIT);
        if (
            length < POSTED_HEADER_SIZE || shardCount < 2 || shardCount > SHARD_COUNT_MAX
                || sort == SORT_SETTLEMENT
        ) return 1;
        unchecked {
            return sort == SORT_SHARDED_SETTLEMENT ? shardCount + 1 : shardCount;
        }
    }

    /// @dev reader.read(circuitCount, record), and behind these the entries from `index` on. The answer is left as the call's
    /// return data. Reverts as the reader does, and where it has not as many statements.
    /// @return input Address of memory that is free again.
    function _callReader(uint256 entriesAt, uint256 index, uint256 count, SettlementRecord memory record)
        private
        view
        returns (uint256 input)
    {
        // Called for 100 gas, since the keys are loaded.
        address reader = _keyStore;
        uint256 circuits = circuitCount;
        uint256 selector = uint32(SettlementReader.read.selector);
        uint256 next;
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(input, selector)
            mstore(add(input, 0x20), circuits)
            mcopy(add(input, 0x40), record, RECORD_SIZE)
            next := add(add(input, 0x40), RECORD_SIZE)
        }
        for (uint256 i = 0; i < count; ++i) {
            uint256 entry;
            uint256 data;
            unchecked {
                (entry, data) = _entry(entriesAt, index + i);
            }
            assembly ("memory-safe") {
                // Its circuit and its commitment, then its data behind their length.
                calldatacopy(next, entry, 0x40)
                next := add(next, 0x40)
                let size := add(calldataload(data), 0x20)
                calldatacopy(next, data, size)
                next := add(next, size)
            }
        }
        assembly ("memory-safe") {
            // The selector's four bytes are the last ones of its word.
            let start := add(input, 0x1c)
            // The call comes first: arguments are evaluated from the right.
            if iszero(
                and(
                    eq(returndatasize(), add(HEADER_SIZE, mul(STATEMENT_SIZE, count))),
                    staticcall(gas(), reader, start, sub(next, start), 0, 0)
                )
            ) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
        }
    }
}
