// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Openings} from "../base/Openings.sol";
import {WordBorders} from "./WordBorders.sol";

/// @title Whether tokens are those that a tokenizer makes of a prompt, one or two of them at a time
/// @notice docs/explanation/fault-proofs.md. A vocabulary is a tree with a leaf for each token (Openings): rank 4 | left 4 | right 4 |
/// the bytes that it spells. A token of byte-pair encoding is made of two others, by a rule of this rank; one that no rule
/// makes has the rank 2^32 - 1. One that spells nothing certain has no bytes: no prompt has it.
library PromptTokens {
    /// @dev Of `joining`: every pair is compared, none is; else a pattern cuts pieces, and what WordBorders is sure of is.
    uint256 private constant NONE = 0;
    uint256 private constant ALL = 2;
    uint256 private constant HEAD_BYTES = 12;
    uint256 private constant NO_RULE = type(uint32).max;
    /// @dev Of a vocabulary that any claim is made with: an entry that no transaction has room for could not be opened.
    uint256 internal constant MOST_TOKEN_BYTES = 256;

    struct Vocabulary {
        bytes32 root;
        uint256 size;
    }

    /// @notice A leaf of the vocabulary, and its path.
    struct Entry {
        uint256 token;
        bytes data;
        bytes32[] path;
    }

    /// @dev The entry does not open the vocabulary's root.
    error PromptEntryInvalid(uint256 token);

    /// @notice Whether the lengths are those of so many tokens of the vocabulary, and make up the prompt.
    /// @dev Attack: a token beyond the vocabulary, or one of no bytes or too many, has no leaf that could be shown wrong.
    /// @param lengths Two bytes each. @param size 0 for no vocabulary: then there are none.
    function isWhole(
        bytes calldata prompt,
        bytes calldata lengths,
        bytes calldata tokens,
        uint256 promptCount,
        uint256 size
    ) internal pure returns (bool) {
        if (size == 0) return lengths.length == 0;
        if (lengths.length != 2 * promptCount) return false;
        uint256 total;
        for (uint256 i; i < promptCount; i++) {
            uint256 length = uint16(bytes2(lengths[2 * i:2 * i + 2]));
            if (length == 0 || length > MOST_TOKEN_BYTES || uint32(bytes4(tokens[4 * i:4 * i + 4])) >= size) return false;
            total += length;
        }
        return total == prompt.length;
    }

    /// @notice First byte of this token.
    function offsetOf(bytes calldata lengths, uint256 place) internal pure returns (uint256 offset) {
        for (uint256 i; i < place; i++) offset += uint16(bytes2(lengths[2 * i:2 * i + 2]));
    }

    /// @notice What this token has to spell.
    function partOf(bytes calldata prompt, bytes calldata lengths, uint256 place)
        internal
        pure
        returns (bytes calldata)
    {
        uint256 from = offsetOf(lengths, place);
        return prompt[from:from + uint16(bytes2(lengths[2 * place:2 * place + 2]))];
    }

    /// @dev Parts have at most MOST_TOKEN_BYTES (isWhole): an entry with more bytes spells none of them.
    /// @param entry The token's.
    function spells(Vocabulary memory vocabulary, uint256 token, bytes calldata part, Entry calldata entry)
        internal
        pure
        returns (bool)
    {
        _requireEntry(vocabulary, token, entry);
        return entry.data.length >= HEAD_BYTES && keccak256(entry.data[HEAD_BYTES:]) == keccak256(part);
    }

    /// @notice Whether a token that a rule makes goes on where the tokenizer cuts for certain: rules work within pieces.
    /// @dev What no rule makes may be a token that is taken whole, before any cut. @param entry The token's: it spells its part.
    function spansCut(
        WordBorders borders,
        uint256 joining,
        bytes calldata prompt,
        bytes calldata lengths,
        uint256 place,
        Entry calldata entry
    ) internal pure returns (bool) {
        (uint256 rank,,) = _ruleOf(entry.data);
        if (joining == NONE || joining == ALL || rank == NO_RULE) return false;
        uint256 from = offsetOf(lengths, place);
        return borders.isCutWithin(joining, prompt, from, from + entry.data.length - HEAD_BYTES);
    }

    /// @notice Whether a border between two tokens lies within what the tokenizer encodes as one piece, for certain.
    /// @param border First byte behind the border, at least 1.
    function isInside(WordBorders borders, uint256 joining, bytes calldata prompt, uint256 border)
        internal
        pure
        returns (bool)
    {
        if (joining == NONE || joining == ALL) return joining == ALL;
        return borders.isInside(joining, prompt, border);
    }

    /// @notice Whether a token stands where the prompt is characters of UTF-8, as every prompt is that was typed.
    function areCharacters(WordBorders borders, bytes calldata prompt, bytes calldata lengths, uint256 place)
        internal
        pure
        returns (bool)
    {
        uint256 from = offsetOf(lengths, place);
        return borders.areCharacters(prompt, from, from + uint16(bytes2(lengths[2 * place:2 * place + 2])));
    }

    /// @notice Whether byte-pair encoding joins pieces of two neighbouring tokens before either is whole.
    ///
    /// Rules are applied in the order of their ranks, the leftmost pair first. The left token is made by rules that
    /// are joined to its right end; `left` shows them from the whole token down, until the piece is `joined`'s left one. Each
    /// piece waits for the rule above it. So `joined` comes first if it has a lower rank than the one above the left piece,
    /// and none above that of the right piece: of two pairs by one rule the left one is first.
    /// @param pair The tokens. @param joined A token that is made of both pieces.
    /// @param left From the left token to the rule above its last piece; empty where that is the token itself.
    /// @param right From the right token to the rule above its first piece.
    function areJoined(
        Vocabulary memory vocabulary,
        uint256[2] memory pair,
        Entry calldata joined,
        Entry[] calldata left,
        Entry[] calldata right
    ) internal pure returns (bool) {
        (uint256 leftAbove, uint256 leftPiece) = _descend(vocabulary, pair[0], left, false);
        (uint256 rightAbove, uint256 rightPiece) = _descend(vocabulary, pair[1], right, true);
        _requireEntry(vocabulary, joined.token, joined);
        (uint256 rank, uint256 first, uint256 second) = _ruleOf(joined.data);
        return rank != NO_RULE && first == leftPiece && second == rightPiece && rank < leftAbove && rank <= rightAbove;
    }

    /// @return above Rank of the rule that waits above the piece; NO_RULE for none. @return piece A token.
    function _descend(Vocabulary memory vocabulary, uint256 token, Entry[] calldata rules, bool isFirst)
        private
        pure
        returns (uint256 above, uint256 piece)
    {
        (above, piece) = (NO_RULE, token);
        for (uint256 i; i < rules.length; i++) {
            _requireEntry(vocabulary, piece, rules[i]);
            (uint256 rank, uint256 first, uint256 second) = _ruleOf(rules[i].data);
            if (rank == NO_RULE) revert PromptEntryInvalid(piece);
            (above, piece) = (rank, isFirst ? first : second);
        }
    }

    function _ruleOf(bytes calldata data) private pure returns (uint256 rank, uint256 first, uint256 second) {
        if (data.length < HEAD_BYTES) return (NO_RULE, 0, 0);
        rank = uint32(bytes4(data[:4]));
        first = uint32(bytes4(data[4:8]));
        second = uint32(bytes4(data[8:12]));
    }

    function _requireEntry(Vocabulary memory vocabulary, uint256 token, Entry calldata entry) private pure {
        bool isOpen = entry.token == token
            && Openings.opens(vocabulary.root, vocabulary.size, token, Openings.leafOf(entry.data), entry.path);
        if (!isOpen) revert PromptEntryInvalid(token);
    }
}
