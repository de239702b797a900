// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {loadWord, storeWord} from "../MemoryWords.sol";
import {ACTIVATION} from "../Protocol.sol";
import {ISettlements} from "./ISettlements.sol";

// The elements E of a settlement's entries (docs/reference/settlement.md, "Two circuits" and "On L1").

/// @dev Posted header: epoch 3, closingBatch 5, voidCount 1, burnedWei 12, cap circuit 1, shard count 1, chain 32 bytes.
uint256 constant POSTED_HEADER_SIZE = 55;
uint256 constant SHARD_COUNT_AT = 22;
/// @dev Of a payee table in shards: what the shard earned.
uint256 constant SHARD_SUM_SIZE = 12;
uint256 constant LINK_SIZE = 32;
uint256 constant HEADER_ELEMENT_COUNT = 5;

/// @dev A Settle or Activation record as the batch holds it, or the Settle record that a pre-verified settlement waits for.
struct SettlementRecord {
    uint256 kind;
    uint256 modelId;
    uint256 word;
    /// @dev 0 for one that is pre-verified.
    uint256 batchNumber;
}

/// @dev The posted header.
struct PostedHeader {
    uint256 epoch;
    uint256 closingBatch;
    uint256 voidCount;
    uint256 burnedWei;
    uint256 capCircuit;
    uint256 shardCount;
    uint256 chain;
}

/// @title Reads what entries post, and lays out E at addresses of memory that the caller chooses
library SettlementElements {
    uint256 private constant POSTED_ITEM_SIZE = 30;
    uint256 private constant CAP_BIT = 96;
    uint256 private constant ACTIVATION_BIT = 96;
    uint256 private constant SHARD_BIT = 100;
    uint256 private constant SHARD_COUNT_BIT = 103;
    uint256 private constant SUM_BIT = 96;

    function readHeader(bytes calldata data) internal pure returns (PostedHeader memory posted) {
        if (data.length < POSTED_HEADER_SIZE) revert ISettlements.SettlementDataLengthInvalid(data.length);
        // From the low end: shard count 8, cap circuit 8, burnedWei 96, voidCount 8, closingBatch 40, epoch 24.
        uint256 header;
        uint256 chain;
        assembly ("memory-safe") {
            header := shr(72, calldataload(data.offset))
            chain := calldataload(add(data.offset, 23))
        }
        posted.epoch = header >> 160;
        posted.closingBatch = uint40(header >> 120);
        posted.voidCount = uint8(header >> 112);
        posted.burnedWei = uint96(header >> 16);
        posted.capCircuit = uint8(header >> 8);
        posted.shardCount = uint8(header);
        posted.chain = chain;
    }

    /// @dev The 12 bytes at `from`, and whatever is behind the data's end.
    function readSum(bytes calldata data, uint256 from) internal pure returns (uint256 sumWei) {
        assembly ("memory-safe") {
            sumWei := shr(160, calldataload(add(data.offset, from)))
        }
    }

    /// @dev Writes the item elements from byte `from` on to `target`: at most those of `payees` payees, of which `perElement` share
    /// one. 240 bits each, so below R.
    function copyItems(bytes calldata data, uint256 from, uint256 target, uint256 payees, uint256 perElement)
        internal
        pure
        returns (uint256 count)
    {
        if (data.length < from || (data.length - from) % POSTED_ITEM_SIZE != 0) {
            revert ISettlements.SettlementDataLengthInvalid(data.length);
        }
        // Neither payees nor an element's are 0.
        unchecked {
            count = (data.length - from) / POSTED_ITEM_SIZE;
            requireAtMost(count, (payees + perElement - 1) / perElement);
        }
        assembly ("memory-safe") {
            let source := add(data.offset, from)
            let end := add(target, mul(0x20, count))
            for {} lt(add(target, 0x60), end) {} {
                mstore(target, shr(16, calldataload(source)))
                mstore(add(target, 0x20), shr(16, calldataload(add(source, 30))))
                mstore(add(target, 0x40), shr(16, calldataload(add(source, 60))))
                mstore(add(target, 0x60), shr(16, calldataload(add(source, 90))))
                target := add(target, 0x80)
                source := add(source, 120)
            }
            for {} lt(target, end) {} {
                mstore(target, shr(16, calldataload(source)))
                target := add(target, 0x20)
                source := add(source, POSTED_ITEM_SIZE)
            }
        }
    }

    /// @dev Payees of an activation of one shard: three an element, and absent ones are 0. One without elements has no proof.
    function requireFits(uint256 start, uint256 count, uint256 payees) internal pure {
        assembly ("memory-safe") {
            let last := mload(add(start, mul(0x20, sub(count, 1))))
            count := sub(sub(mul(3, sub(count, HEADER_ELEMENT_COUNT)), iszero(shr(160, last))), iszero(shr(80, last)))
        }
        requireAtMost(count, payees);
    }

    function requireAtMost(uint256 count, uint256 maxCount) internal pure {
        if (count > maxCount) revert ISettlements.SettlementPayeeCountExceeded(count, maxCount);
    }

    /// @dev Writes the five first elements. Every packed field has its width by how it was read; the model's id has 24 bits, the
    /// cap 16, `seed` 128. That the word and the chain are below R is the caller's to check.
    function writeHeader(
        PostedHeader memory posted,
        uint256 start,
        SettlementRecord calldata record,
        uint256 cap,
        uint256 seed
    ) internal pure {
        storeWord(start, record.word);
        storeWord(
            start + 0x20,
            record.modelId | posted.epoch << 24 | posted.closingBatch << 48 | posted.voidCount << 88
                | (record.kind == ACTIVATION ? 1 << ACTIVATION_BIT : 0)
        );
        storeWord(start + 0x40, posted.chain);
        storeWord(start + 0x60, posted.burnedWei | cap << CAP_BIT);
        storeWord(start + 0x80, seed);
    }

    /// @dev Makes them those of one shard of a payee table of several. Both sums have 96 bits.
    function writeShard(uint256 start, uint256 shard, uint256 shardCount, uint256 sumWei, uint256 totalWei) internal pure {
        uint256 place = start + 0x20;
        // The shard before has left its number there.
        uint256 fields = loadWord(place) & (1 << SHARD_BIT) - 1;
        storeWord(place, fields | shard << SHARD_BIT | shardCount << SHARD_COUNT_BIT);
        storeWord(start + 0x80, sumWei | totalWei << SUM_BIT);
    }
}
