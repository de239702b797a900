// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";

/// @title Binary keccak trees over bytes
/// @notice A leaf is keccak256(0 ‖ bytes), a node keccak256(left ‖ right); places behind the last leaf are 0. The depth
/// is that of the leaves' number, so no node passes for a leaf.
library Openings {
    /// @dev Of a row: factor, two numbers of its family, length, leader.
    uint256 internal constant FACT_BYTES = 32;
    // Tags of docs/reference/ledger.md.
    uint256 private constant VERSION_ROW = 33;
    uint256 private constant VERSION_NODE = 34;
    /// @dev Points a leaf has, u and v of each: as many as a hash of their commitment takes up.
    uint256 internal constant LEAF_POINTS = 15;
    uint256 internal constant POINT_BYTES = 64;

    function leafOf(bytes calldata data) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0)
            calldatacopy(add(free, 1), data.offset, data.length)
            leaf := keccak256(free, add(data.length, 1))
        }
    }

    /// @dev A row's leaf is made of its content's SHA-256.
    function rowLeaf(bytes calldata content) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0), sha256(content)));
    }

    /// @notice Whether the path leads from the leaf at this place to the root of a tree of `count` leaves.
    /// @dev Attack: bytes behind the last leaf. Each leaf would open, and no challenge that is shown all of them. So a half
    /// wholly behind it is 0's, whatever the path says: the last leaf opens only where nothing is behind it.
    function opens(bytes32 root, uint256 count, uint256 index, bytes32 leaf, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (index >= count || path.length != depthOf(count)) return false;
        bytes32 empty;
        uint256 last = count - 1;
        for (uint256 level; level < path.length; level++) {
            bytes32 beside = path[level];
            if (index & 1 != 0) leaf = node(beside, leaf);
            else leaf = node(leaf, index < last ? beside : empty);
            empty = node(empty, empty);
            index >>= 1;
            last >>= 1;
        }
        return leaf == root;
    }

    /// @notice Reverts unless these bytes are the leaf, or a row's content, at this place of a tree.
    function requireOpening(
        bytes32 root,
        uint256 count,
        IDisputes.Tree tree,
        uint256 index,
        IDisputes.Opening calldata leaf
    ) internal pure {
        bytes32 hash = tree == IDisputes.Tree.Rows ? rowLeaf(leaf.data) : leafOf(leaf.data);
        requireLeaf(root, count, tree, index, hash, leaf.path);
    }

    function requireLeaf(
        bytes32 root,
        uint256 count,
        IDisputes.Tree tree,
        uint256 index,
        bytes32 hash,
        bytes32[] calldata path
    ) internal pure {
        if (!opens(root, count, index, hash, path)) revert IDisputes.DisputesOpeningInvalid(tree, index);
    }

    /// @notice Reverts unless these are all facts, in their order. A leaf of another length is refuted where it is opened alone.
    function requireFacts(IDisputes.Statement calldata statement, bytes calldata facts) internal pure {
        if (facts.length != FACT_BYTES * uint256(statement.rowCount) || rootOfLeaves(facts, FACT_BYTES) != statement.facts) {
            revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Facts, 0);
        }
    }

    /// @notice Reverts unless the datanet's version has this row at its place.
    /// @param given Hash, contributor, validator. @param path All children, row's level first.
    function requireVersionRow(
        LedgerMath math,
        uint256 rowsRoot,
        uint256 row,
        uint256[3] memory given,
        uint256[8][] calldata path
    ) internal view {
        uint256[] memory inputs = new uint256[](3);
        for (uint256 i; i < 3; i++) inputs[i] = given[i];
        uint256 root = math.rootOf(VERSION_NODE, row, math.hash(VERSION_ROW, inputs), path);
        if (root != rowsRoot) revert IDisputes.DisputesRootMismatch(rowsRoot, root);
    }

    function requireWeights(IDisputes.Statement calldata statement, bytes calldata weights) internal pure {
        if (leafOf(weights) != statement.weights) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Weights, 0);
    }

    /// @notice How many leaves the points of so many columns fill.
    function pointLeaves(uint256 columnCount) internal pure returns (uint256) {
        return (columnCount + LEAF_POINTS - 1) / LEAF_POINTS;
    }

    /// @notice A column's point in its leaf. @return isLeaf Whether the leaf has its length.
    function pointIn(bytes calldata leaf, uint256 column, uint256 columnCount)
        internal
        pure
        returns (bool isLeaf, uint256 u, uint256 v)
    {
        uint256 left = columnCount - column + column % LEAF_POINTS;
        isLeaf = leaf.length == POINT_BYTES * (left < LEAF_POINTS ? left : LEAF_POINTS);
        uint256 from = POINT_BYTES * (column % LEAF_POINTS);
        if (isLeaf) (u, v) = abi.decode(leaf[from:from + POINT_BYTES], (uint256, uint256));
    }

    /// @notice Root over leaves of so many bytes each, the last one of what is left, that lie one after another.
    function rootOfLeaves(bytes calldata leaves, uint256 size) internal pure returns (bytes32) {
        uint256 count = (leaves.length + size - 1) / size;
        uint256 width = 1 << depthOf(count);
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i; i < count; i++) {
            uint256 end = size * (i + 1);
            nodes[i] = leafOf(leaves[size * i:end < leaves.length ? end : leaves.length]);
        }
        for (; width > 1; width >>= 1) {
            for (uint256 i; i < width; i += 2) nodes[i >> 1] = node(nodes[i], nodes[i + 1]);
        }
        return nodes[0];
    }

    function depthOf(uint256 count) internal pure returns (uint256 depth) {
        while (1 << depth < count) depth++;
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            hash := keccak256(0, 64)
        }
    }
}
