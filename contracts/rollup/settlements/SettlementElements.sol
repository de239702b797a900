// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ISettlements} from "./ISettlements.sol";
import {storeWord} from "../MemoryWords.sol";

/// @title The elements E of one settlement (docs/reference/settlement.md, "Two circuits" and "On L1")
/// @dev E is built once, in one buffer, and that buffer is hashed and evaluated.
library SettlementElements {
    /// @dev The posted header's fields, and where the elements lie in memory.
    struct Elements {
        uint256 start;
        uint256 count;
        uint256 epoch;
        uint256 closingBatch;
        uint256 voidCount;
        uint256 burnedWei;
        uint256 capCircuit;
        uint256 chain;
    }

    // Posted form: epoch 3, closingBatch 5, voidCount 1, burnedWei 12, cap circuit 1, chain 32, then 30 an item element.
    uint256 private constant POSTED_HEADER_SIZE = 54;
    uint256 private constant POSTED_ITEM_SIZE = 30;

    uint256 private constant HEADER_ELEMENT_COUNT = 5;
    uint256 private constant CAP_BIT = 96;
    uint256 private constant ACTIVATION_BIT = 96;

    /// @dev Reads the header and copies the item elements behind the place of E's header. At most those of `payees` payees,
    /// of which `perElement` share one.
    function read(bytes calldata data, uint256 payees, uint256 perElement)
        internal
        pure
        returns (Elements memory elements)
    {
        if (data.length < POSTED_HEADER_SIZE || (data.length - POSTED_HEADER_SIZE) % POSTED_ITEM_SIZE != 0) {
            revert ISettlements.SettlementDataLengthInvalid(data.length);
        }
        uint256 postedCount = (data.length - POSTED_HEADER_SIZE) / POSTED_ITEM_SIZE;
        // Neither payees nor an element's are 0.
        unchecked {
            _requireAtMost(postedCount, (payees + perElement - 1) / perElement);
        }
        // From the low end: cap circuit 8, burnedWei 96, voidCount 8, closingBatch 40, epoch 24.
        uint256 header;
        uint256 chain;
        uint256 start;
        assembly ("memory-safe") {
            header := shr(80, calldataload(data.offset))
            chain := calldataload(add(data.offset, 22))
            start := mload(0x40)
            let target := add(start, mul(0x20, HEADER_ELEMENT_COUNT))
            let end := add(target, mul(0x20, postedCount))
            mstore(0x40, end)
            for { let source := add(data.offset, POSTED_HEADER_SIZE) } lt(target, end) {} {
                // 240 bits, so below R.
                mstore(target, shr(16, calldataload(source)))
                target := add(target, 0x20)
                source := add(source, POSTED_ITEM_SIZE)
            }
        }
        elements.start = start;
        elements.count = HEADER_ELEMENT_COUNT + postedCount;
        elements.epoch = uint24(header >> 152);
        elements.closingBatch = uint40(header >> 112);
        elements.voidCount = uint8(header >> 104);
        elements.burnedWei = uint96(header >> 8);
        elements.capCircuit = uint8(header);
        elements.chain = chain;
    }

    /// @dev Payees of an activation: three an element, and absent ones are 0. One without elements has no proof.
    function requireFits(Elements memory elements, uint256 payees) internal pure {
        uint256 count = elements.count;
        uint256 last = elements.start;
        assembly ("memory-safe") {
            last := mload(add(last, mul(0x20, sub(count, 1))))
            count := sub(sub(mul(3, sub(count, HEADER_ELEMENT_COUNT)), iszero(shr(160, last))), iszero(shr(80, last)))
        }
        _requireAtMost(count, payees);
    }

    function _requireAtMost(uint256 count, uint256 maxCount) private pure {
        if (count > maxCount) revert ISettlements.SettlementPayeeCountExceeded(count, maxCount);
    }

    /// @dev Fills E's header. Every packed field has its width by how it was read; `modelId` has 24 bits, the cap 16,
    /// `seed` 128. That `word` and the chain are below R is the caller's to check.
    function writeHeader(
        Elements memory elements,
        uint256 word,
        uint256 modelId,
        uint256 cap,
        bool isActivation,
        uint256 seed
    ) internal pure {
        uint256 start = elements.start;
        storeWord(start, word);
        storeWord(
            start + 0x20,
            modelId | elements.epoch << 24 | elements.closingBatch << 48 | elements.voidCount << 88
                | (isActivation ? 1 << ACTIVATION_BIT : 0)
        );
        storeWord(start + 0x40, elements.chain);
        storeWord(start + 0x60, elements.burnedWei | cap << CAP_BIT);
        storeWord(start + 0x80, seed);
    }
}
