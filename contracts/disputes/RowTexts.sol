// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RowArithmetic} from "./RowArithmetic.sol";

/// @title What L1 reads in a row's text, and how much two rows' texts have in common
/// @notice The same rules as attribution/disputes/text-overlap.ts; random tests hold the two equal.
///
/// A text's shingles are its words and its pairs of neighbouring words, as 32-bit hashes. Words are runs of letters, digits
/// and bytes above 127, in lower case. A row is one line of canonical JSON, as RowArithmetic reads it.
contract RowTexts {
    using RowArithmetic for RowArithmetic.Counts;

    /// @notice What L1 makes of a row: its token list, residual, pull, and map row · x. For comparing; nothing is judged.
    function readRow(bytes calldata content, uint256 bucketCount, bytes calldata weights, bytes calldata mapRow)
        external
        pure
        returns (bytes memory tokens, int256 residual, int256 pull, int256 product)
    {
        RowArithmetic.Counts memory counted = RowArithmetic.count(content, bucketCount);
        tokens = counted.list();
        residual = counted.residual(counted.dot(weights));
        (pull, product) = (counted.scale(residual), counted.dot(mapRow));
    }

    /// @notice Whether a row is a near-duplicate of another one, and more similar to it than to the leader that it has.
    /// @param known That leader's content; empty for none. @param isKnownFirst Whether it comes first where both are as similar.
    function isLeader(bytes calldata content, bytes calldata other, bytes calldata known, bool isKnownFirst)
        external
        pure
        returns (bool)
    {
        (uint256 common, uint256 union) = overlap(content, other);
        if (union == 0 || 10 * common < 7 * union) return false;
        if (known.length == 0) return true;
        (uint256 knownCommon, uint256 knownUnion) = overlap(content, known);
        (uint256 a, uint256 b) = (common * knownUnion, knownCommon * union);
        return a > b || (a == b && !isKnownFirst);
    }

    /// @notice Shingles that both have, and that one has. Rows of different labels are not compared: 0 of 0.
    function overlap(bytes calldata a, bytes calldata b) public pure returns (uint256 common, uint256 union) {
        uint256 label = _label(a);
        if (label != _label(b)) return (0, 0);
        // set, its mask, whether it has 0, its size; the same three of the other set; how many are in both.
        uint256[8] memory state;
        // The zero slot is a set without members.
        state[4] = 0x60;
        _collect(state, a, 23 + label);
        uint256 size = state[3];
        (state[4], state[5], state[6], state[2], state[3], state[7]) = (state[0], state[1], state[2], 0, 0, 0);
        _collect(state, b, 23 + label);
        common = state[7];
        union = size + state[3] - common;
    }

    function _label(bytes calldata content) private pure returns (uint256) {
        return content.length > 10 && content[10] == "s" ? 1 : 0;
    }

    /// @dev Fills a new set. @param skipped bytes before the text
    function _collect(uint256[8] memory state, bytes calldata content, uint256 skipped) private pure {
        uint256 length = content.length > skipped + 2 ? content.length - skipped - 2 : 0;
        assembly ("memory-safe") {
            // MurmurHash3's finaliser over two words of 32 bits.
            function mix(seed, value) -> h {
                h := and(xor(mul(and(xor(value, seed), 0xffffffff), 0xcc9e2d51), shr(15, seed)), 0xffffffff)
                h := xor(h, shr(16, h))
                h := and(mul(h, 0x85ebca6b), 0xffffffff)
                h := xor(h, shr(13, h))
                h := and(mul(h, 0xc2b2ae35), 0xffffffff)
                h := xor(h, shr(16, h))
            }
            function increase(at) { mstore(at, add(mload(at), 1)) }
            function find(set, mask, term) -> at, isThere {
                let place := and(term, mask)
                for {} 1 {} {
                    at := add(set, shl(2, place))
                    let old := shr(224, mload(at))
                    if eq(old, term) {
                        isThere := 1
                        leave
                    }
                    if iszero(old) { leave }
                    place := and(add(place, 1), mask)
                }
            }
            function addTerm(s, term) {
                let isShared := mload(add(s, 0xc0))
                switch term
                case 0 {
                    if mload(add(s, 0x40)) { leave }
                    mstore(add(s, 0x40), 1)
                }
                default {
                    let at, isThere := find(mload(s), mload(add(s, 0x20)), term)
                    if isThere { leave }
                    mstore(at, or(mload(at), shl(224, term)))
                    at, isShared := find(mload(add(s, 0x80)), mload(add(s, 0xa0)), term)
                }
                increase(add(s, 0x60))
                if isShared { increase(add(s, 0xe0)) }
            }
            // More places than the text has terms: every word takes a byte, and a byte between it and the next.
            let mask := 63
            for {} iszero(gt(mask, length)) {} { mask := or(shl(1, mask), 1) }
            let set := mload(0x40)
            let free := add(set, and(add(shl(2, mask), 95), not(31)))
            calldatacopy(set, calldatasize(), sub(free, set))
            mstore(0x40, free)
            mstore(state, set)
            mstore(add(state, 0x20), mask)
            let word := 0x811c9dc5
            let previous := 0
            let isWord := 0
            let isSecond := 0
            let at := add(content.offset, skipped)
            for { let end := add(at, length) } iszero(gt(at, end)) { at := add(at, 1) } {
                // The byte behind the last one closes its word.
                let character := 0
                if lt(at, end) { character := byte(0, calldataload(at)) }
                switch or(and(shr(character, 0x07fffffe07fffffe03ff000000000000), 1), gt(character, 127))
                case 1 {
                    character := or(character, shl(5, lt(sub(character, 65), 26)))
                    word := and(mul(xor(word, character), 0x01000193), 0xffffffff)
                    isWord := 1
                }
                default {
                    if isWord {
                        addTerm(state, word)
                        if isSecond { addTerm(state, mix(previous, word)) }
                        previous := word
                        isSecond := 1
                        word := 0x811c9dc5
                        isWord := 0
                    }
                    // Canonical JSON escapes only what belongs to no word: \n and its like, and \u00XX.
                    if eq(character, 0x5c) {
                        at := add(at, 1)
                        if eq(byte(0, calldataload(at)), 0x75) { at := add(at, 4) }
                    }
                }
            }
        }
    }
}
