// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "../base/IDisputes.sol";
import {Openings} from "../base/Openings.sol";
import {Traced} from "../base/Traced.sol";

/// @title Which leaves a model commitment of a language model has
/// @notice docs/explanation/fault-proofs.md says what each holds. Of a Statement's fields some hold something else than for e-mails:
///
/// | field | here |
/// |---|---|
/// | `bucketCount` | numbers that the map makes of a row; columns of G behind them are 0 |
/// | `decay` | the unit of G, as the bits of a double |
/// | `map` | tree of rows' real features: floats, four bytes each, as their trace ends with them |
/// | `tokens` | tree of rows' tokens: 4 bytes how many stand before the first wanted one; of each token 4, and 2 of how many bytes it spells |
/// | `facts` | factor 8, the row's largest size 8, zeros 8, length 4, leader 4 |
/// | `inputs` | not used |
/// | `weights` | keccak256 of what the statics bind of the trace (Traced); no tree |
library TextTrees {
    uint256 internal constant TOKEN_BYTES = 6;
    uint256 internal constant TOKENS_HEAD_BYTES = 4;

    /// @dev Attack: a data-availability challenge of a leaf that nobody has. A tree that there is not has none: such a data-availability challenge is answered by it.
    function treeOf(IDisputes.Statement calldata statement, IDisputes.Tree tree)
        internal
        pure
        returns (bytes32 root, uint256 count)
    {
        if (tree == IDisputes.Tree.Rows) return (statement.rows, statement.rowCount);
        if (tree == IDisputes.Tree.Tokens) return (statement.tokens, statement.rowCount);
        if (tree == IDisputes.Tree.Facts) return (statement.facts, statement.rowCount);
        if (tree == IDisputes.Tree.Features) return (statement.features, statement.rowCount);
        if (tree == IDisputes.Tree.Map) return (statement.map, statement.rowCount);
        if (tree == IDisputes.Tree.Columns) return (statement.columns, statement.columnCount);
        if (tree == IDisputes.Tree.Points) return (statement.points, Openings.pointLeaves(statement.columnCount));
        return (0, 0);
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

    function requireTraced(IDisputes.Statement calldata statement, Traced calldata traced) internal pure {
        if (keccak256(abi.encode(traced)) != statement.weights) {
            revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Weights, 0);
        }
    }
}
