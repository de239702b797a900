// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {Openings} from "./Openings.sol";

/// @title Which leaves a model commitment of a direct model has
/// @notice docs/explanation/disputes.md says what each holds. A model of D buckets of terms has W = D + 1 columns, the last for the
/// bias, and with a base BASE more before it. Weights, inverse and curvature have D + 1 numbers either way.
library DirectTrees {
    /// @dev In the map's tree: numbers, sizes, the inverse's rows, the curvature's rows, and all digests in one leaf.
    uint256 internal constant NUMBERS = 0;
    uint256 internal constant SIZES = 1;
    uint256 internal constant INVERSE = 2;
    /// @dev unit, logitUnit, damping, peak: DirectJudge.Numbers.
    uint256 internal constant NUMBER_BYTES = 128;
    uint256 internal constant CHAIN = 15;
    uint256 internal constant GROUP = 64;
    /// @dev Columns of a base, five for each class, and its strength in thousandths at most.
    uint256 internal constant BASE = 10;
    uint256 internal constant MOST_STRENGTH = 1_000;

    /// @notice Buckets of terms, and the bias.
    function inputs(IDisputes.Statement calldata statement) internal pure returns (uint256) {
        return uint256(statement.bucketCount) + 1;
    }

    function hasBase(IDisputes.Statement calldata statement) internal pure returns (bool) {
        return statement.columnCount != inputs(statement);
    }

    function isBase(IDisputes.Statement calldata statement, uint256 column) internal pure returns (bool) {
        return column >= statement.bucketCount && column + 1 < statement.columnCount;
    }

    function curvature(IDisputes.Statement calldata statement) internal pure returns (uint256) {
        return INVERSE + inputs(statement);
    }

    /// @notice The digests' leaf, and how many steps there are of each of the three chains.
    function digests(IDisputes.Statement calldata statement)
        internal
        pure
        returns (uint256 leaf, uint256 ofPoints, uint256 ofGroups, uint256 ofSums)
    {
        uint256 width = statement.columnCount;
        leaf = INVERSE + 2 * inputs(statement);
        ofPoints = (width + CHAIN - 1) / CHAIN;
        ofGroups = (width + GROUP - 1) / GROUP;
        ofSums = (ofGroups + CHAIN - 1) / CHAIN;
    }

    function treeOf(IDisputes.Statement calldata statement, IDisputes.Tree tree)
        internal
        pure
        returns (bytes32 root, uint256 count)
    {
        if (tree == IDisputes.Tree.Rows) return (statement.rows, statement.rowCount);
        if (tree == IDisputes.Tree.Tokens) return (statement.tokens, statement.rowCount);
        if (tree == IDisputes.Tree.Facts) return (statement.facts, statement.rowCount);
        // The model's own row comes last.
        if (tree == IDisputes.Tree.Features) return (statement.features, uint256(statement.rowCount) + 1);
        if (tree == IDisputes.Tree.Inputs) return (statement.inputs, statement.bucketCount);
        if (tree == IDisputes.Tree.Columns) return (statement.columns, statement.columnCount);
        if (tree == IDisputes.Tree.Points) return (statement.points, Openings.pointLeaves(statement.columnCount));
        if (tree == IDisputes.Tree.Map) {
            (uint256 last,,,) = digests(statement);
            return (statement.map, last + 1);
        }
        return (statement.weights, 1);
    }

    function requireLeaf(
        IDisputes.Statement calldata statement,
        IDisputes.Tree tree,
        uint256 index,
        bytes32 hash,
        bytes32[] calldata path
    ) internal pure {
        (bytes32 root, uint256 count) = treeOf(statement, tree);
        Openings.requireLeaf(root, count, tree, index, hash, path);
    }

    function requireOpening(
        IDisputes.Statement calldata statement,
        IDisputes.Tree tree,
        uint256 index,
        IDisputes.Opening calldata leaf
    ) internal pure {
        (bytes32 root, uint256 count) = treeOf(statement, tree);
        Openings.requireOpening(root, count, tree, index, leaf);
    }
}
