// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {CIRCUIT_SIZE, ID_AT} from "../BatchVerifier.sol";
import {deriveChallenge, evaluateElements, hashElements} from "../ElementVector.sol";
import {IBatchVerifier} from "../IBatchVerifier.sol";
import {IRollup} from "../IRollup.sol";
import {loadWord, storeWord} from "../MemoryWords.sol";
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

/// @title What the proofs of a settlement must show (I11), and whether its time has come (I12)
/// @dev Code of its own, since the rollup's has not the room. The rollup's constructor puts the keys behind it. It has no state,
/// and reads closes and randomness from its caller.
contract SettlementReader is Randomness {
    using SettlementElements for PostedHeader;

    /// @dev What the rollup needs of the posted header; of an activation the cap.
    struct Header {
        uint256 epoch;
        uint256 voidCount;
        uint256 burnedWei;
        uint256 capCircuit;
        uint256 cap;
        /// @dev By payee tables.
        bool isDefault;
    }

    /// @dev The first words of a circuit in the key store.
    struct Circuit {
        uint256 sort;
        uint256 size0;
        uint256 size1;
        uint256 tableSizes;
        uint256 isDevelopment;
        bytes32 id;
    }

    /// @dev Of all entries of one call.
    struct Reading {
        uint256 circuitCount;
        uint256 shardCount;
        /// @dev Payees that a shard of an activation may have.
        uint256 maxPayees;
        bool isActivation;
        /// @dev Where elements are: those of each entry take the same place.
        uint256 start;
        /// @dev The circuit of the entry that is read.
        Circuit circuit;
    }

    /// @notice Reverts where the calling rollup may not take the settlement for the record now.
    /// @param entries All that the settlement consumes, first the one with the header.
    /// @return header What the rollup needs of it.
    /// @return statements One of each entry.
    function read(uint256 circuitCount, SettlementRecord calldata record, ISettlements.Settlement[] calldata entries)
        external
        view
        returns (Header memory header, IBatchVerifier.Statement[] memory statements)
    {
        Reading memory reading;
        reading.circuitCount = circuitCount;
        reading.isActivation = record.kind == ACTIVATION;
        ISettlements.Settlement calldata first = entries[0];
        _load(reading.circuit, circuitCount, first.circuit);
        uint256 sort = reading.circuit.sort;
        header.isDefault = sort == SORT_PAYEE_TABLE;
        bool isByDraws = sort == SORT_SETTLEMENT || sort == SORT_SHARDED_SETTLEMENT;
        if (!header.isDefault && (reading.isActivation || !isByDraws)) {
            revert ISettlements.SettlementSortInvalid(first.circuit, sort, record.kind);
        }
        PostedHeader memory posted = SettlementElements.readHeader(first.data);
        uint256 shardCount = posted.shardCount;
        if (!_isShardCount(shardCount, reading.circuit)) revert ISettlements.SettlementShardCountInvalid(shardCount);
        reading.shardCount = shardCount;
        if (posted.chain >= R) revert IRollup.RollupElementOutOfField();

        uint256 seed = 0;
        if (reading.isActivation) {
            (header.cap, reading.maxPayees) = _cap(circuitCount, posted);
        } else {
            if (posted.capCircuit != 0) revert ISettlements.SettlementCapInvalid(posted.capCircuit);
            seed = _seed(record, posted, header.isDefault);
        }
        (header.epoch, header.voidCount, header.burnedWei, header.capCircuit) =
            (posted.epoch, posted.voidCount, posted.burnedWei, posted.capCircuit);

        statements = new IBatchVerifier.Statement[](entries.length);
        reading.start = loadWord(0x40);
        // The record's word was checked with its batch's elements or when it was pre-verified, the chain above; the rest
        // has its widths.
        posted.writeHeader(reading.start, record, header.cap, seed);
        if (sort == SORT_SHARDED_SETTLEMENT) _readShards(reading, entries, statements);
        else _readTables(reading, entries, statements);
    }

    /// @dev One shard by draws, or payee tables: every entry has the header's elements and its own items.
    function _readTables(
        Reading memory reading,
        ISettlements.Settlement[] calldata entries,
        IBatchVerifier.Statement[] memory statements
    ) private pure {
        uint256 shardCount = reading.shardCount;
        uint256 totalWei = shardCount == 1 ? 0 : _totalOf(entries, shardCount);
        uint256 target = reading.start + 0x20 * HEADER_ELEMENT_COUNT;
        for (uint256 shard = 0; shard < shardCount; ++shard) {
            ISettlements.Settlement calldata entry = entries[shard];
            bytes calldata data = entry.data;
            uint256 from = shard == 0 ? POSTED_HEADER_SIZE : 0;
            if (shard != 0) _loadOf(reading, entry, SORT_PAYEE_TABLE);
            if (shardCount != 1) {
                uint256 sumWei = SettlementElements.readSum(data, from);
                SettlementElements.writeShard(reading.start, shard, shardCount, sumWei, totalWei);
                from += SHARD_SUM_SIZE;
            }
            uint256 count = HEADER_ELEMENT_COUNT
                + SettlementElements.copyItems(
                    data, from, target, reading.circuit.size1, reading.isActivation ? 3 : 6
                );
            if (reading.isActivation) SettlementElements.requireFits(reading.start, count, reading.maxPayees);
            _fill(reading, entry, count, count, statements[shard]);
        }
    }

    /// @dev What the shards of payee tables earned. That each proof shows the sum is how the proofs hang together.
    function _totalOf(ISettlements.Settlement[] calldata entries, uint256 shardCount)
        private
        pure
        returns (uint256 totalWei)
    {
        for (uint256 shard = 0; shard < shardCount; ++shard) {
            bytes calldata data = entries[shard].data;
            uint256 from = shard == 0 ? POSTED_HEADER_SIZE : 0;
            if (data.length < from + SHARD_SUM_SIZE) revert ISettlements.SettlementDataLengthInvalid(data.length);
            totalWei += SettlementElements.readSum(data, from);
        }
        if (totalWei >> 96 != 0) revert ISettlements.SettlementSumExceeded(totalWei);
    }

    /// @dev Several shards by draws: the draws' entry shows the links, and each shard's its own.
    function _readShards(
        Reading memory reading,
        ISettlements.Settlement[] calldata entries,
        IBatchVerifier.Statement[] memory statements
    ) private pure {
        uint256 shardCount = reading.shardCount;
        uint256 start = reading.start;
        bytes calldata data = entries[0].data;
        if (data.length != POSTED_HEADER_SIZE + LINK_SIZE * shardCount) {
            revert ISettlements.SettlementDataLengthInvalid(data.length);
        }
        assembly ("memory-safe") {
            calldatacopy(add(start, 0xa0), add(data.offset, POSTED_HEADER_SIZE), mul(LINK_SIZE, shardCount))
        }
        // Checks the links to be below R.
        _fill(reading, entries[0], HEADER_ELEMENT_COUNT, HEADER_ELEMENT_COUNT + shardCount, statements[0]);
        for (uint256 shard = 0; shard < shardCount; ++shard) {
            ISettlements.Settlement calldata entry = entries[shard + 1];
            _loadOf(reading, entry, SORT_SHARD);
            assembly ("memory-safe") {
                mstore(start, calldataload(add(data.offset, add(POSTED_HEADER_SIZE, mul(LINK_SIZE, shard)))))
            }
            uint256 count = SettlementElements.copyItems(entry.data, 0, start + 0x20, reading.circuit.size1, 6);
            // Empty data is that of a pre-verified settlement, which has no proof.
            if (count == 0) revert ISettlements.SettlementDataLengthInvalid(0);
            _fill(reading, entry, count + 1, count + 1, statements[shard + 1]);
        }
    }

    /// @dev Fills `statement` with what the entry's proof must show, by the elements at `start`. Those from `fixedCount` on are
    /// checked to be below R.
    function _fill(
        Reading memory reading,
        ISettlements.Settlement calldata entry,
        uint256 fixedCount,
        uint256 count,
        IBatchVerifier.Statement memory statement
    ) private pure {
        uint256 commitment = entry.commitment;
        if (commitment >= R) revert IRollup.RollupElementOutOfField();
        uint256 start = reading.start;
        // The challenge is hashed behind the elements.
        storeWord(0x40, start + 0x20 * count);
        uint256 challenge = deriveChallenge(reading.circuit.id, commitment, hashElements(start, count));
        storeWord(0x40, start);
        statement.circuit = entry.circuit;
        statement.commitment = commitment;
        statement.challenge = challenge;
        statement.evaluation = evaluateElements(start, fixedCount, count, challenge);
    }

    function _isShardCount(uint256 shardCount, Circuit memory circuit) private pure returns (bool) {
        if (circuit.sort == SORT_SETTLEMENT) return shardCount == 1;
        if (circuit.sort == SORT_SHARDED_SETTLEMENT) return shardCount > 1 && shardCount <= circuit.size1;
        return shardCount != 0 && shardCount <= SHARD_COUNT_MAX;
    }

    /// @dev Most payments of the epochs of a model: those of the circuit that its activation names. The batch's proof shows
    /// that the model's key signed them. What proves its shards then, the activation does not name.
    function _cap(uint256 circuitCount, PostedHeader memory posted)
        private
        pure
        returns (uint256 payments, uint256 maxPayees)
    {
        Circuit memory named;
        _load(named, circuitCount, posted.capCircuit);
        bool isOne = posted.shardCount == 1;
        bool isValid = isOne
            ? named.sort == SORT_SETTLEMENT
            : named.sort == SORT_SHARDED_SETTLEMENT && posted.shardCount <= named.size1;
        if (!isValid) revert ISettlements.SettlementCapInvalid(posted.capCircuit);
        return (named.size0, isOne ? named.size1 : MAX_PAYEE_COUNT);
    }

    /// @dev What draws the payments of the epoch; 0 for a default split, which draws none.
    function _seed(SettlementRecord calldata record, PostedHeader memory posted, bool isDefault)
        private
        view
        returns (uint256)
    {
        uint256 closingBatch = posted.closingBatch;
        // Pre-verified.
        if (record.batchNumber == 0) {
            uint256 earliest = _closingTime(closingBatch) + OPEN_DELAY_SECONDS;
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementStrangerTooEarly(closingBatch, earliest, block.timestamp);
            }
        }
        if (isDefault) {
            uint256 earliest = _closingTime(closingBatch) + DEFAULT_DELAY_SECONDS;
            if (block.timestamp < earliest) {
                revert ISettlements.SettlementDefaultTooEarly(closingBatch, earliest, block.timestamp);
            }
            return 0;
        }
        uint256 prevRandao = _ask(ISettlements.randomness.selector, closingBatch, 0);
        if (prevRandao == 0) revert ISettlements.SettlementRandomnessMissing(closingBatch);
        // The lower 128 bits.
        return uint128(uint256(keccak256(abi.encode(prevRandao, record.modelId, posted.epoch, posted.chain))));
    }

    function _closingTime(uint256 closingBatch) private view returns (uint256 timestamp) {
        timestamp = _ask(ISettlements.closedAt.selector, closingBatch, 1);
        if (timestamp == 0) revert ISettlements.SettlementCloseUnknown(closingBatch);
    }

    /// @dev One of the first two words that a getter of the calling rollup answers with.
    function _ask(bytes4 getter, uint256 closingBatch, uint256 place) private view returns (uint256 word) {
        assembly ("memory-safe") {
            mstore(0, getter)
            mstore(4, closingBatch)
            // Getters do not refuse: it ran out of gas.
            if iszero(staticcall(gas(), caller(), 0, 0x24, 0, 0x40)) { revert(0, 0) }
            word := mload(mul(0x20, place))
        }
    }

    /// @dev The circuit of a further entry.
    function _loadOf(Reading memory reading, ISettlements.Settlement calldata entry, uint256 sort) private pure {
        _load(reading.circuit, reading.circuitCount, entry.circuit);
        uint256 given = reading.circuit.sort;
        if (given == sort) return;
        revert ISettlements.SettlementSortInvalid(entry.circuit, given, reading.isActivation ? ACTIVATION : SETTLE);
    }

    /// @dev Of the words behind the code.
    function _load(Circuit memory circuit, uint256 circuitCount, uint256 index) private pure {
        if (index >= circuitCount) revert IBatchVerifier.VerifierCircuitUnknown(index, circuitCount);
        assembly ("memory-safe") {
            codecopy(circuit, sub(codesize(), mul(CIRCUIT_SIZE, sub(circuitCount, index))), add(ID_AT, 0x20))
        }
    }
}
