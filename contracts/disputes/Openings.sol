// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";

/// @title Binary keccak trees over bytes
/// @notice A leaf is keccak256(0 ‖ bytes), a node keccak256(left ‖ right); places behind the last leaf are 0. The depth
/// is that of the leaves' number, so no node passes for a leaf.
library Openings {
    /// @dev Of a row: factor, two numbers of its family, length, leader.
    uint256 internal constant FACT_BYTES = 32;

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

    function requireWeights(IDisputes.Statement calldata statement, bytes calldata weights) internal pure {
        if (leafOf(weights) != statement.weights) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Weights, 0);
    }

    /// @notice Root over leaves of so many bytes each that lie one after another.
    function rootOfLeaves(bytes calldata leaves, uint256 size) internal pure returns (bytes32) {
        uint256 count = leaves.length / size;
        uint256 width = 1 << depthOf(count);
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i; i < count; i++) nodes[i] = leafOf(leaves[size * i:size * i + size]);
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
