// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Openings} from "./Openings.sol";

/// @title What a spam-mail model makes of a row, in integers
/// @notice The same rules as challenger/statements/row-arithmetic.ts; random tests hold the two equal.
///
/// Fixed point: an int64 is a number times 2^40. A vector is big-endian int64s, one a bucket, the last one for the bias.
/// A row is one line of canonical JSON: {"label":"ham" | "spam","text":"…"}.
library RowArithmetic {
    /// @dev 1 in fixed point.
    int256 internal constant ONE = 1 << 40;
    /// @dev ln 2 times 2^64, rounded.
    uint256 private constant LN2 = 12786308645202655660;
    /// @dev 1 / (1 + e^-30) is 1 to 43 bits.
    uint256 private constant LARGEST = 30 << 40;
    /// @dev 0.7^20 / 20! is below 2^-64.
    uint256 private constant TERMS = 20;

    struct Counts {
        /// @dev 1 for spam.
        uint256 label;
        /// @dev How many terms are counted: the square of the length that counts are divided by.
        uint256 terms;
        uint256 bucketCount;
        /// @dev Where the counts lie: two bytes a bucket, zeros up to a whole word.
        uint256 table;
    }

    /// @notice How many different words and pairs of words of the text fall on each bucket: at most three of a bucket, and
    /// the first 2,000 of all, as in a query (docs/explanation/attribution-proof.md).
    /// @dev Any bytes have counts: what is no canonical row is read by the same places.
    function count(bytes calldata content, uint256 bucketCount) internal pure returns (Counts memory counts) {
        counts.bucketCount = bucketCount;
        _fill(counts, content);
    }

    function _fill(Counts memory counts, bytes calldata content) private pure {
        counts.label = content.length > 10 && content[10] == "s" ? 1 : 0;
        uint256 skipped = 23 + counts.label;
        uint256 length = content.length > skipped + 2 ? content.length - skipped - 2 : 0;
        // Attack: words that all have the same few places, of which no transaction has the gas to look for one. So places depend
        // on something that is not known before the row is.
        bytes32 salt = Openings.leafOf(content);
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
            // state: the struct; then the set of terms, its mask, and whether term 0 was seen.
            function addTerm(state, set, mask, zero, term) -> zeroAfter {
                zeroAfter := zero
                switch term
                case 0 {
                    if zero { leave }
                    zeroAfter := 1
                }
                default {
                    mstore(0, term)
                    let place := and(keccak256(0, 0x40), mask)
                    for {} 1 {} {
                        let at := add(set, shl(2, place))
                        let found := mload(at)
                        let old := shr(224, found)
                        if eq(old, term) { leave }
                        if iszero(old) {
                            mstore(at, or(found, shl(224, term)))
                            break
                        }
                        place := and(add(place, 1), mask)
                    }
                }
                let at := add(mload(add(state, 0x60)), shl(1, mod(mix(0x5eed, term), mload(add(state, 0x40)))))
                let counted := mload(at)
                let terms := mload(add(state, 0x20))
                if or(eq(terms, 2000), eq(shr(240, counted), 3)) { leave }
                mstore(add(state, 0x20), add(terms, 1))
                mstore(at, add(counted, shl(240, 1)))
            }
            mstore(0x20, salt)
            let table := mload(0x40)
            mstore(add(counts, 0x60), table)
            let set := add(table, and(add(shl(1, mload(add(counts, 0x40))), 63), not(31)))
            // More places than the text has terms: every word takes a byte, and a byte between it and the next.
            let mask := 63
            for {} iszero(gt(mask, length)) {} { mask := or(shl(1, mask), 1) }
            let free := add(set, and(add(shl(2, mask), 95), not(31)))
            calldatacopy(table, calldatasize(), sub(free, table))
            mstore(0x40, free)
            let zero := 0
            let word := 0x811c9dc5
            let previous := 0
            let isWord := 0
            let at := add(content.offset, skipped)
            for { let end := add(at, length) } iszero(gt(at, end)) { at := add(at, 1) } {
                // The byte behind the last one closes its word.
                let character := 0
                if lt(at, end) { character := byte(0, calldataload(at)) }
                // Letters, digits, $ and !.
                switch and(shr(character, 0x07fffffe07fffffe03ff001200000000), 1)
                case 1 {
                    character := or(character, shl(5, lt(sub(character, 65), 26)))
                    word := and(mul(xor(word, character), 0x01000193), 0xffffffff)
                    isWord := 1
                }
                default {
                    if isWord {
                        zero := addTerm(counts, set, mask, zero, word)
                        if previous { zero := addTerm(counts, set, mask, zero, mix(previous, word)) }
                        previous := word
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
            mstore(0x40, set)
        }
    }

    /// @notice The counts as a list, ascending: bucket and count of each bucket that is not empty, two bytes each.
    function list(Counts memory counts) internal pure returns (bytes memory out) {
        assembly ("memory-safe") {
            out := mload(0x40)
            let to := add(out, 32)
            let bucketCount := mload(add(counts, 0x40))
            let table := mload(add(counts, 0x60))
            for { let bucket := 0 } lt(bucket, bucketCount) { bucket := add(bucket, 1) } {
                let counted := shr(240, mload(add(table, shl(1, bucket))))
                if counted {
                    mstore(to, or(shl(240, bucket), shl(224, counted)))
                    to := add(to, 4)
                }
            }
            mstore(out, sub(sub(to, out), 32))
            mstore(0x40, and(add(to, 63), not(31)))
        }
    }

    /// @notice vector · x, where x is the counts over their length, and 1 for the bias.
    function dot(Counts memory counts, bytes calldata vector) internal pure returns (int256) {
        int256 sum;
        int256 bias;
        assembly ("memory-safe") {
            function at64(place) -> value { value := signextend(7, shr(192, calldataload(place))) }
            let bucketCount := mload(add(counts, 0x40))
            let table := mload(add(counts, 0x60))
            for { let bucket := 0 } lt(bucket, bucketCount) { bucket := add(bucket, 16) } {
                let from := add(vector.offset, shl(3, bucket))
                for { let word := mload(add(table, shl(1, bucket))) } word {} {
                    let counted := shr(240, word)
                    if counted { sum := add(sum, mul(counted, at64(from))) }
                    word := shl(16, word)
                    from := add(from, 8)
                }
            }
            bias := at64(add(vector.offset, shl(3, bucketCount)))
        }
        return scale(counts, sum) + bias;
    }

    /// @notice value over the counts' length; 0 for a row without terms.
    function scale(Counts memory counts, int256 value) internal pure returns (int256) {
        if (counts.terms == 0) return 0;
        return (value * (1 << 48)) / int256(root(counts.terms << 96));
    }

    /// @notice What the row's label lacks: y − σ(logit), y = 1 for spam.
    function residual(Counts memory counts, int256 logit) internal pure returns (int256) {
        return int256(counts.label) * ONE - sigmoid(logit);
    }

    /// @notice 1 / (1 + e^-z).
    function sigmoid(int256 z) internal pure returns (int256) {
        unchecked {
            uint256 x = uint256(z < 0 ? -z : z);
            if (x > LARGEST) return z < 0 ? int256(0) : ONE;
            x <<= 24;
            uint256 halvings = x / LN2;
            uint256 rest = x - halvings * LN2;
            uint256 term = 1 << 64;
            uint256 sum = term;
            for (uint256 i = 1; i <= TERMS; i++) {
                term = ((term * rest) >> 64) / i;
                sum = i & 1 == 1 ? sum - term : sum + term;
            }
            int256 likely = int256((1 << 104) / ((1 << 64) + (sum >> halvings)));
            return z < 0 ? ONE - likely : likely;
        }
    }

    /// @notice How far a row of integers can be from the real one: half a unit an entry, and roundings of the two lengths.
    function slack(uint256 columnCount) internal pure returns (uint256) {
        return root(columnCount) / 2 + 2;
    }

    /// @notice The largest integer whose square is not above.
    function root(uint256 square) internal pure returns (uint256 result) {
        unchecked {
            if (square == 0) return 0;
            result = 1;
            uint256 rest = square;
            if (rest >> 128 != 0) (rest, result) = (rest >> 128, result << 64);
            if (rest >> 64 != 0) (rest, result) = (rest >> 64, result << 32);
            if (rest >> 32 != 0) (rest, result) = (rest >> 32, result << 16);
            if (rest >> 16 != 0) (rest, result) = (rest >> 16, result << 8);
            if (rest >> 8 != 0) (rest, result) = (rest >> 8, result << 4);
            if (rest >> 4 != 0) (rest, result) = (rest >> 4, result << 2);
            if (rest >> 2 != 0) result <<= 1;
            // Newton's steps from within a factor of two; seven are exact for 256 bits.
            for (uint256 i; i < 7; i++) result = (result + square / result) >> 1;
            uint256 other = square / result;
            return result < other ? result : other;
        }
    }
}
