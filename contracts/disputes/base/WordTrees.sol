// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Openings} from "./Openings.sol";

/// @title Binary keccak trees whose leaves are words of 32 bytes
/// @notice A node is keccak256(left ‖ right); places behind the last leaf are 0. A tree's depth follows from its number of
/// leaves, which whoever opens it is told by something that is fixed: so no node passes for a leaf.
library WordTrees {
    /// @notice Root of so many neighbouring nodes, a power of two of them. Overwrites them.
    function fold(bytes32[] memory nodes) internal pure returns (bytes32) {
        for (uint256 width = nodes.length; width > 1; width >>= 1) {
            for (uint256 i; i < width; i += 2) nodes[i >> 1] = Openings.node(nodes[i], nodes[i + 1]);
        }
        return nodes[0];
    }

    /// @notice Root that the leaf at this place has with these neighbours.
    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path) internal pure returns (bytes32) {
        for (uint256 level; level < path.length; level++) {
            leaf = (index >> level) & 1 == 0 ? Openings.node(leaf, path[level]) : Openings.node(path[level], leaf);
        }
        return leaf;
    }

    /// @notice Root that neighbouring words have from this place on in a tree of this depth. @param words At least one.
    /// @param beside Nodes left and right of them on the way up, the left one first where both are needed.
    /// @return isWhole false where there are too few or too many of them, or the words leave the tree
    function rootOfRange(bytes calldata words, uint256 first, uint256 depth, bytes32[] calldata beside)
        internal
        pure
        returns (bool isWhole, bytes32 root)
    {
        uint256 count = words.length >> 5;
        if (count == 0 || first + count > 1 << depth) return (false, 0);
        bytes32[] memory nodes = new bytes32[](count + 2);
        assembly ("memory-safe") {
            calldatacopy(add(nodes, 64), words.offset, shl(5, count))
        }
        uint256 used;
        for (; depth > 0; depth--) {
            uint256 from = 1 - (first & 1);
            uint256 right = (first + count) & 1;
            uint256 needed = 1 - from + right;
            if (used + needed > beside.length) return (false, 0);
            if (from == 0) nodes[0] = beside[used++];
            if (right == 1) nodes[count + 1] = beside[used++];
            count = (count + needed) >> 1;
            first >>= 1;
            assembly ("memory-safe") {
                let to := add(nodes, 64)
                let pair := add(add(nodes, 32), shl(5, from))
                for { let end := add(to, shl(5, count)) } lt(to, end) {
                    to := add(to, 32)
                    pair := add(pair, 64)
                } { mstore(to, keccak256(pair, 64)) }
            }
        }
        return (used == beside.length, nodes[1]);
    }
}
