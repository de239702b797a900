// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title A text's shingles, and how many of them another text has
/// @notice The same as attribution/rows/similar-texts.ts. A text's shingles are its words and its pairs of neighbouring words,
/// as 32-bit hashes. Words are runs of letters, digits and bytes above 127, in lower case.
library Shingles {
    /// @dev No byte: the text ends where its bytes do.
    uint256 internal constant NO_BYTE = 256;

    /// @notice Texts, of which one is read after another. The first one is compared with each of the others.
    /// @param set Places of five bytes: which texts have a shingle, and the shingle. @param mask Places, less one.
    /// @param salt What places depend on. @param zero Which texts have the shingle 0: it has no place.
    /// @param current Of the text that is read: 1, 2, 4, … @param size Shingles that it has.
    /// @param common How many of them the first one has, too. @param firstSize Of the first one, once the next is read.
    /// @param previous The last word, if there is one.
    /// @param letters Of each byte its lower case, or 0 for what belongs to no word; from the 31st byte on.
    struct Texts {
        uint256 set;
        uint256 mask;
        bytes32 salt;
        uint256 zero;
        uint256 current;
        uint256 size;
        uint256 common;
        uint256 firstSize;
        uint256 previous;
        bool hasPrevious;
        uint256 letters;
    }

    /// @notice Reads the first text next.
    /// @param mostBytes Of all texts. @param salt Attack: a text whose words all have the same few places. So these depend on
    /// something that is not known before the texts are.
    function begin(uint256 mostBytes, bytes32 salt) internal pure returns (Texts memory texts) {
        (texts.salt, texts.current) = (salt, 1);
        // More places than the texts have terms: every word takes a byte, and a byte between it and the next.
        uint256 mask = 63;
        while (mask <= mostBytes) mask = 2 * mask + 1;
        texts.mask = mask;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, calldatasize(), 256)
            mstore(add(free, 0x20), 0x0000000000000000000000000000000030313233343536373839000000000000)
            mstore(add(free, 0x40), 0x006162636465666768696a6b6c6d6e6f707172737475767778797a0000000000)
            mstore(add(free, 0x60), 0x006162636465666768696a6b6c6d6e6f707172737475767778797a0000000000)
            mstore(add(free, 0x80), 0x808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f)
            mstore(add(free, 0xa0), 0xa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf)
            mstore(add(free, 0xc0), 0xc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf)
            mstore(add(free, 0xe0), 0xe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff)
            mstore(add(texts, 0x140), sub(free, 31))
            let set := add(free, 256)
            // A place's word goes on behind its five bytes.
            free := add(set, and(add(mul(5, add(mask, 1)), 63), not(31)))
            calldatacopy(set, calldatasize(), sub(free, set))
            mstore(0x40, free)
            mstore(texts, set)
        }
    }

    /// @notice Reads another text next.
    function next(Texts memory texts) internal pure {
        if (texts.current == 1) texts.firstSize = texts.size;
        texts.current <<= 1;
        (texts.size, texts.common, texts.hasPrevious) = (0, 0, false);
    }

    /// @notice Shingles that this text and the first one have, and that one of both has.
    function overlap(Texts memory texts) internal pure returns (uint256 common, uint256 union) {
        common = texts.common;
        union = texts.firstSize + texts.size - common;
    }

    /// @notice Reads the text's next bytes; a word ends with them. What is escaped belongs to no word.
    /// @param closing A byte that ends them, unless it is escaped or within a word. @return stopped Where they ended.
    function add(Texts memory texts, bytes calldata content, uint256 from, uint256 end, uint256 closing)
        internal
        pure
        returns (uint256 stopped)
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
            // Of a term that this text has for the first time. before: which texts had it.
            function count(s, before) {
                mstore(add(s, 0xa0), add(mload(add(s, 0xa0)), 1))
                if and(before, 1) { mstore(add(s, 0xc0), add(mload(add(s, 0xc0)), 1)) }
            }
            // A term that is seen. bit: the text's, as a slot has it. Its place depends on the term and the salt alone.
            // Attack: two pairs of words with one hash. Were their places others, the term would be counted twice.
            function see(s, bit, term) {
                if iszero(term) {
                    let before := mload(add(s, 0x60))
                    if and(before, shr(248, bit)) { leave }
                    mstore(add(s, 0x60), or(before, shr(248, bit)))
                    count(s, before)
                    leave
                }
                let set := mload(s)
                mstore(0, term)
                let place := keccak256(0, 0x40)
                for { let mask := mload(add(s, 0x20)) } 1 { place := add(place, 1) } {
                    let slot := add(set, mul(5, and(place, mask)))
                    let word := mload(slot)
                    let known := and(shr(216, word), 0xffffffff)
                    if eq(known, term) {
                        if and(word, bit) { leave }
                        mstore(slot, or(word, bit))
                        count(s, byte(0, word))
                        leave
                    }
                    if known { continue }
                    mstore(slot, or(word, or(bit, shl(216, term))))
                    count(s, 0)
                    leave
                }
            }
            let bit := shl(248, mload(add(texts, 0x80)))
            mstore(0x20, mload(add(texts, 0x40)))
            let letters := mload(add(texts, 0x140))
            let previous := mload(add(texts, 0x100))
            let hasPrevious := mload(add(texts, 0x120))
            let word := 0x811c9dc5
            let at := add(content.offset, from)
            let limit := add(content.offset, end)
            // Where the word begins, if it has a letter.
            let start := at
            for {} iszero(gt(at, limit)) { at := add(at, 1) } {
                // The byte behind the last one closes its word.
                let character := mul(byte(0, calldataload(at)), lt(at, limit))
                let letter := and(mload(add(letters, character)), 0xff)
                if letter {
                    // Only the lower 32 bits count.
                    word := mul(xor(word, letter), 0x01000193)
                    continue
                }
                if gt(at, start) {
                    word := and(word, 0xffffffff)
                    see(texts, bit, word)
                    if hasPrevious { see(texts, bit, mix(previous, word)) }
                    previous := word
                    hasPrevious := 1
                    word := 0x811c9dc5
                }
                if eq(character, closing) { break }
                // Canonical JSON escapes only what belongs to no word: \n and its like, and \u00XX.
                if eq(character, 0x5c) {
                    at := add(at, 1)
                    if eq(byte(0, calldataload(at)), 0x75) { at := add(at, 4) }
                }
                start := add(at, 1)
            }
            mstore(add(texts, 0x100), previous)
            mstore(add(texts, 0x120), hasPrevious)
            stopped := sub(at, content.offset)
        }
    }
}
