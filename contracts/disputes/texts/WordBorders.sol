// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {UnicodeTable} from "./UnicodeTable.sol";
import {Utf8Characters} from "./Utf8Characters.sol";

/// @title Where patterns of tokenizers cut a text into pieces, as far as neighbours show it
/// @notice docs/explanation/fault-proofs.md; models/tokens/word-borders.ts is the same. GPT-2's pattern is
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// Llama 3's, and Qwen 2's with \p{N} alone, is
///   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
///
/// A border is not sure where a character could decide that is of no class, or of none in all versions of Unicode.
/// A text may also be cut by a token that no rule makes (an end token, say): that joins nothing, and what is left
/// and right of it is cut as if it stood alone. So all this holds only of vocabularies where such tokens neither begin with
/// a letter or number, nor end with one or with an apostrophe (behind a token "'", "state" is no "'s" and "tate"): GPT2. Of the
/// others they begin with < and end with >. Then no border is wrong that is INSIDE, and no rule's token spans a CUT.
///
/// A contract of its own, with the classes of Unicode's characters in its code. It has no owner, no state and no revert.
contract WordBorders {
    // Numbers of `joining`: PromptTokens has the others.
    uint256 private constant GPT2 = 1;
    uint256 private constant LLAMA_3 = 3;
    uint256 private constant QWEN_2 = 4;
    uint256 private constant GPT2_MARKED = 5;

    uint256 private constant UNSURE = 0;
    /// @dev Both bytes are of one piece.
    uint256 private constant INSIDE = 1;
    /// @dev They are of two.
    uint256 private constant CUT = 2;

    /// @dev Characters that a run of line ends or of numbers is looked through for.
    uint256 private constant MOST_LOOKED_AT = 256;

    /// @notice Whether a border lies within a piece for certain. @param border First byte behind it.
    /// @param joining A number that is no pattern's is sure of nothing.
    function isInside(uint256 joining, bytes calldata text, uint256 border) external pure returns (bool) {
        return _kindOf(UnicodeTable.RANGES, joining, text, border) == INSIDE;
    }

    /// @notice Whether the text is cut for certain between two of these bytes. @param end Behind the last one.
    function isCutWithin(uint256 joining, bytes calldata text, uint256 from, uint256 end)
        external
        pure
        returns (bool)
    {
        bytes memory table = UnicodeTable.RANGES;
        for (uint256 border = from + 1; border < end; border++) {
            uint256 kind = _kindOf(table, joining, text, border);
            if (kind == CUT) return true;
            // Attack: a token of numbers behind a run that is too long, which each of its borders would look through.
            if (kind == UNSURE && joining == LLAMA_3) border = _lastOfNumbers(table, text, border, end);
        }
        return false;
    }

    /// @notice Of each border between two bytes of a text: 1 where it is within a piece, 2 where the pattern cuts, 0 where that
    /// is not sure.
    function kindsOf(uint256 joining, bytes calldata text) external pure returns (bytes memory kinds) {
        bytes memory table = UnicodeTable.RANGES;
        kinds = new bytes(text.length == 0 ? 0 : text.length - 1);
        // Narrowing cast: kinds are below 3.
        for (uint256 i; i < kinds.length; i++) kinds[i] = bytes1(uint8(_kindOf(table, joining, text, i + 1)));
    }

    /// @notice Whether these bytes are of characters of UTF-8, which may begin before and end behind. @param end At most the
    /// text's length.
    function areCharacters(bytes calldata text, uint256 from, uint256 end) external pure returns (bool) {
        // Whatever their classes.
        bytes memory table;
        for (uint256 place = from; place < end && place < text.length;) {
            Utf8Characters.Character memory one = Utf8Characters.over(table, text, place);
            // A byte that stands alone is of ASCII.
            if (one.end - one.from == 1 && uint8(text[place]) >= 0x80) return false;
            place = one.end;
        }
        return true;
    }

    /// @dev Gives back what memory it took: tokens are long.
    function _kindOf(bytes memory table, uint256 pattern, bytes calldata text, uint256 border)
        private
        pure
        returns (uint256 kind)
    {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        kind = _decide(table, pattern, text, border);
        // Nothing that was made since is used again.
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    function _decide(bytes memory table, uint256 pattern, bytes calldata text, uint256 border)
        private
        pure
        returns (uint256)
    {
        bool isPattern = pattern == GPT2 || (pattern >= LLAMA_3 && pattern <= GPT2_MARKED);
        if (!isPattern || border == 0 || border >= text.length) return UNSURE;
        Utf8Characters.Character memory right = Utf8Characters.over(table, text, border);
        // Within a character.
        if (right.from < border) return INSIDE;
        Utf8Characters.Character memory left = Utf8Characters.before(table, text, border);
        (uint256 a, uint256 b) = (left.kind, right.kind);
        if (a == Utf8Characters.UNSURE || b == Utf8Characters.UNSURE) return UNSURE;
        if (_isWhite(b)) {
            if (_isWhite(a)) return _betweenBlanks(table, pattern, text, left, right);
            // Signs take the ends of lines behind them along, but not in GPT-2's pattern.
            bool isTaken = a == Utf8Characters.SIGN && b == Utf8Characters.LINE;
            return isTaken && !_isGpt2(pattern) ? INSIDE : CUT;
        }
        if (_isWhite(a)) return _behindBlank(pattern, a, b);
        if (a == Utf8Characters.SIGN && b == Utf8Characters.LETTER) {
            return _behindSign(table, pattern, text, left, border);
        }
        if (a != b) return CUT;
        if (a == Utf8Characters.LETTER) return _betweenLetters(table, pattern, text, border);
        return a == Utf8Characters.NUMBER ? _betweenNumbers(table, pattern, text, left) : INSIDE;
    }

    /// @dev A space goes with what follows it; in the other patterns not with numbers, and other blanks with letters.
    function _behindBlank(uint256 pattern, uint256 left, uint256 right) private pure returns (uint256) {
        bool isSpace = left == Utf8Characters.SPACE;
        if (_isGpt2(pattern)) return isSpace ? INSIDE : CUT;
        bool isTaken = right == Utf8Characters.LETTER
            ? left != Utf8Characters.LINE
            : right == Utf8Characters.SIGN && isSpace;
        return isTaken ? INSIDE : CUT;
    }

    /// @dev Of a run of blanks the last one is left to what follows it, unless the text ends. The other patterns end one with a
    /// line.
    function _betweenBlanks(
        bytes memory table,
        uint256 pattern,
        bytes calldata text,
        Utf8Characters.Character memory left,
        Utf8Characters.Character memory right
    ) private pure returns (uint256) {
        if (!_isGpt2(pattern)) {
            if (right.kind == Utf8Characters.LINE) return INSIDE;
            if (left.kind == Utf8Characters.LINE) return _behindLine(table, text, left, right);
        }
        uint256 behind = Utf8Characters.starting(table, text, right.end).kind;
        if (_isWhite(behind) || behind == Utf8Characters.END) return INSIDE;
        if (behind == Utf8Characters.LETTER || behind == Utf8Characters.NUMBER) return CUT;
        // A token that no rule makes may begin here, and end the text.
        bool isSure = behind == Utf8Characters.SIGN && pattern != GPT2 && text[right.end] != "<";
        return isSure ? CUT : UNSURE;
    }

    /// @dev A piece ends with a run's last line end, and with those that a sign before the run takes along.
    function _behindLine(
        bytes memory table,
        bytes calldata text,
        Utf8Characters.Character memory left,
        Utf8Characters.Character memory right
    ) private pure returns (uint256) {
        for (uint256 i; right.kind == Utf8Characters.SPACE || right.kind == Utf8Characters.BLANK; i++) {
            if (i == MOST_LOOKED_AT) return UNSURE;
            right = Utf8Characters.starting(table, text, right.end);
        }
        if (right.kind == Utf8Characters.UNSURE) return UNSURE;
        if (right.kind != Utf8Characters.LINE) return CUT;
        for (uint256 i; left.kind == Utf8Characters.LINE; i++) {
            if (i == MOST_LOOKED_AT) return UNSURE;
            left = Utf8Characters.before(table, text, left.from);
        }
        if (left.kind == Utf8Characters.UNSURE) return UNSURE;
        if (left.kind != Utf8Characters.SIGN) return INSIDE;
        return text[left.from] == ">" ? UNSURE : CUT;
    }

    /// @dev A letter behind a sign: a shortening, or in the other patterns any word, if a piece begins with the sign.
    function _behindSign(
        bytes memory table,
        uint256 pattern,
        bytes calldata text,
        Utf8Characters.Character memory sign,
        uint256 border
    ) private pure returns (uint256) {
        bool isTaken = !_isGpt2(pattern) || (text[border - 1] == "'" && _shortening(pattern, text, border) != 0);
        return isTaken ? _ifFirst(table, pattern, text, sign.from, INSIDE, CUT) : CUT;
    }

    /// @dev Letters are one piece, but behind 's, 't, 're, 've, 'm, 'll and 'd, where these begin one.
    function _betweenLetters(bytes memory table, uint256 pattern, bytes calldata text, uint256 border)
        private
        pure
        returns (uint256)
    {
        if (border >= 2 && text[border - 2] == "'" && _shortening(pattern, text, border - 1) == 1) {
            return _ifFirst(table, pattern, text, border - 2, CUT, INSIDE);
        }
        if (border < 3 || text[border - 3] != "'") return INSIDE;
        if (_shortening(pattern, text, border - 2) == 2) {
            return _ifFirst(table, pattern, text, border - 3, CUT, INSIDE);
        }
        // A long s, which some engines take for an s where they ignore case.
        bool isLongS = text[border - 2] == 0xc5 && text[border - 1] == 0xbf;
        return isLongS && !_isGpt2(pattern) ? UNSURE : INSIDE;
    }

    /// @dev Llama 3 counts numbers by threes from the first one of a run, Qwen 2 one by one.
    function _betweenNumbers(
        bytes memory table,
        uint256 pattern,
        bytes calldata text,
        Utf8Characters.Character memory left
    ) private pure returns (uint256) {
        if (_isGpt2(pattern)) return INSIDE;
        if (pattern == QWEN_2) return CUT;
        uint256 count;
        for (; left.kind == Utf8Characters.NUMBER; count++) {
            if (count == MOST_LOOKED_AT) return UNSURE;
            left = Utf8Characters.before(table, text, left.from);
        }
        if (left.kind == Utf8Characters.UNSURE) return UNSURE;
        return count % 3 == 0 ? CUT : INSIDE;
    }

    /// @dev A run whose count is not sure at one border has none that is sure at a later one.
    /// @return The last border before `end` within the run of numbers that this one is within; else this one.
    function _lastOfNumbers(bytes memory table, bytes calldata text, uint256 border, uint256 end)
        private
        pure
        returns (uint256)
    {
        if (Utf8Characters.before(table, text, border).kind != Utf8Characters.NUMBER) return border;
        Utf8Characters.Character memory next = Utf8Characters.starting(table, text, border);
        for (; next.kind == Utf8Characters.NUMBER && next.from < end; next = Utf8Characters.starting(table, text, next.end)) {
            border = next.from;
        }
        return border;
    }

    /// @dev One border where a piece begins with this sign, the other where what is before it takes it along.
    function _ifFirst(
        bytes memory table,
        uint256 pattern,
        bytes calldata text,
        uint256 sign,
        uint256 first,
        uint256 other
    ) private pure returns (uint256) {
        Utf8Characters.Character memory left = Utf8Characters.before(table, text, sign);
        if (left.kind == Utf8Characters.UNSURE) return UNSURE;
        if (left.kind != Utf8Characters.SIGN && left.kind != Utf8Characters.SPACE) return first;
        // Behind a token that no rule makes a text begins.
        return pattern != GPT2 && text[left.from] != ">" ? other : UNSURE;
    }

    /// @return Letters of the shortening that stands here; 0 for none.
    function _shortening(uint256 pattern, bytes calldata text, uint256 from) private pure returns (uint256) {
        // Where case is ignored: only letters become small ones.
        bytes1 small = _isGpt2(pattern) ? bytes1(0x00) : bytes1(0x20);
        bytes1 first = text[from] | small;
        if (first == "s" || first == "t" || first == "m" || first == "d") return 1;
        if (from + 1 == text.length) return 0;
        bytes1 second = text[from + 1] | small;
        bool isTwo = second == "e" ? first == "r" || first == "v" : first == "l" && second == "l";
        return isTwo ? 2 : 0;
    }

    function _isGpt2(uint256 pattern) private pure returns (bool) {
        return pattern == GPT2 || pattern == GPT2_MARKED;
    }

    function _isWhite(uint256 kind) private pure returns (bool) {
        return kind >= Utf8Characters.SPACE && kind <= Utf8Characters.LINE;
    }
}
