// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {CIRCUIT_SIZE, ID_AT, STATEMENT_SIZE} from "../BatchVerifier.sol";
import {deriveChallenge, evaluateElements, hashElements} from "../ElementVector.sol";
import {IBatchVerifier} from "../IBatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {hashFourWords, loadWord, storeWord} from "../MemoryWords.sol";
import {
    ACTIVATION,
    MAX_PAYEE_COUNT,
    SHARD_COUNT_MAX,
    R,
    SETTLE,
    SORT_PAYEE_TABLE,
    SORT_SETTLEMENT,
    SORT_SHARD,
    SORT_SHARDED_SETTLEMENT
} from "../Protocol.sol";
import {ISettlements} from "./ISettlements.sol";
import {Randomness} from "./Randomness.sol";
import {
    HEADER_ELEMENT_COUNT,
    LINK_SIZE,
    POSTED_HEADER_SIZE,
    PostedHeader,
    SHARD_SUM_SIZE,
    SettlementElements,
    SettlementRecord
} from "./SettlementElements.sol";

/// @dev Seconds after the CloseEpoch, as ISettlements has them.
uint256 constant OPEN_DELAY_SECONDS = 3 days;
uint256 constant DEFAULT_DELAY_SECONDS = 14 days;

// What the reader says of the header: the data of the record's event. Of SettlementAccepted epoch, circuit, voidCount, burnedWei,
// isDefault; of ActivationAccepted circuit, settlementCircuit, cap, and then the last two as well. Places are bytes.
uint256 constant VOID_COUNT_AT = 0x40;
uint256 constant BURNED_AT = 0x60;
uint256 constant IS_DEFAULT_AT = 0x80;
uint256 constant HEADER_SIZE = 0xa0;

/// @title What the proofs of a settlement must show (I11), and whether its time has come (I12)
/// @dev Code of its own, since the rollup's has not the room. The rollup's constructor puts the keys behind it. It has no state.
contract SettlementReader is Randomness {
    using SettlementElements for PostedHeader;

    /// @dev Of all entries of one call.
    struct Reading {
        // The circuit of the entry that is read: its first words in the key store.
        uint256 sort;
        uint256 size0;
        uint256 size1;
        uint256 tableSizes;
        uint256 isDevelopment;
        bytes32 circuitId;
        uint256 circuitCount;
        uint256 shardCount;
        /// @dev Payees that a shard of an activation may have.
        uint256 maxPayees;
        bool isActivation;
        /// @dev Where elements are: those of each entry take the same place.
        uint256 start;
        /// @dev Where the next statement is.
        uint256 statement;
        /// @dev Place of the next entry in the calldata.
        uint256 entry;
    }

    /// @dev Behind the selector, the number of circuits and the record.
    uint256 private constant ENTRIES_AT = 0xe4;

    /// @notice Reverts where the calling rollup may not take the settlement for the record now. Behind the arguments are the entries
    /// that it consumes: of each the circuit, the commitment, the length of the data, the data.
    /// @dev Answers with HEADER_SIZE bytes, and then a statement of each entry.
    function read(uint256 circuitCount, SettlementRecord calldata record) external view {
        Reading memory reading;
        reading.circuitCount = circuitCount;
        reading.entry = ENTRIES_AT;
        bool isActivation = record.kind == ACTIVATION;
        reading.isActivation = isActivation;
        uint256 circuit;
        assembly ("memory-safe") {
            circuit := calldataload(ENTRIES_AT)
        }
        _load(reading, circuit);
        uint256 sort = reading.sort;
        bool isDefault = sort == SORT_PAYEE_TABLE;
        bool isSharded = sort == SORT_SHARDED_SETTLEMENT;
        if (!isDefault && (isActivation || sort != SORT_SETTLEMENT && !isSharded)) {
            revert ISettlements.SettlementSortInvalid(circuit, sort, record.kind);
        }
        (PostedHeader posted, uint256 chain) = SettlementElements.readHeader(_dataAt(ENTRIES_AT));
        uint256 shardCount = posted.shardCountOf();
        if (!_isShardCount(shardCount, reading)) revert ISettlements.SettlementShardCountInvalid(shardCount);
        reading.shardCount = shardCount;
        if (chain >= R) revert IRollup.RollupElementOutOfField();

        uint256 cap = 0;
        uint256 seed = 0;
        if (isActivation) {
            (cap, reading.maxPayees) = _cap(circuitCount, posted);
        } else {
            if (posted.capCircuitOf() != 0) revert ISettlements.SettlementCapInvalid(posted.capCircuitOf());
            seed = _seed(record, posted, chain, isDefault);
        }

        uint256 header = loadWord(0x40);
        uint256 start;
        (uint256 word0, uint256 word1, uint256 word2) = isActivation
            ? (circuit, posted.capCircuitOf(), cap)
            : (posted.epochOf(), circuit, posted.voidCountOf());
        // Addresses of memory are far below 2^256, and counts small; so in all that follows.
        unchecked {
            storeWord(header, word0);
            storeWord(header + 0x20, word1);
            storeWord(header + VOID_COUNT_AT, word2);
            storeWord(header + BURNED_AT, posted.burnedWeiOf());
            storeWord(header + IS_DEFAULT_AT, isDefault ? 1 : 0);
            reading.statement = header + HEADER_SIZE;
            start = header + HEADER_SIZE + STATEMENT_SIZE * (isSharded ? shardCount + 1 : shardCount);
        }
        reading.start = start;
        // The record's word was checked with its batch's elements or when it was pre-verified, the chain above; the rest
        // has its widths.
        posted.writeHeader(chain, start, record, cap, seed);
        if (isSharded) _readShards(reading);
        else _readTables(reading);
        assembly ("memory-safe") {
            return(header, sub(start, header))
        }
    }

    /// @dev One shard by draws, or payee tables: every entry has the header's elements and its own items.
    function _readTables(Reading memory reading) private pure {
        unchecked {
            uint256 shardCount = reading.shardCount;
            uint256 start = reading.start;
            uint256 totalWei = shardCount == 1 ? 0 : _totalOf(shardCount);
            for (uint256 shard = 0; shard < shardCount; ++shard) {
                bytes calldata data = _dataAt(reading.entry);
                uint256 from = shard == 0 ? POSTED_HEADER_SIZE : 0;
                if (shard != 0) _loadNext(reading, SORT_PAYEE_TABLE);
                if (shardCount != 1) {
                    uint256 sumWei = SettlementElements.readSum(data, from);
                    SettlementElements.writeShard(start, shard, shardCount, sumWei, totalWei);
                    from += SHARD_SUM_SIZE;
                }
                uint256 count = HEADER_ELEMENT_COUNT
                    + SettlementElements.copyItems(
                        data, from, start + 0x20 * HEADER_ELEMENT_COUNT, reading.size1, reading.isActivation ? 3 : 6
                    );
                if (reading.isActivation) SettlementElements.requireFits(start, count, reading.maxPayees);
                _fill(reading, count, count);
            }
        }
    }

    /// @dev What the shards of payee tables earned. That each proof shows the sum is how the proofs hang together.
    function _totalOf(uint256 shardCount) private pure returns (uint256 totalWei) {
        unchecked {
            uint256 entry = ENTRIES_AT;
            for (uint256 shard = 0; shard < shardCount; ++shard) {
                bytes calldata data = _dataAt(entry);
                uint256 from = shard == 0 ? POSTED_HEADER_SIZE : 0;
                if (data.length < from + SHARD_SUM_SIZE) revert ISettlements.SettlementDataLengthInvalid(data.length);
                totalWei += SettlementElements.readSum(data, from);
                entry = _endOf(data);
            }
            if (totalWei >> 96 != 0) revert ISettlements.SettlementSumExceeded(totalWei);
        }
    }

    /// @dev Several shards by draws: the draws' entry shows the links, and each shard's its own.
    function _readShards(Reading memory reading) private pure {
        unchecked {
            uint256 shardCount = reading.shardCount;
            uint256 start = reading.start;
            uint256 link;
            {
                bytes calldata data = _dataAt(ENTRIES_AT);
                if (data.length != POSTED_HEADER_SIZE + LINK_SIZE * shardCount) {
                    revert ISettlements.SettlementDataLengthInvalid(data.length);
                }
                assembly ("memory-safe") {
                    link := add(data.offset, POSTED_HEADER_SIZE)
                    calldatacopy(add(start, 0xa0), link, mul(LINK_SIZE, shardCount))
                }
            }
            // Checks the links to be below R.
            _fill(reading, HEADER_ELEMENT_COUNT, HEADER_ELEMENT_COUNT + shardCount);
            for (uint256 end = link + LINK_SIZE * shardCount; link < end; link += LINK_SIZE) {
                bytes calldata data = _dataAt(reading.entry);
                _loadNext(reading, SORT_SHARD);
                assembly ("memory-safe") {
                    mstore(start, calldataload(link))
                }
                uint256 count = SettlementElements.copyItems(data, 0, start + 0x20, reading.size1, 6);
                // Empty data is that of a pre-verified settlement, which has no proof.
                if (count == 0) revert ISettlements.SettlementDataLengthInvalid(0);
                _fill(reading, count + 1, count + 1);
            }
        }
    }

    /// @dev Says what the next entry's proof must show, by the elements at `start`, and goes on to the one behind it. Elements from
    /// `fixedCount` on are checked to be below R.
    function _fill(Reading memory reading, uint256 fixedCount, uint256 count) private pure {
        unchecked {
            uint256 entry = reading.entry;
            uint256 start = reading.start;
            uint256 statement = reading.statement;
            uint256 commitment;
            assembly ("memory-safe") {
                commitment := calldataload(add(entry, 0x20))
                // The challenge is hashed behind the elements.
                mstore(0x40, add(start, mul(0x20, count)))
            }
            if (commitment >= R) revert IRollup.RollupElementOutOfField();
            uint256 challenge = deriveChallenge(reading.circuitId, commitment, hashElements(start, count));
            uint256 evaluation = evaluateElements(start, fixedCount, count, challenge);
            reading.entry = _endOf(_dataAt(entry));
            reading.statement = statement + STATEMENT_SIZE;
            assembly ("memory-safe") {
                // Circuit and commitment, evaluation, challenge; no blob.
                calldatacopy(statement, entry, 0x40)
                mstore(add(statement, 0x40), evaluation)
                mstore(add(statement, 0x60), challenge)
                calldatacopy(add(statement, 0x80), calldatasize(), 0x40)
            }
        }
    }

    function _dataAt(uint256 entry) private pure returns (bytes calldata data) {
        assembly ("memory-safe") {
            data.length := calldataload(add(entry, 0x40))
            data.offset := add(entry, 0x60)
        }
    }

    /// @dev Where the next entry begins.
    function _endOf(bytes calldata data) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            end := add(data.offset, data.length)
        }
    }

    function _isShardCount(uint256 shardCount, Reading memory circuit) private pure returns (bool) {
        if (circuit.sort == SORT_SETTLEMENT) return shardCount == 1;
        if (circuit.sort == SORT_SHARDED_SETTLEMENT) return shardCount > 1 && shardCount <= circuit.size1;
        return shardCount != 0 && shardCount <= SHARD_COUNT_MAX;
    }

    /// @dev Most payments of the epochs of a model: those of the circuit that its activation names. The batch's proof shows
    /// that the model's key signed them. What proves its shards then, the activation does not name.
    function _cap(uint256 circuitCount, PostedHeader posted)
        private
        pure
        returns (uint256 payments, uint256 maxPayees)
    {
        Reading memory named;
        named.circuitCount = circuitCount;
        uint256 capCircuit = posted.capCircuitOf();
        uint256 shardCount = posted.shardCountOf();
        _load(named, capCircuit);
        bool isOne = shardCount == 1;
        bool isValid = isOne
            ? named.sort == SORT_SETTLEMENT
            : named.sort == SORT_SHARDED_SETTLEMENT && shardCount <= named.size1;
        if (!isValid) revert ISettlements.SettlementCapInvalid(capCircuit);
        return (named.size0, isOne ? named.size1 : MAX_PAYEE_COUNT);
    }

    /// @dev What draws the payments of the epoch; 0 for a default split, which draws none.
    function _seed(SettlementRecord calldata record, PostedHeader posted, uint256 chain, bool isDefault)
        private
        view
        returns (uint256 seed)
    {
        // Pre-verified.
        if (record.batchNumber == 0) {
            uint256 earliest = _closingTime(record, posted) + OPEN_DELAY_SECONDS;
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementStrangerTooEarly(posted.closingBatchOf(), earliest, block.timestamp);
            }
        }
        if (isDefault) {
            uint256 earliest = _closingTime(record, posted) + DEFAULT_DELAY_SECONDS;
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementDefaultTooEarly(posted.closingBatchOf(), earliest, block.timestamp);
            }
            return 0;
        }
        uint256 prevRandao = record.prevRandao;
        if (prevRandao == 0) revert ISettlements.SettlementRandomnessMissing(posted.closingBatchOf());
        return uint128(hashFourWords(prevRandao, record.modelId, posted.epochOf(), chain));
    }

    function _closingTime(SettlementRecord calldata record, PostedHeader posted)
        private
        pure
        returns (uint256 timestamp)
    {
        timestamp = record.closingTime;
        if (timestamp == 0) revert ISettlements.SettlementCloseUnknown(posted.closingBatchOf());
    }

    /// @dev The circuit of the next entry, a further one.
    function _loadNext(Reading memory reading, uint256 sort) private pure {
        uint256 entry = reading.entry;
        uint256 circuit;
        assembly ("memory-safe") {
            circuit := calldataload(entry)
        }
        _load(reading, circuit);
        uint256 given = reading.sort;
        if (given == sort) return;
        revert ISettlements.SettlementSortInvalid(circuit, given, reading.isActivation ? ACTIVATION : SETTLE);
    }

    /// @dev Of the words behind the code. `reading` begins with the circuit's.
    function _load(Reading memory reading, uint256 index) private pure {
        uint256 circuitCount = reading.circuitCount;
        if (index >= circuitCount) revert IBatchVerifier.VerifierCircuitUnknown(index, circuitCount);
        assembly ("memory-safe") {
            codecopy(reading, sub(codesize(), mul(CIRCUIT_SIZE, sub(circuitCount, index))), add(ID_AT, 0x20))
        }
    }
}
