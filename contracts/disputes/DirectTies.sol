// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {DirectTrees} from "./DirectTrees.sol";
import {IDisputes} from "./IDisputes.sol";
import {IFamilyJudge} from "./IFamilyJudge.sol";
import {LedgerMath} from "./LedgerMath.sol";
import {PoseidonHash} from "./PoseidonHash.sol";

/// @title Whether a posted direct model is what the ledger has, and what the family is
/// @notice As DirectJudge. A direct model has too many columns for one transaction, so their commitment is posted step by
/// step: each digest is one hash of the one before and of some points.
contract DirectTies is IFamilyJudge {
    /// @inheritdoc IFamilyJudge
    bytes32 public constant rules = keccak256("OpenLedger direct models of e-mails, 1");
    /// @dev What the binding says of a direct model's columns: docs/reference/ledger.md.
    uint256 private constant SHAPE = 3_072;
    uint256 private constant BUCKET_STEP = 16;
    // Tag of docs/reference/ledger.md.
    uint256 private constant CHALLENGED = 19;
    uint256 private constant R = PoseidonHash.R;
    uint256 private constant FEATURES = 16;

    LedgerMath private immutable _math;

    constructor(LedgerMath math_) {
        _math = math_;
    }

    /// @inheritdoc IFamilyJudge
    function hasSizes(IDisputes.Statement calldata statement) external pure returns (bool) {
        uint256 buckets = statement.bucketCount;
        return statement.columnCount == buckets + 1 && buckets % BUCKET_STEP == 0
            && statement.binding >> 115 == SHAPE + buckets / BUCKET_STEP;
    }

    /// @inheritdoc IFamilyJudge
    function treeOf(IDisputes.Statement calldata statement, IDisputes.Tree tree)
        external
        pure
        returns (bytes32 root, uint256 count)
    {
        return DirectTrees.treeOf(statement, tree);
    }

    /// @inheritdoc IFamilyJudge
    function isStatics(IDisputes.Statement calldata statement, uint256 columns, uint256 damping)
        public
        view
        returns (bool)
    {
        if (damping == 0 || damping >> 63 != 0) return false;
        uint256 promised = uint256(statement.bucketCount) | uint256(statement.decay) << 16
            | uint256(statement.sharesDuplicates ? 1 : 0) << 80 | uint256(statement.clipQuantile) << 81 | damping << 145;
        return statement.staticsHash
            == _math.markedStatics(
                CHALLENGED,
                columns,
                statement.answering,
                promised,
                [statement.ownersCommitment, statement.payeeRoot, statement.binding, statement.split]
            );
    }

    /// @notice The last digest, the rules and the statement's other parts hash to the statics.
    /// @param last The last digest. @param numbers Their damping is one of the rules.
    function statics(
        IDisputes.Statement calldata statement,
        IDisputes.Opening calldata last,
        IDisputes.Opening calldata numbers
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        (, uint256 count) = DirectTrees.treeOf(statement, IDisputes.Tree.Map);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, count - 1, last);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.NUMBERS, numbers);
        isRight = last.data.length == 32 && numbers.data.length == DirectTrees.NUMBER_BYTES
            && isStatics(statement, uint256(bytes32(last.data)), uint256(bytes32(numbers.data[64:96])));
        return (isRight, IDisputes.Fault.Statics, 0);
    }

    /// @notice Row and column of B differ about the entry where they cross, or the column has not N + 1 entries.
    function cell(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        IDisputes.Opening calldata features,
        IDisputes.Opening calldata entries
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 width = statement.columnCount;
        DirectTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Columns, column, entries);
        isRight = features.data.length == 2 * width
            && entries.data.length == 2 * (uint256(statement.rowCount) + 1)
            && bytes2(features.data[2 * column:2 * column + 2]) == bytes2(entries.data[2 * row:2 * row + 2]);
        return (isRight, IDisputes.Fault.Cell, row * width + column);
    }

    /// @notice The column's commitment is not that of its entries, or no point in canonical form.
    function point(
        IDisputes.Statement calldata statement,
        uint256 column,
        IDisputes.Opening calldata entries,
        IDisputes.Opening calldata shown
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Columns, column, entries);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Points, column, shown);
        isRight = entries.data.length == 2 * (uint256(statement.rowCount) + 1) && shown.data.length == 64;
        if (isRight) {
            (uint256 u, uint256 v) = abi.decode(shown.data, (uint256, uint256));
            isRight = u < R && v < R && _math.isWideColumn(entries.data, u, v);
        }
        return (isRight, IDisputes.Fault.Point, column);
    }

    /// @notice A digest is made of the ones before it. @param step Of all three chains. @param before The digest that it
    /// begins with; not read where that is W. @param values The points, or the sums, that it takes up.
    function digest(
        IDisputes.Statement calldata statement,
        uint256 step,
        IDisputes.Opening calldata given,
        IDisputes.Opening calldata before,
        IDisputes.Opening[] calldata values
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        (uint256 first, uint256 ofPoints, uint256 ofGroups,) = DirectTrees.digests(statement);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, first + step, given);
        bool isGroup = step >= ofPoints && step < ofPoints + ofGroups;
        bool isSum = step >= ofPoints + ofGroups;
        uint256 start = statement.columnCount;
        isRight = true;
        if (step != 0) {
            // The groups' sums, and the chain over them, begin with what the chain over the points ends with.
            uint256 from = isGroup || step == ofPoints + ofGroups ? ofPoints - 1 : step - 1;
            DirectTrees.requireOpening(statement, IDisputes.Tree.Map, first + from, before);
            (isRight, start) = _element(before.data);
        }
        uint256[] memory inputs;
        if (isRight) {
            if (isSum) {
                uint256 begin = DirectTrees.CHAIN * (step - ofPoints - ofGroups);
                (isRight, inputs) = _sums(statement, first + ofPoints, begin, ofGroups, values);
            } else {
                uint256 size = isGroup ? DirectTrees.GROUP : DirectTrees.CHAIN;
                uint256 begin = size * (isGroup ? step - ofPoints : step);
                (isRight, inputs) = _points(statement, begin, size, isGroup ? 32 : 0, values);
            }
        }
        if (isRight) {
            uint256 right;
            if (isGroup) {
                for (uint256 i; i < values.length; i++) right = addmod(mulmod(right, start, R), inputs[i + 1], R);
            } else {
                inputs[0] = start;
                right = _math.hash(FEATURES, inputs);
            }
            isRight = given.data.length == 32 && uint256(bytes32(given.data)) == right;
        }
        return (isRight, IDisputes.Fault.Digest, step);
    }

    /// @dev Coordinates of the points from a place on, behind an empty first number; zeros where there are no more.
    function _points(
        IDisputes.Statement calldata statement,
        uint256 begin,
        uint256 size,
        uint256 coordinate,
        IDisputes.Opening[] calldata points
    ) private pure returns (bool isRight, uint256[] memory read) {
        uint256 count = statement.columnCount - begin < size ? statement.columnCount - begin : size;
        if (points.length != count) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Points, begin);
        (isRight, read) = (true, new uint256[](size + 1));
        for (uint256 i; i < count; i++) {
            DirectTrees.requireOpening(statement, IDisputes.Tree.Points, begin + i, points[i]);
            isRight = isRight && points[i].data.length == 64;
            if (isRight) read[i + 1] = uint256(bytes32(points[i].data[coordinate:coordinate + 32]));
        }
    }

    function _sums(
        IDisputes.Statement calldata statement,
        uint256 first,
        uint256 begin,
        uint256 total,
        IDisputes.Opening[] calldata sums
    ) private pure returns (bool isRight, uint256[] memory read) {
        uint256 count = total - begin < DirectTrees.CHAIN ? total - begin : DirectTrees.CHAIN;
        if (sums.length != count) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Map, first + begin);
        (isRight, read) = (true, new uint256[](DirectTrees.CHAIN + 1));
        for (uint256 i; i < count; i++) {
            DirectTrees.requireOpening(statement, IDisputes.Tree.Map, first + begin + i, sums[i]);
            bool isElement;
            (isElement, read[i + 1]) = _element(sums[i].data);
            isRight = isRight && isElement;
        }
    }

    function _element(bytes calldata data) private pure returns (bool isRight, uint256 value) {
        isRight = data.length == 32;
        if (isRight) value = uint256(bytes32(data));
        isRight = isRight && value < R;
    }
}
