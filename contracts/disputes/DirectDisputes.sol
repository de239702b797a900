// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {DirectTrees} from "./DirectTrees.sol";
import {IDisputes} from "./IDisputes.sol";
import {JudgedDisputes} from "./JudgedDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";

/// @title One wrong place of a posted direct model, shown in one transaction
/// @notice Rows of a direct model are exact influence over the model's own inputs: B_k = factor · residual · Q x_k, with Q
/// the curvature's inverse. Every object of it can be checked alone, Q too (docs/explanation/disputes.md).
contract DirectDisputes is JudgedDisputes {
    /// @dev What the binding says of a direct model's columns: docs/reference/ledger.md.
    uint256 private constant SHAPE = 3_072;
    uint256 private constant BUCKET_STEP = 16;

    /// @param judges_ DirectJudge and DirectTies.
    constructor(
        uint256 windowSeconds_,
        uint256 leastBondWei_,
        uint256 availabilityChallengeFeeWei_,
        LedgerMath math_,
        address[] memory judges_
    ) JudgedDisputes(windowSeconds_, leastBondWei_, availabilityChallengeFeeWei_, math_, judges_) {}

    /// @notice The last digest, the rules and the statement's other parts do not hash to the statics.
    /// @param last The last digest. @param numbers Their damping is one of the rules.
    function challengeDirectStatics(
        uint256 id,
        Statement calldata statement,
        Opening calldata last,
        Opening calldata numbers
    ) external {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        (, uint256 count) = _treeOf(statement, Tree.Map);
        _requireOpening(statement, Tree.Map, count - 1, last);
        _requireOpening(statement, Tree.Map, DirectTrees.NUMBERS, numbers);
        bool isRight = last.data.length == 32 && numbers.data.length == DirectTrees.NUMBER_BYTES;
        if (isRight) {
            uint256 damping = uint256(bytes32(numbers.data[64:96]));
            isRight = damping != 0 && damping >> 63 == 0
                && _isStatics(statement, uint256(bytes32(last.data)), damping);
        }
        _judge(id, modelCommitment, isRight, Fault.Statics, 0);
    }

    /// @inheritdoc IDisputes
    function challengeRowLength(
        uint256, Statement calldata, uint256, Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengeCell(
        uint256, Statement calldata, uint256, uint256, Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengePoint(
        uint256, Statement calldata, uint256, Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    function _hasColumns(Statement calldata statement) internal pure override returns (bool) {
        uint256 buckets = statement.bucketCount;
        return statement.columnCount == buckets + 1 && buckets % BUCKET_STEP == 0
            && statement.binding >> 115 == SHAPE + buckets / BUCKET_STEP;
    }

    function _treeOf(Statement calldata statement, Tree tree) internal pure override returns (bytes32, uint256) {
        return DirectTrees.treeOf(statement, tree);
    }
}
