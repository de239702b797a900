// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IRollup} from "./IRollup.sol";
import {hashFourWords} from "./MemoryWords.sol";
import {R} from "./Protocol.sol";

// What L1 does with a vector of elements E in memory, of a batch or of a settlement (docs/reference/ledger.md, "Batch data").

bytes32 constant CHALLENGE_TAG = keccak256("OpenLedger challenge v1");

/// @dev keccak256 of all elements, each as a 32-byte word.
function hashElements(uint256 start, uint256 count) pure returns (bytes32 result) {
    assembly ("memory-safe") {
        result := keccak256(start, mul(0x20, count))
    }
}

/// @dev z, fixed by the circuit, by C and by every element that is evaluated.
function deriveChallenge(bytes32 circuitId, uint256 commitment, bytes32 elementsHash) pure returns (uint256) {
    return hashFourWords(uint256(CHALLENGE_TAG), uint256(circuitId), commitment, uint256(elementsHash)) % R;
}

/// @dev Σ E_i z^i by Horner's rule from the last element. Since the sum and an element are below R < 2^254, they can be
/// added before the one reduction. Elements from `fixedCount` on are checked to be below R; those before are so by
/// their widths or were checked. Assumes fixedCount > 0.
function evaluateElements(uint256 start, uint256 fixedCount, uint256 count, uint256 z) pure returns (uint256 y) {
    bool isInField = true;
    assembly ("memory-safe") {
        // R, by Solidity's word of zeros: a number that the compiler knows it copies from the code at every use, for 40 gas.
        let r := add(R, mload(0x60))
        let fixedEnd := add(start, mul(0x20, fixedCount))
        let p := add(start, mul(0x20, count))
        for {} gt(p, fixedEnd) {} {
            p := sub(p, 0x20)
            let element := mload(p)
            isInField := and(isInField, lt(element, r))
            y := mulmod(add(y, element), z, r)
        }
        // Element 0 is not multiplied, so the count of the others is brought to a multiple of eight first.
        let last := add(start, 0x20)
        for { let rest := and(sub(p, last), 0xff) } rest { rest := sub(rest, 0x20) } {
            p := sub(p, 0x20)
            y := mulmod(add(y, mload(p)), z, r)
        }
        for {} gt(p, last) {} {
            p := sub(p, 0x100)
            y := mulmod(add(y, mload(add(p, 0xe0))), z, r)
            y := mulmod(add(y, mload(add(p, 0xc0))), z, r)
            y := mulmod(add(y, mload(add(p, 0xa0))), z, r)
            y := mulmod(add(y, mload(add(p, 0x80))), z, r)
            y := mulmod(add(y, mload(add(p, 0x60))), z, r)
            y := mulmod(add(y, mload(add(p, 0x40))), z, r)
            y := mulmod(add(y, mload(add(p, 0x20))), z, r)
            y := mulmod(add(y, mload(p)), z, r)
        }
        y := addmod(y, mload(start), r)
    }
    if (!isInField) revert IRollup.RollupElementOutOfField();
}
