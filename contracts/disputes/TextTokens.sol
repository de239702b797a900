// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./base/IDisputes.sol";
import {PromptTokens} from "./texts/PromptTokens.sol";
import {TextRows} from "./texts/TextRows.sol";
import {TextTrees} from "./texts/TextTrees.sol";
import {Traced} from "./base/Traced.sol";
import {WordBorders} from "./texts/WordBorders.sol";

/// @title Whether a posted row's tokens are those that the tokenizer makes of its text
/// @notice docs/explanation/fault-proofs.md. A judge (ModelCommitments): each function's first argument is the statement, and each answers
/// whether what is shown is right, which fault it would be, and where. challenger/games/rows/text-row-tokens.ts has the same
/// rules; tests hold the two equal.
///
/// A leaf of tokens is 4 bytes how many stand before the first wanted one, and of each token 4, and 2 of how many bytes it
/// spells. A text's are its own, and the first is not wanted. A prompt and its answer are encoded one after the other.
///
/// A row that is no canonical row of texts refutes, whatever its tokens are: an honest owner's model has none, since no
/// training reads one (decodeTextRow). Nobody can bring one into his model commitment: rows are opened under his own root. It is
/// the version's, too, or RowJudge.versionRow refutes. A row longer than TextRows.MOST_BYTES refutes by itself, so here as well.
/// A blank text is no row either, but Unicode's blanks are not known here: its tokens are compared like others.
contract TextTokens {
    /// @dev Of a row, the one that is wanted last included: TraceGame's statements have no more.
    uint256 private constant MOST_TOKENS = 4_096;

    /// @dev What is read of a row and its leaf. @param isWhole Whether the leaf is well-formed; if not, nothing else is said.
    /// @param promptCount Tokens of the first text; of a row with one text, all.
    struct Tokens {
        bool isWhole;
        bytes first;
        bytes second;
        uint256 promptCount;
        uint256 count;
    }

    /// @dev One text of a row, with its own tokens. @param lengths Two bytes each. @param place Of a token in it.
    struct Part {
        bytes text;
        bytes lengths;
        uint256 place;
        uint256 token;
        uint256 next;
    }

    WordBorders private immutable _borders;

    /// @param borders_ That of the contract which settles (LedgerTraces).
    constructor(WordBorders borders_) {
        _borders = borders_;
    }

    /// @notice Whether the leaf has as many tokens as a trace can have, all of the vocabulary, and the lengths make up the
    /// texts: each at least 1.
    function shape(
        IDisputes.Statement calldata statement,
        Traced calldata traced,
        uint256 row,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata tokens
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        Tokens memory given = _open(statement, traced, row, content, tokens);
        return (given.isWhole, IDisputes.Fault.Tokens, row);
    }

    /// @notice Whether a token spells what its text has there, and within a piece where a rule makes it.
    /// @param index Of the token in the leaf. @param entry Its own of the vocabulary.
    function spelling(
        IDisputes.Statement calldata statement,
        Traced calldata traced,
        uint256 row,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata tokens,
        uint256 index,
        PromptTokens.Entry calldata entry
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        Tokens memory given = _open(statement, traced, row, content, tokens);
        if (given.isWhole) {
            (Part memory part,) = _partOf(given, tokens.data, index);
            isRight = this.isSpelled(traced, part.text, part.lengths, part.place, part.token, entry);
        }
        return (isRight, IDisputes.Fault.Tokens, row);
    }

    /// @notice Whether the tokenizer leaves two neighbours of one text apart. @param index Of the first one in the leaf.
    /// @param joined, left, right As PromptTokens.areJoined.
    function join(
        IDisputes.Statement calldata statement,
        Traced calldata traced,
        uint256 row,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata tokens,
        uint256 index,
        PromptTokens.Entry calldata joined,
        PromptTokens.Entry[] calldata left,
        PromptTokens.Entry[] calldata right
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        Tokens memory given = _open(statement, traced, row, content, tokens);
        if (given.isWhole) {
            (Part memory part, bool isLast) = _partOf(given, tokens.data, index);
            // Behind the prompt the answer begins.
            isRight = isLast
                || !this.areJoined(
                    traced, part.text, part.lengths, part.place, [part.token, part.next], joined, left, right
                );
        }
        return (isRight, IDisputes.Fault.Tokens, row);
    }

    // PromptTokens reads texts of calldata, so the contract calls itself with what it has unescaped.

    /// @notice Whether a token is right by itself. @param lengths Of the text's tokens, two bytes each; they make it up.
    function isSpelled(
        Traced calldata traced,
        bytes calldata text,
        bytes calldata lengths,
        uint256 index,
        uint256 token,
        PromptTokens.Entry calldata entry
    ) external view returns (bool) {
        PromptTokens.Vocabulary memory vocabulary = PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize);
        return PromptTokens.spells(vocabulary, token, PromptTokens.partOf(text, lengths, index), entry)
            && !PromptTokens.spansCut(_borders, traced.joining, text, lengths, index, entry);
    }

    /// @notice Whether the tokenizer would have joined a token and the next one. @param pair The two.
    function areJoined(
        Traced calldata traced,
        bytes calldata text,
        bytes calldata lengths,
        uint256 index,
        uint256[2] calldata pair,
        PromptTokens.Entry calldata joined,
        PromptTokens.Entry[] calldata left,
        PromptTokens.Entry[] calldata right
    ) external view returns (bool) {
        PromptTokens.Vocabulary memory vocabulary = PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize);
        return PromptTokens.isInside(_borders, traced.joining, text, PromptTokens.offsetOf(lengths, index + 1))
            && PromptTokens.areJoined(vocabulary, pair, joined, left, right);
    }

    /// @notice What L1 reads of a row's content. For comparing; nothing is judged.
    function readRow(bytes calldata content) external pure returns (TextRows.Row memory) {
        return TextRows.read(content);
    }

    /// @dev Attack: a leaf that no later challenge can be made of: tokens without a leaf in the vocabulary, or without bytes,
    /// texts that they do not make up. Then nothing but its shape is looked at: it refutes.
    function _open(
        IDisputes.Statement calldata statement,
        Traced calldata traced,
        uint256 row,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata tokens
    ) private pure returns (Tokens memory given) {
        TextTrees.requireTraced(statement, traced);
        TextTrees.requireOpening(statement, IDisputes.Tree.Rows, row, content);
        TextTrees.requireOpening(statement, IDisputes.Tree.Tokens, row, tokens);
        bytes calldata leaf = tokens.data;
        if (leaf.length < TextTrees.TOKENS_HEAD_BYTES) return given;
        uint256 count = (leaf.length - TextTrees.TOKENS_HEAD_BYTES) / TextTrees.TOKEN_BYTES;
        uint256 promptCount = uint32(bytes4(leaf[:TextTrees.TOKENS_HEAD_BYTES]));
        bool isList = leaf.length == TextTrees.TOKENS_HEAD_BYTES + TextTrees.TOKEN_BYTES * count && count >= 2
            && count <= MOST_TOKENS && count - 1 < traced.programCount && promptCount >= 1 && promptCount < count;
        if (!isList) return given;
        TextRows.Row memory texts = TextRows.read(content.data);
        if (!texts.isRow || (texts.isText && promptCount != 1)) return given;
        if (texts.isText) promptCount = count;
        given.isWhole = _makeUp(leaf, 0, promptCount, texts.first.length, traced.vocabularySize)
            && _makeUp(leaf, promptCount, count, texts.second.length, traced.vocabularySize);
        (given.first, given.second, given.promptCount, given.count) =
            (texts.first, texts.second, promptCount, count);
    }

    /// @dev Whether these tokens are of the vocabulary, spell a byte at least and MOST_TOKEN_BYTES at most, and as many as the
    /// text has.
    function _makeUp(bytes calldata leaf, uint256 from, uint256 to, uint256 size, uint256 vocabularySize)
        private
        pure
        returns (bool)
    {
        uint256 total;
        for (uint256 i = from; i < to; i++) {
            (uint256 token, uint256 length) = _tokenAt(leaf, i);
            if (token >= vocabularySize || length == 0 || length > PromptTokens.MOST_TOKEN_BYTES) return false;
            unchecked {
                // At most 4,096 of 16 bits.
                total += length;
            }
        }
        return total == size;
    }

    /// @return part The text that the token is of. @return isLast Whether it is the last one of it.
    function _partOf(Tokens memory given, bytes calldata leaf, uint256 index)
        private
        pure
        returns (Part memory part, bool isLast)
    {
        if (index >= given.count) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Tokens, index);
        bool isFirst = index < given.promptCount;
        (uint256 from, uint256 to) = isFirst ? (0, given.promptCount) : (given.promptCount, given.count);
        part.text = isFirst ? given.first : given.second;
        bytes memory lengths = new bytes(2 * (to - from));
        for (uint256 i = from; i < to; i++) {
            (, uint256 length) = _tokenAt(leaf, i);
            assembly ("memory-safe") {
                // Two bytes, within those of `lengths`.
                let target := add(add(lengths, 32), shl(1, sub(i, from)))
                mstore8(target, shr(8, length))
                mstore8(add(target, 1), length)
            }
        }
        part.lengths = lengths;
        part.place = index - from;
        isLast = index + 1 == to;
        (part.token,) = _tokenAt(leaf, index);
        if (!isLast) (part.next,) = _tokenAt(leaf, index + 1);
    }

    /// @dev The leaf's length was compared: the token is one of it. @return length Bytes that it spells.
    function _tokenAt(bytes calldata leaf, uint256 index) private pure returns (uint256 token, uint256 length) {
        uint256 word;
        assembly ("memory-safe") {
            // Behind the head's 4 bytes 6 a token.
            word := shr(208, calldataload(add(leaf.offset, add(4, mul(6, index)))))
        }
        return (word >> 16, word & 0xffff);
    }
}
