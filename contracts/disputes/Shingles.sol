// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title A text's shingles, and how many of them two texts have in common
/// @notice The same as attribution/rows/similar-texts.ts. A text's shingles are its words and its pairs of neighbouring words,
/// as 32-bit hashes. Words are runs of letters, digits and bytes above 127, in lower case.
library Shingles {
    /// @dev No byte: the text ends where its bytes do.
    uint256 internal constant NO_BYTE = 256;

    /// @notice A text's shingles as far as it was read.
    /// @param set Places of four bytes each; 0 for none. @param mask Places, less one. @param hasZero Whether 0 is one of them.
    /// @param size How many there are. @param otherSet, otherMask, otherHasZero Those of the text that it is compared with.
    /// @param common How many of them are in both. @param previous The last word. @param isSecond Whether there is one.
    /// @param salt What places depend on.
    struct Text {
        uint256 set;
        uint256 mask;
        uint256 hasZero;
        uint256 size;
        uint256 otherSet;
        uint256 otherMask;
        uint256 otherHasZero;
        uint256 common;
        uint256 previous;
        uint256 isSecond;
        bytes32 salt;
    }

    /// @notice A text of which nothing is read yet.
    /// @param mostBytes That it has. @param salt Attack: a text whose words all have the same few places. So these depend on
    /// something that is not known before the text is.
    function begin(uint256 mostBytes, bytes32 salt) internal pure returns (Text memory text) {
        text.salt = salt;
        // The zero slot is a set without members.
        text.otherSet = 0x60;
        // More places than the text has terms: every word takes a byte, and a byte between it and the next.
        uint256 mask = 63;
        while (mask <= mostBytes) mask = 2 * mask + 1;
        text.mask = mask;
        assembly ("memory-safe") {
            let set := mload(0x40)
            let free := add(set, and(add(shl(2, mask), 95), not(31)))
            calldatacopy(set, calldatasize(), sub(free, set))
            mstore(0x40, free)
            mstore(text, set)
        }
    }

    /// @notice A text that is compared with another one, which was read.
    function beginBeside(Text memory other, uint256 mostBytes) internal pure returns (Text memory text) {
        text = begin(mostBytes, other.salt);
        (text.otherSet, text.otherMask, text.otherHasZero) = (other.set, other.mask, other.hasZero);
    }

    /// @notice Shingles that both have, and that one has.
    function overlapOf(Text memory other, Text memory text) internal pure returns (uint256 common, uint256 union) {
        common = text.common;
        union = other.size + text.size - common;
    }

    /// @notice Reads a text's next bytes; a word ends with them. What is escaped belongs to no word.
    /// @param closing A byte that ends them, unless it is escaped or within a word. @return next Where they ended.
    function add(Text memory text, bytes calldata content, uint256 from, uint256 end, uint256 closing)
        internal
        pure
        returns (uint256 next)
    {
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
            function increase(place) { mstore(place, add(mload(place), 1)) }
            function find(set, mask, hash, term) -> place, isThere {
                hash := and(hash, mask)
                for {} 1 {} {
                    place := add(set, shl(2, hash))
                    let old := shr(224, mload(place))
                    if eq(old, term) {
                        isThere := 1
                        leave
                    }
                    if iszero(old) { leave }
                    hash := and(add(hash, 1), mask)
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
                    mstore(0, term)
                    mstore(0x20, mload(add(s, 0x140)))
                    let hash := keccak256(0, 0x40)
                    let place, isThere := find(mload(s), mload(add(s, 0x20)), hash, term)
                    if isThere { leave }
                    mstore(place, or(mload(place), shl(224, term)))
                    place, isShared := find(mload(add(s, 0x80)), mload(add(s, 0xa0)), hash, term)
                }
                increase(add(s, 0x60))
                if isShared { increase(add(s, 0xe0)) }
            }
            let word := 0x811c9dc5
            let previous := mload(add(text, 0x100))
            let isSecond := mload(add(text, 0x120))
            let isWord := 0
            let at := add(content.offset, from)
            for { let limit := add(content.offset, end) } iszero(gt(at, limit)) { at := add(at, 1) } {
                // The byte behind the last one closes its word.
                let character := 0
                if lt(at, limit) { character := byte(0, calldataload(at)) }
                switch or(and(shr(character, 0x07fffffe07fffffe03ff000000000000), 1), gt(character, 127))
                case 1 {
                    character := or(character, shl(5, lt(sub(character, 65), 26)))
                    word := and(mul(xor(word, character), 0x01000193), 0xffffffff)
                    isWord := 1
                }
                default {
                    if isWord {
                        addTerm(text, word)
                        if isSecond { addTerm(text, mix(previous, word)) }
                        previous := word
                        isSecond := 1
                        word := 0x811c9dc5
                        isWord := 0
                    }
                    if eq(character, closing) { break }
                    // Canonical JSON escapes only what belongs to no word: \n and its like, and \u00XX.
                    if eq(character, 0x5c) {
                        at := add(at, 1)
                        if eq(byte(0, calldataload(at)), 0x75) { at := add(at, 4) }
                    }
                }
            }
            mstore(add(text, 0x100), previous)
            mstore(add(text, 0x120), isSecond)
            next := sub(at, content.offset)
        }
    }
}
