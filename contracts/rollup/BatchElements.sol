// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {evaluateElements, hashElements} from "./ElementVector.sol";
import {IRollup} from "./IRollup.sol";
import {storeWord} from "./MemoryWords.sol";
import {MAX_LEAF_COUNT, R} from "./Protocol.sol";

/// @title The elements E of one batch (docs/reference/ledger.md, "Batch data")
/// @dev E is built once, in one buffer, and that buffer is hashed and evaluated.
library BatchElements {
    /// @dev One batch's elements in memory; `start`, `wideAt` and `wordsAt` are addresses of 32-byte words.
    struct Elements {
        uint256 start;
        uint256 fixedCount;
        uint256 count;
        uint256 wideAt;
        uint256 wideCount;
        uint256 wordsAt;
        uint256 newRoot;
        uint256 timestamp;
        uint256 newNextId;
        uint256 signedCount;
    }

    /// @dev Words of each kind, four bits a kind, kind 0 lowest; f marks unknown kinds.
    ///                                     31 … 24  23 … 16  15…12 11 … 0
    uint256 private constant WORD_COUNTS = 0xfff64444_44444544_1110_101527221100;
    uint256 private constant NO_WORD_COUNT = 0xf;

    // Wire form of a batch: the new root, then the packed header, 63 bytes together.
    uint256 private constant WIRE_HEADER_SIZE = 63;
    uint256 private constant WIRE_PAIR_SIZE = 23;
    uint256 private constant WIRE_CORE_SIZE = 12;

    uint256 private constant HEADER_ELEMENT_COUNT = 5;

    /// @dev Builds E: the posted bytes, and what the rollup adds from its own state (I5).
    function read(
        bytes calldata data,
        IRollup.State memory current,
        uint256 domain,
        uint256 idFeeWei,
        uint256 narrow,
        uint256 wide
    ) internal pure returns (Elements memory elements) {
        // Counts have 16 bits at most, and addresses are far below 2^256.
        unchecked {
            if (data.length < WIRE_HEADER_SIZE) revert IRollup.RollupDataLengthInvalid(data.length, WIRE_HEADER_SIZE);
            uint256 ptr;
            // From the low end: wideCount 8, gapCount 16, gapAt 16, pairCount 16, payloadCount 16, signedCount 16,
            // feePerUnit 64, feeAccountId 24, newNextId 32, timestamp 40.
            uint256 header;
            uint256 newRoot;
            assembly ("memory-safe") {
                newRoot := calldataload(data.offset)
                header := shr(8, calldataload(add(data.offset, 0x20)))
                ptr := add(data.offset, WIRE_HEADER_SIZE)
            }
            uint256 wideCount = uint8(header);
            uint256 pairCount = uint16(header >> 40);
            uint256 newNextId = uint32(header >> 176);
            uint256 gapCount = uint16(header >> 8);
            if (pairCount + gapCount > narrow / 2) {
                revert IRollup.RollupNarrowCountExceeded(pairCount + gapCount, narrow / 2);
            }
            uint256 gapAt = uint16(header >> 24);
            // One form only: where there is no gap, it stands behind the last pair.
            if (gapAt > pairCount || (gapCount == 0) != (gapAt == pairCount)) {
                revert IRollup.RollupGapInvalid(gapAt, gapCount, pairCount);
            }
            if (wideCount > wide) revert IRollup.RollupWideCountExceeded(wideCount, wide);
            // Attack: a larger id spills into feeAccountId in the packed element, so that L1 stores an id that was not proven.
            if (newNextId > MAX_LEAF_COUNT) revert IRollup.RollupNextIdTooLarge(newNextId);
            if (newRoot >= R) revert IRollup.RollupElementOutOfField();

            uint256 payloadCount = uint16(header >> 56);
            uint256 runningCount = payloadCount + _countWords(ptr + WIRE_PAIR_SIZE * pairCount, wideCount);
            uint256 expectedLength = WIRE_HEADER_SIZE + WIRE_PAIR_SIZE * pairCount
                + WIRE_CORE_SIZE * wideCount + 0x20 * runningCount;
            if (data.length != expectedLength) revert IRollup.RollupDataLengthInvalid(data.length, expectedLength);

            uint256 fixedCount = HEADER_ELEMENT_COUNT + narrow / 2 + wide;
            uint256 start = _copyElements(ptr, pairCount, header, narrow / 2, wideCount, wide, runningCount);
            storeWord(start, domain);
            storeWord(start + 0x20, current.root);
            storeWord(start + 0x40, newRoot);
            storeWord(
                start + 0x60,
                uint256(current.batchNumber) + 1 | uint256(uint40(header >> 208)) << 40
                    | uint256(current.opIndex) << 80 | uint256(current.nextId) << 120 | newNextId << 145
                    | uint256(uint24(header >> 152)) << 170 | uint256(uint16(header >> 72)) << 194
                    | payloadCount << 210
            );
            storeWord(start + 0x80, uint256(uint64(header >> 88)) | idFeeWei << 64);

            elements.start = start;
            elements.fixedCount = fixedCount;
            elements.count = fixedCount + runningCount;
            elements.wideAt = start + 0x20 * (fixedCount - wide);
            elements.wideCount = wideCount;
            elements.wordsAt = start + 0x20 * (fixedCount + payloadCount);
            elements.newRoot = newRoot;
            elements.timestamp = uint40(header >> 208);
            elements.newNextId = newNextId;
            elements.signedCount = uint16(header >> 72);
        }
    }

    /// @dev Number of words of the wide slots whose cores start at `ptr` in the calldata. What lies beyond the data
    /// cannot do harm: the caller compares the length that follows from it with the true one.
    function _countWords(uint256 ptr, uint256 wideCount) private pure returns (uint256 count) {
        unchecked {
            for (uint256 i = 0; i < wideCount; ++i) {
                uint256 kind;
                assembly ("memory-safe") {
                    kind := and(shr(160, calldataload(ptr)), 31)
                    ptr := add(ptr, WIRE_CORE_SIZE)
                }
                uint256 added = wordCount(kind);
                if (added == NO_WORD_COUNT) revert IRollup.RollupKindUnknown(kind);
                count += added;
            }
        }
    }

    function wordCount(uint256 kind) internal pure returns (uint256) {
        unchecked {
            return WORD_COUNTS >> 4 * kind & 0xf;
        }
    }

    /// @dev Lays out all places behind the header: narrow pairs, wide cores, then payloads and words.
    function _copyElements(
        uint256 ptr,
        uint256 pairCount,
        uint256 header,
        uint256 maxPairCount,
        uint256 wideCount,
        uint256 maxWideCount,
        uint256 runningCount
    ) private pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := mload(0x40)
            let target := add(start, mul(0x20, HEADER_ELEMENT_COUNT))
            let end := add(target, mul(0x20, pairCount))
            let wideStart := add(target, mul(0x20, maxPairCount))
            // Four at a time. Up to three words too many are written, and overwritten below: behind the pairs lie
            // at least one wide core and, beyond the end, memory that is free.
            for { let source := ptr } lt(target, end) { target := add(target, 0x80) } {
                mstore(target, shr(72, calldataload(source)))
                mstore(add(target, 0x20), shr(72, calldataload(add(source, 23))))
                mstore(add(target, 0x40), shr(72, calldataload(add(source, 46))))
                mstore(add(target, 0x60), shr(72, calldataload(add(source, 69))))
                source := add(source, 92)
            }
            ptr := add(ptr, mul(WIRE_PAIR_SIZE, pairCount))
            // The pairs from gapAt on move gapCount places further, and their old places are zeroed.
            let gapSize := shl(5, and(shr(8, header), 0xffff))
            let gapStart := add(add(start, mul(0x20, HEADER_ELEMENT_COUNT)), shl(5, and(shr(24, header), 0xffff)))
            mcopy(add(gapStart, gapSize), gapStart, sub(end, gapStart))
            calldatacopy(gapStart, calldatasize(), gapSize)
            end := add(end, gapSize)
            let running := add(wideStart, mul(0x20, maxWideCount))
            // Copying from beyond the calldata's end writes zeros.
            calldatacopy(end, calldatasize(), sub(running, end))
            for { let i := 0 } lt(i, wideCount) { i := add(i, 1) } {
                mstore(add(wideStart, mul(0x20, i)), shr(160, calldataload(ptr)))
                ptr := add(ptr, WIRE_CORE_SIZE)
            }
            calldatacopy(running, ptr, mul(0x20, runningCount))
            mstore(0x40, add(running, mul(0x20, runningCount)))
        }
    }

    function hash(Elements memory elements) internal pure returns (bytes32) {
        return hashElements(elements.start, elements.count);
    }

    /// @dev The fixed places are below R by their widths (I5).
    function evaluate(Elements memory elements, uint256 z) internal pure returns (uint256 y) {
        return evaluateElements(elements.start, elements.fixedCount, elements.count, z);
    }
}
