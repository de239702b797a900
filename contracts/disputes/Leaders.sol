// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {Openings} from "./Openings.sol";

/// @title When a row leads another one, its near-duplicate
/// @notice A near-duplicate's leader is the most similar row before it that leads itself; of two that are as similar, the
/// first one. Similar is who has most of both rows' shingles in common: IDisputes.challengeDuplicate.
library Leaders {
    /// @notice Whether a third row has to be compared, too: the posted leader, where it is neither the row nor the other one.
    /// @dev Reverts where the other one says nothing of the row's leader. @param leader The row's, as posted.
    /// @param othersLeader A leader that is none, or comes later, is challengeFactor's.
    function requireComparable(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 other,
        uint256 leader,
        uint256 othersLeader
    ) internal pure returns (bool hasThird) {
        bool isLeader = other < row && othersLeader == other;
        if (!statement.sharesDuplicates || other == row || (other != leader && !isLeader)) {
            revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Facts, other);
        }
        return leader != row && leader != other;
    }

    /// @notice Seven tenths in common. @param union Shingles that one of both has; 0 where there is nothing to compare.
    function isNear(uint256 common, uint256 union) internal pure returns (bool) {
        return union != 0 && 10 * common >= 7 * union;
    }

    /// @notice Whether one row is more similar than another, known one; shares are compared as fractions.
    /// @param isKnownFirst Whether the known one comes first where both are as similar.
    function isNearer(uint256 common, uint256 union, uint256 knownCommon, uint256 knownUnion, bool isKnownFirst)
        internal
        pure
        returns (bool)
    {
        (uint256 a, uint256 b) = (common * knownUnion, knownCommon * union);
        return a > b || (a == b && !isKnownFirst);
    }

    /// @notice What the places of shingles depend on: all rows that are compared.
    function saltOf(bytes calldata a, bytes calldata b, bytes calldata c) internal pure returns (bytes32) {
        return Openings.node(Openings.node(Openings.leafOf(a), Openings.leafOf(b)), Openings.leafOf(c));
    }
}
