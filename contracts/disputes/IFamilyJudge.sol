// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./base/IDisputes.sol";

/// @title What a family's first judge says of its statements, besides the places that it judges
interface IFamilyJudge {
    /// @notice Which rules the family's judges have: software of other rules cannot tell what they refute.
    function rules() external view returns (bytes32);

    /// @notice Whether the sizes are some that the judges can speak of.
    function hasSizes(IDisputes.Statement calldata statement) external pure returns (bool);

    /// @notice Root of a tree and how many leaves it has.
    function treeOf(IDisputes.Statement calldata statement, IDisputes.Tree tree)
        external
        pure
        returns (bytes32 root, uint256 count);

    /// @notice Leaves that are shown with the model commitment: what the others follow from.
    function postedLeaves(IDisputes.Statement calldata statement)
        external
        pure
        returns (IDisputes.LeafPlace[] memory places);

    /// @notice Whether the statement's statics are those of a model of the family. @param columns Commitment to the model's
    /// columns. @param damping λ of a direct model's inverse, times 2^40, and above its 63 bits the base's strength
    /// in thousandths; 0 for others.
    function isStatics(IDisputes.Statement calldata statement, uint256 columns, uint256 damping)
        external
        view
        returns (bool);
}
