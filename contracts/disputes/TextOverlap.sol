// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {Leaders} from "./Leaders.sol";
import {Shingles} from "./Shingles.sol";
import {TextRows} from "./TextRows.sol";
import {TextTrees} from "./TextTrees.sol";

/// @title Whether a posted row of texts has the right leader among its near-duplicates
/// @notice docs/explanation/fault-proofs.md. A judge of TextDisputes: the first argument is the statement, the answer whether what is shown
/// is right, which fault it would be, and where. challenger/games/text-row-overlap.ts has the same rules; tests hold the
/// two equal. All of a row's text counts: its text; or its prompt, a new line and its answer. Rows have no labels.
contract TextOverlap {
    using Shingles for Shingles.Texts;

    /// @notice Whether the row's leader is the most similar one before it, as far as these rows show: Disputes.challengeDuplicate.
    /// @param other The posted leader, which is right if it is a near-duplicate; or an earlier leader, with which the posted
    /// one is right if that is none, or less similar. @param leaderContent Of the posted leader, where it is neither the
    /// row nor `other`; else nothing is asked of it.
    function duplicate(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 other,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata otherContent,
        IDisputes.Opening calldata otherFact,
        IDisputes.Opening calldata leaderContent
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Rows, row, content);
        TextTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        TextTrees.requireOpening(statement, IDisputes.Tree.Rows, other, otherContent);
        TextTrees.requireOpening(statement, IDisputes.Tree.Facts, other, otherFact);
        if (fact.data.length == TextTrees.FACT_BYTES && otherFact.data.length == TextTrees.FACT_BYTES) {
            uint256 leader = uint32(uint256(bytes32(fact.data)));
            bool hasThird = Leaders.requireComparable(
                statement, row, other, leader, uint32(uint256(bytes32(otherFact.data)))
            );
            if (hasThird) TextTrees.requireOpening(statement, IDisputes.Tree.Rows, leader, leaderContent);
            bytes calldata known = hasThird ? leaderContent.data : content.data[:0];
            isRight = isLeader(content.data, otherContent.data, known, leader < other) == (other == leader);
        }
        return (isRight, IDisputes.Fault.Duplicate, row);
    }

    /// @notice Whether a row is a near-duplicate of another one, and more similar to it than to the leader that it has.
    /// @param known That leader's content; empty for none. @param isKnownFirst Whether it comes first where both are as similar.
    function isLeader(bytes calldata content, bytes calldata other, bytes calldata known, bool isKnownFirst)
        public
        pure
        returns (bool)
    {
        Shingles.Texts memory texts =
            Shingles.begin(content.length + other.length + known.length, Leaders.saltOf(content, other, known));
        _read(texts, content);
        texts.next();
        _read(texts, other);
        (uint256 common, uint256 union) = texts.overlap();
        if (!Leaders.isNear(common, union)) return false;
        if (known.length == 0) return true;
        texts.next();
        _read(texts, known);
        (uint256 knownCommon, uint256 knownUnion) = texts.overlap();
        return Leaders.isNearer(common, union, knownCommon, knownUnion, isKnownFirst);
    }

    /// @notice Shingles that both rows have, and that one has.
    function overlap(bytes calldata a, bytes calldata b) external pure returns (uint256 common, uint256 union) {
        Shingles.Texts memory texts = Shingles.begin(a.length + b.length, Leaders.saltOf(a, b, a[:0]));
        _read(texts, a);
        texts.next();
        _read(texts, b);
        return texts.overlap();
    }

    /// @dev What is between prompt and answer has words, but not the row's. Of bytes that are no row some text is read: the
    /// owner of such rows loses, whatever it is (TextTokens.shape).
    function _read(Shingles.Texts memory texts, bytes calldata content) private pure {
        uint256 head = TextRows.headOf(content);
        if (content.length < head + TextRows.TAIL_BYTES) return;
        uint256 end = content.length - TextRows.TAIL_BYTES;
        // An unescaped quote is where the text ends, or the prompt.
        uint256 quote = texts.add(content, head, end, uint8(bytes1('"')));
        if (quote + TextRows.MIDDLE_BYTES < end) {
            texts.add(content, quote + TextRows.MIDDLE_BYTES, end, Shingles.NO_BYTE);
        }
    }
}
