// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {loadWord, storeWord} from "../MemoryWords.sol";
import {ACTIVATION} from "../Protocol.sol";
import {ISettlements} from "./ISettlements.sol";

// The elements E of a settlement's entries (docs/reference/settlement.md, "Two circuits" and "On L1").

/// @dev Posted header: epoch 3, closingBatch 5, voidCount 1, burnedWei 12, cap circuit 1, shard count 1, chain 32 bytes.
uint256 constant POSTED_HEADER_SIZE = 55;
// Places in the first word of it, from the low end.
uint256 constant SHARD_COUNT_BIT = 72;
uint256 constant CLOSING_BATCH_BIT = 192;
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
    /// @dev Of the closing batch that the settlement posts: time, where it is pre-verified or a default split, and prevRandao, where it
    /// is by draws. 0 where the rollup has none.
    uint256 closingTime;
    uint256 prevRandao;
}
uint256 constant RECORD_SIZE = 0xc0;

/// @dev The posted header but its chain, from the low end: shard count 8, cap circuit 8, burnedWei 96, voidCount 8,
/// closingBatch 40, epoch 24.
type PostedHeader is uint256;

/// @title Reads what entries post, and lays out E at addresses of memory that the caller chooses
library SettlementElements {
    uint256 private constant POSTED_ITEM_SIZE = 30;
    uint256 private constant CAP_BIT = 96;
    uint256 private constant ACTIVATION_BIT = 96;
    uint256 private constant SHARD_BIT = 100;
    uint256 private constant SHARD_COUNT_FIELD_BIT = 103;
    uint256 private constant SUM_BIT = 96;

    function readHeader(bytes calldata data) internal pure returns (PostedHeader posted, uint256 chain) {
        if (data.length < POSTED_HEADER_SIZE) revert ISettlements.SettlementDataLengthInvalid(data.length);
        assembly ("memory-safe") {
            posted := shr(72, calldataload(data.offset))
            chain := calldataload(add(data.offset, 23))
        }
    }

    function epochOf(PostedHeader posted) internal pure returns (uint256) {
        return PostedHeader.unwrap(posted) >> 160;
    }

    function closingBatchOf(PostedHeader posted) internal pure returns (uint256) {
        return uint40(PostedHeader.unwrap(posted) >> 120);
    }

    function voidCountOf(PostedHeader posted) internal pure returns (uint256) {
        return uint8(PostedHeader.unwrap(posted) >> 112);
    }

    function burnedWeiOf(PostedHeader posted) internal pure returns (uint256) {
        return uint96(PostedHeader.unwrap(posted) >> 16);
    }

    function capCircuitOf(PostedHeader posted) internal pure returns (uint256) {
        return uint8(PostedHeader.unwrap(posted) >> 8);
    }

    function shardCountOf(PostedHeader posted) internal pure returns (uint256) {
        return uint8(PostedHeader.unwrap(posted));
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
        // The length is not below `from` where it counts. Neither payees nor an element's are 0.
        unchecked {
            if (data.length < from || (data.length - from) % POSTED_ITEM_SIZE != 0) {
                revert ISettlements.SettlementDataLengthInvalid(data.length);
            }
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
        PostedHeader posted,
        uint256 chain,
        uint256 start,
        SettlementRecord calldata record,
        uint256 cap,
        uint256 seed
    ) internal pure {
        unchecked {
            storeWord(start, record.word);
            storeWord(
                start + 0x20,
                record.modelId | epochOf(posted) << 24 | closingBatchOf(posted) << 48 | voidCountOf(posted) << 88
                    | (record.kind == ACTIVATION ? 1 << ACTIVATION_BIT : 0)
            );
            storeWord(start + 0x40, chain);
            storeWord(start + 0x60, burnedWeiOf(posted) | cap << CAP_BIT);
            storeWord(start + 0x80, seed);
        }
    }

    /// @dev Makes them those of one shard of a payee table of several. Both sums have 96 bits.
    function writeShard(uint256 start, uint256 shard, uint256 shardCount, uint256 sumWei, uint256 totalWei) internal pure {
        unchecked {
            uint256 place = start + 0x20;
            // The shard before has left its number there.
            uint256 fields = loadWord(place) & (1 << SHARD_BIT) - 1;
            storeWord(place, fields | shard << SHARD_BIT | shardCount << SHARD_COUNT_FIELD_BIT);
            storeWord(start + 0x80, sumWei | totalWei << SUM_BIT);
        }
    }
}
