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
