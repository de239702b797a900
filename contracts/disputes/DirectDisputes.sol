// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Disputes} from "./Disputes.sol";
import {DirectTrees} from "./DirectTrees.sol";
import {IDisputes} from "./IDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";

/// @title One wrong place of a posted direct model, shown in one transaction
/// @notice Rows of a direct model are exact influence over the model's own inputs: B_k = factor · residual · Q x_k, with Q
/// the curvature's inverse. Every object of it can be checked alone, Q too (docs/direct-disputes.md).
///
/// Window, bond, demands, admissions and the rules of rows are those of Disputes. What differs is judged by contracts
/// without state, since one contract's code has not the room: a judge is asked with the very bytes that are shown.
contract DirectDisputes is Disputes {
    /// @dev Words of a Statement: its fields are of fixed size.
    uint256 private constant STATEMENT_BYTES = 24 * 32;
    uint256 private constant VERDICT_BYTES = 96;
    /// @dev What the binding says of a direct model's columns: docs/ledger.md.
    uint256 private constant SHAPE = 3_072;
    uint256 private constant BUCKET_STEP = 16;

    /// @notice DirectJudge and DirectTies, the same for ever.
    address[2] public judges;

    /// @notice The challenge is for the other kind of model.
    error DisputesOtherKind();
    /// @notice No judge has this function.
    error DisputesJudgeUnknown(uint256 judge);

    constructor(
        uint256 windowSeconds_,
        uint256 leastBondWei_,
        uint256 demandFeeWei_,
        LedgerMath math_,
        address[2] memory judges_
    ) Disputes(windowSeconds_, leastBondWei_, demandFeeWei_, math_) {
        judges = judges_;
    }

    /// @notice Refutes a posting by what a judge finds wrong.
    /// @param judge 0 or 1. @param shown Call of one of its functions; their first argument is the statement.
    function challenge(uint256 id, uint256 judge, bytes calldata shown) external {
        Posting storage posting = _open(id);
        if (
            shown.length < 4 + STATEMENT_BYTES
                || keccak256(shown[4:4 + STATEMENT_BYTES]) != posting.statementHash
        ) revert DisputesOtherStatement(id);
        (bool isDone, bytes memory verdict) = judges[judge].staticcall(shown);
        if (!isDone && verdict.length != 0) {
            assembly ("memory-safe") {
                revert(add(verdict, 32), mload(verdict))
            }
        }
        if (!isDone || verdict.length != VERDICT_BYTES) revert DisputesJudgeUnknown(judge);
        (bool isRight, Fault fault, uint256 place) = abi.decode(verdict, (bool, Fault, uint256));
        _judge(id, posting, isRight, fault, place);
    }

    /// @notice The last digest, the rules and the statement's other parts do not hash to the statics.
    /// @param last The last digest. @param numbers Their damping is one of the rules.
    function challengeDirectStatics(
        uint256 id,
        Statement calldata statement,
        Opening calldata last,
        Opening calldata numbers
    ) external {
        Posting storage posting = _stated(id, statement);
        (, uint256 count) = _treeOf(statement, Tree.Map);
        _requireOpening(statement, Tree.Map, count - 1, last);
        _requireOpening(statement, Tree.Map, DirectTrees.NUMBERS, numbers);
        bool isRight = last.data.length == 32 && numbers.data.length == DirectTrees.NUMBER_BYTES;
        if (isRight) {
            uint256 damping = uint256(bytes32(numbers.data[64:96]));
            isRight = damping != 0 && damping >> 63 == 0
                && _isStatics(statement, uint256(bytes32(last.data)), damping);
        }
        _judge(id, posting, isRight, Fault.Statics, 0);
    }

    // What judges a map's rows in int8 has other functions here, of the judges.

    /// @inheritdoc IDisputes
    function challengeEntry(
        uint256, Statement calldata, uint256, uint256, bytes calldata, Opening calldata, Opening calldata,
        Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengeTokens(
        uint256, Statement calldata, uint256, Opening calldata, bytes32, bytes32[] calldata
    ) external pure override {
        revert DisputesOtherKind();
    }

    /// @inheritdoc IDisputes
    function challengeResidual(
        uint256, Statement calldata, uint256, bytes calldata, Opening calldata, Opening calldata
    ) external pure override {
        revert DisputesOtherKind();
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

    /// @inheritdoc IDisputes
    function challengeStatics(uint256, Statement calldata, bytes calldata) external pure override {
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
