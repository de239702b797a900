// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./base/IDisputes.sol";
import {Openings} from "./base/Openings.sol";
import {Shingles} from "./texts/Shingles.sol";

/// @title Whether a posted row has the right leader among its near-duplicates
/// @notice A judge (ModelCommitments). A near-duplicate's leader is the most similar row before it that leads itself; of two
/// that are as similar, the first one. Similar is who has most of both rows' shingles in common. Families differ in what they
/// read of a row, and in which rows they compare.
abstract contract LeaderJudge {
    using Shingles for Shingles.Texts;

    /// @notice Where near-duplicates share: whether the row's leader is the most similar one before it, as far as these rows show.
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
        _requireRow(statement, IDisputes.Tree.Rows, row, content);
        _requireRow(statement, IDisputes.Tree.Facts, row, fact);
        _requireRow(statement, IDisputes.Tree.Rows, other, otherContent);
        _requireRow(statement, IDisputes.Tree.Facts, other, otherFact);
        if (fact.data.length == Openings.FACT_BYTES && otherFact.data.length == Openings.FACT_BYTES) {
            uint256 leader = uint32(uint256(bytes32(fact.data)));
            // A leader that is none, or comes later, is RowJudge.factor's: the other one says nothing of the row's then.
            bool isLeading = other < row && uint32(uint256(bytes32(otherFact.data))) == other;
            if (!statement.sharesDuplicates || other == row || (other != leader && !isLeading)) {
                revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Facts, other);
            }
            bool hasThird = leader != row && leader != other;
            if (hasThird) _requireRow(statement, IDisputes.Tree.Rows, leader, leaderContent);
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
        if (!_areComparable(content, other)) return false;
        Shingles.Texts memory texts =
            Shingles.begin(content.length + other.length + known.length, _saltOf(content, other, known));
        _read(texts, content);
        texts.next();
        _read(texts, other);
        (uint256 common, uint256 union) = texts.overlap();
        // Seven tenths in common.
        if (union == 0 || 10 * common < 7 * union) return false;
        if (known.length == 0) return true;
        (uint256 knownCommon, uint256 knownUnion) = (0, 0);
        if (_areComparable(content, known)) {
            texts.next();
            _read(texts, known);
            (knownCommon, knownUnion) = texts.overlap();
        }
        // Shares are compared as fractions.
        (uint256 a, uint256 b) = (common * knownUnion, knownCommon * union);
        return a > b || (a == b && !isKnownFirst);
    }

    /// @notice Shingles that both rows have, and that one has; 0 of 0 where they are not compared. For comparing; nothing is judged.
    function overlap(bytes calldata a, bytes calldata b) external pure returns (uint256 common, uint256 union) {
        if (!_areComparable(a, b)) return (0, 0);
        Shingles.Texts memory texts = Shingles.begin(a.length + b.length, _saltOf(a, b, a[:0]));
        _read(texts, a);
        texts.next();
        _read(texts, b);
        return texts.overlap();
    }

    function _areComparable(bytes calldata a, bytes calldata b) internal pure virtual returns (bool);

    /// @dev Adds what counts of a row to the text that is read.
    function _read(Shingles.Texts memory texts, bytes calldata content) internal pure virtual;

    /// @dev A leaf of `rows` or `facts`, which are the same in every family.
    function _requireRow(
        IDisputes.Statement calldata statement,
        IDisputes.Tree tree,
        uint256 row,
        IDisputes.Opening calldata leaf
    ) private pure {
        bytes32 root = tree == IDisputes.Tree.Rows ? statement.rows : statement.facts;
        Openings.requireOpening(root, statement.rowCount, tree, row, leaf);
    }

    /// @dev What the places of shingles depend on: all rows that are compared.
    function _saltOf(bytes calldata a, bytes calldata b, bytes calldata c) private pure returns (bytes32) {
        return Openings.node(Openings.node(Openings.leafOf(a), Openings.leafOf(b)), Openings.leafOf(c));
    }
}
