// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title A row of texts, as L1 reads its JSON
/// @notice The same rules as attribution/rows/text-rows.ts: one line, written as `JSON.stringify` does.
///   {"text":"…"}   {"prompt":"…","answer":"…"}
/// Escaped are `"` and `\`, and below U+0020 \b \t \n \f \r, else \u00XX in lower case. Half of a surrogate pair is no
/// character. Whether a text is empty or blank is not looked at here.
library TextRows {
    /// @notice No row of a model commitment is longer. Three of so many bytes, made to be dear, are compared within 2^24 gas (EIP-7825),
    /// and a token's cut is found in one. Disputes.challengeRowTooLong has a bound of its own for rows beyond this one.
    uint256 internal constant MOST_BYTES = 6_144;
    bytes9 private constant TEXT_HEAD = '{"text":"';
    bytes11 private constant PROMPT_HEAD = '{"prompt":"';
    bytes12 private constant MIDDLE = '","answer":"';
    bytes2 private constant TAIL = '"}';
    uint256 internal constant MIDDLE_BYTES = 12;
    uint256 internal constant TAIL_BYTES = 2;

    /// @param isRow Whether these are such bytes. If not, nothing else is said. @param isText Whether it has a text alone.
    /// @param first The text, or the prompt. @param second The answer.
    struct Row {
        bool isRow;
        bool isText;
        bytes first;
        bytes second;
    }

    /// @notice Bytes before a text or a prompt; 0 for what begins as neither.
    function headOf(bytes calldata content) internal pure returns (uint256 size) {
        if (content.length >= TEXT_HEAD.length && bytes9(content[:9]) == TEXT_HEAD) return TEXT_HEAD.length;
        if (content.length >= PROMPT_HEAD.length && bytes11(content[:11]) == PROMPT_HEAD) return PROMPT_HEAD.length;
    }

    function read(bytes calldata content) internal pure returns (Row memory row) {
        uint256 head = headOf(content);
        if (head == 0 || content.length > MOST_BYTES) return row;
        uint256 end;
        (end, row.first) = unescape(content, head);
        row.isText = head == TEXT_HEAD.length;
        if (!row.isText) {
            if (content.length < end + MIDDLE_BYTES || bytes12(content[end:end + MIDDLE_BYTES]) != MIDDLE) return row;
            (end, row.second) = unescape(content, end + MIDDLE_BYTES);
        }
        row.isRow = content.length == end + TAIL_BYTES && bytes2(content[end:]) == TAIL;
    }

    /// @notice A string's characters, unescaped, from here to the quote that ends it.
    /// @return end Place of that quote; the first byte that no such string has; or behind all, where it does not end.
    function unescape(bytes calldata content, uint256 from) internal pure returns (uint256 end, bytes memory text) {
        assembly ("memory-safe") {
            function isTail(word, place) -> yes { yes := eq(and(byte(place, word), 0xc0), 0x80) }
            function bits(word, place) -> value { value := and(byte(place, word), 0x3f) }
            // A character of UTF-8 that begins the word, of more than one byte; 0 for none.
            function sizeOf(word) -> size {
                let first := byte(0, word)
                if iszero(isTail(word, 1)) { leave }
                // C0 and C1 would be of one byte.
                if and(gt(first, 0xc1), lt(first, 0xe0)) {
                    size := 2
                    leave
                }
                if iszero(isTail(word, 2)) { leave }
                if eq(shr(4, first), 0xe) {
                    let code := or(shl(12, and(first, 0xf)), shl(6, bits(word, 1)))
                    // Not one that two bytes have, nor half of a pair.
                    if and(gt(code, 0x7ff), iszero(eq(shr(11, code), 0x1b))) { size := 3 }
                    leave
                }
                if and(eq(shr(3, first), 0x1e), isTail(word, 3)) {
                    let code := or(shl(18, and(first, 7)), shl(12, bits(word, 1)))
                    if and(gt(code, 0xffff), lt(code, 0x110000)) { size := 4 }
                }
            }
            // What stands behind a backslash: how many bytes of it, and the character; 0 bytes for what is not written so.
            function escapeOf(word) -> size, character {
                let letter := byte(1, word)
                size := 2
                switch letter
                case 0x22 { character := letter }
                case 0x5c { character := letter }
                case 0x62 { character := 8 }
                case 0x74 { character := 9 }
                case 0x6e { character := 10 }
                case 0x66 { character := 12 }
                case 0x72 { character := 13 }
                default {
                    size := 0
                    // "u000X" and "u001X", X a digit or from a to f.
                    let digit := byte(5, word)
                    let isDigit := and(shr(digit, 0x7e0000000003ff000000000000), 1)
                    if iszero(and(eq(and(shr(216, word), 0xfffffffffe), 0x5c75303030), isDigit)) { leave }
                    digit := add(and(digit, 0xf), mul(9, gt(digit, 0x60)))
                    character := or(shl(4, and(byte(4, word), 1)), digit)
                    // Those have letters of their own.
                    if and(shr(character, 0x3700), 1) { leave }
                    size := 6
                }
            }
            text := mload(0x40)
            let to := add(text, 32)
            let at := add(content.offset, from)
            let limit := add(content.offset, content.length)
            for {} lt(at, limit) {} {
                let word := calldataload(at)
                let character := byte(0, word)
                // Below 128, and neither a control character nor " or \.
                if and(shr(character, 0xffffffffeffffffffffffffb00000000), 1) {
                    mstore8(to, character)
                    at := add(at, 1)
                    to := add(to, 1)
                    continue
                }
                if eq(character, 0x5c) {
                    let size, code := escapeOf(word)
                    if iszero(size) { break }
                    mstore8(to, code)
                    at := add(at, size)
                    to := add(to, 1)
                    continue
                }
                // The quote, and control characters, are below 128.
                if lt(character, 0x80) { break }
                let size := sizeOf(word)
                if iszero(size) { break }
                mstore(to, word)
                at := add(at, size)
                to := add(to, size)
            }
            mstore(text, sub(to, add(text, 32)))
            // A character's word was written behind its own bytes.
            mstore(0x40, and(add(to, 63), not(31)))
            end := sub(at, content.offset)
        }
    }
}
