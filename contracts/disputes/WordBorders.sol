// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Where GPT-2's pattern cuts a text into pieces, as far as neighbours in ASCII show it
/// @notice docs/lm-disputes.md; models/tokens/word-borders.ts is the same. The pattern is
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// A border is one-sided: where a byte beyond ASCII, a control character or a sign before an apostrophe could decide, it is
/// not sure. A text may also be cut by a token that no rule makes (an end token, say): that joins nothing, and what is left
/// and right of it is cut as if it stood alone. So all this holds only of vocabularies where such tokens neither begin with
/// a letter or digit, nor end with one or with an apostrophe (behind a token "'", "state" is no "'s" and "tate"). Others say
/// in their statics that borders are not known. Then no border is wrong that is INSIDE, and no rule's token spans a CUT.
library WordBorders {
    uint256 internal constant UNSURE = 0;
    /// @dev Both bytes are of one piece.
    uint256 internal constant INSIDE = 1;
    /// @dev They are of two.
    uint256 internal constant CUT = 2;

    uint256 private constant OTHER = 0;
    uint256 private constant LETTER = 1;
    uint256 private constant DIGIT = 2;
    uint256 private constant SIGN = 3;
    uint256 private constant SPACE = 4;
    uint256 private constant BLANK = 5;
    uint256 private constant END = 6;

    /// @param border First byte behind the border, at least 1.
    function kindOf(bytes calldata text, uint256 border) internal pure returns (uint256) {
        // Within a character of UTF-8.
        if (uint8(text[border]) & 0xc0 == 0x80) return INSIDE;
        (uint256 left, uint256 right) = (_classOf(text, border - 1), _classOf(text, border));
        if (left == OTHER || right == OTHER) return UNSURE;
        if (right >= SPACE) {
            if (left < SPACE) return CUT;
            // Of a run of blanks the last one is left to what follows it, unless the text ends.
            uint256 behind = _classOf(text, border + 1);
            if (behind >= SPACE) return INSIDE;
            // A token that no rule makes begins with no letter or digit; it may begin with a sign, and end the text here.
            return behind == LETTER || behind == DIGIT ? CUT : UNSURE;
        }
        if (left == BLANK) return CUT;
        if (left == SPACE) return INSIDE;
        if (right == LETTER && text[border - 1] == "'") {
            if (_shortening(text, border) == 0) return CUT;
            return _isFirst(text, border - 1) ? INSIDE : UNSURE;
        }
        if (left != right) return CUT;
        return left == LETTER ? _betweenLetters(text, border) : INSIDE;
    }

    /// @dev Letters are one piece, but behind 's, 't, 're, 've, 'm, 'll and 'd, where these begin one.
    function _betweenLetters(bytes calldata text, uint256 border) private pure returns (uint256) {
        if (border >= 2 && text[border - 2] == "'" && _shortening(text, border - 1) == 1) {
            return _isFirst(text, border - 2) ? CUT : UNSURE;
        }
        if (border >= 3 && text[border - 3] == "'" && _shortening(text, border - 2) == 2) {
            return _isFirst(text, border - 3) ? CUT : UNSURE;
        }
        return INSIDE;
    }

    /// @dev Whether a piece begins with this apostrophe for certain: a sign or a space before it would take it along.
    function _isFirst(bytes calldata text, uint256 apostrophe) private pure returns (bool) {
        if (apostrophe == 0) return true;
        uint256 before = _classOf(text, apostrophe - 1);
        return before == LETTER || before == DIGIT || before == BLANK;
    }

    /// @return Letters of the shortening that stands here; 0 for none.
    function _shortening(bytes calldata text, uint256 from) private pure returns (uint256) {
        bytes1 first = text[from];
        if (first == "s" || first == "t" || first == "m" || first == "d") return 1;
        if (from + 1 == text.length) return 0;
        bytes1 second = text[from + 1];
        bool isTwo = second == "e" ? first == "r" || first == "v" : first == "l" && second == "l";
        return isTwo ? 2 : 0;
    }

    function _classOf(bytes calldata text, uint256 place) private pure returns (uint256) {
        if (place >= text.length) return END;
        uint8 character = uint8(text[place]);
        uint8 lower = character | 0x20;
        if (lower >= 0x61 && lower <= 0x7a) return LETTER;
        if (character >= 0x30 && character <= 0x39) return DIGIT;
        if (character == 0x20) return SPACE;
        if (character >= 0x09 && character <= 0x0d) return BLANK;
        return character > 0x20 && character < 0x7f ? SIGN : OTHER;
    }
}
