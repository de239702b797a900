// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {UnicodeTable} from "./UnicodeTable.sol";

/// @title Characters of UTF-8 and their classes, whatever the bytes
/// @notice docs/explanation/fault-proofs.md; models/tokens/utf8-characters.ts is the same. Never a revert: a byte that is of no character
/// stands alone, and its class is not sure. Nor is that of a character on which engines differ.
library Utf8Characters {
    uint256 internal constant UNSURE = 0;
    uint256 internal constant LETTER = 1;
    uint256 internal constant NUMBER = 2;
    uint256 internal constant SIGN = 3;
    uint256 internal constant SPACE = 4;
    /// @dev White space that ends no line.
    uint256 internal constant BLANK = 5;
    uint256 internal constant LINE = 6;
    /// @dev Before the text's first character and behind its last one.
    uint256 internal constant END = 7;

    uint256 private constant RANGE_BYTES = 3;

    /// @param kind Its class. @param from Its first byte. @param end Behind its last one.
    struct Character {
        uint256 kind;
        uint256 from;
        uint256 end;
    }

    /// @notice The character that begins with this byte. @param table UnicodeTable.RANGES; without it no class beyond ASCII is
    /// sure.
    function starting(bytes memory table, bytes calldata text, uint256 place) internal pure returns (Character memory) {
        if (place >= text.length) return Character(END, place, place);
        uint256 first = uint8(text[place]);
        if (first < 0x80) return Character(_asciiClass(first), place, place + 1);
        uint256 length = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
        Character memory alone = Character(UNSURE, place, place + 1);
        if (length == 0 || place + length > text.length) return alone;
        uint256 codePoint = first & (0xff >> (length + 1));
        // They are within the text.
        unchecked {
            for (uint256 i = 1; i < length; i++) {
                if (!isContinuation(text, place + i)) return alone;
                codePoint = codePoint << 6 | uint8(text[place + i]) & 0x3f;
            }
        }
        // One way to write each, no halves of pairs, nothing above the last.
        uint256 least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
        bool isOne = codePoint >= least && codePoint < 0x110000 && codePoint >> 11 != 0x1b;
        return isOne ? Character(_classOf(table, codePoint), place, place + length) : alone;
    }

    /// @notice The character that this byte is of: it may begin before. @param place Below the text's length.
    function over(bytes memory table, bytes calldata text, uint256 place) internal pure returns (Character memory found) {
        uint256 from = place;
        unchecked {
            while (from > 0 && place - from < 3 && isContinuation(text, from)) from--;
        }
        found = starting(table, text, from);
        if (found.end <= place) found = Character(UNSURE, place, place + 1);
    }

    /// @notice The character that ends before this byte. @param place At most the text's length.
    function before(bytes memory table, bytes calldata text, uint256 place) internal pure returns (Character memory) {
        return place == 0 ? Character(END, 0, 0) : over(table, text, place - 1);
    }

    function isContinuation(bytes calldata text, uint256 place) internal pure returns (bool) {
        return uint8(text[place]) & 0xc0 == 0x80;
    }

    function _asciiClass(uint256 character) private pure returns (uint256) {
        uint256 lower = character | 0x20;
        if (lower >= 0x61 && lower <= 0x7a) return LETTER;
        if (character >= 0x30 && character <= 0x39) return NUMBER;
        if (character == 0x20) return SPACE;
        if (character == 0x0a || character == 0x0d) return LINE;
        return character >= 0x09 && character <= 0x0d ? BLANK : SIGN;
    }

    /// @dev Of a code point beyond ASCII: that of the last range which begins at it or before. The first begins with 0x80.
    /// A range has 21 bits of its first character, 3 of its class. Words are read from within the table, and what is behind a range is
    /// shifted out.
    /// Attack: a token that is false at its end, of characters that are looked up five times each. So this is as cheap as can be.
    function _classOf(bytes memory table, uint256 codePoint) private pure returns (uint256 class) {
        if (table.length == 0) return UNSURE;
        assembly ("memory-safe") {
            let ranges := add(table, 0x20)
            let low := 0
            let high := div(mload(table), RANGE_BYTES)
            for {} gt(sub(high, low), 1) {} {
                let middle := shr(1, add(low, high))
                switch gt(shr(235, mload(add(ranges, mul(middle, RANGE_BYTES)))), codePoint)
                case 0 { low := middle }
                default { high := middle }
            }
            class := and(shr(232, mload(add(ranges, mul(low, RANGE_BYTES)))), 7)
        }
    }
}
