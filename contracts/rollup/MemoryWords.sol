// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Words of memory by address, for code that lays out its own buffers.

function loadWord(uint256 ptr) pure returns (uint256 word) {
    assembly ("memory-safe") {
        word := mload(ptr)
    }
}

function storeWord(uint256 ptr, uint256 word) pure {
    assembly ("memory-safe") {
        mstore(ptr, word)
    }
}

/// @dev keccak256(abi.encode(a, b, c, d)), for less than the compiler's copies cost. Writes beyond the free pointer.
function hashFourWords(uint256 a, uint256 b, uint256 c, uint256 d) pure returns (uint256 hash) {
    assembly ("memory-safe") {
        let place := mload(0x40)
        mstore(place, a)
        mstore(add(place, 0x20), b)
        mstore(add(place, 0x40), c)
        mstore(add(place, 0x60), d)
        hash := keccak256(place, 0x80)
    }
}
