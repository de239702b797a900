// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {DirectTrees} from "./base/DirectTrees.sol";
import {IDisputes} from "./base/IDisputes.sol";
import {IFamilyJudge} from "./IFamilyJudge.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {Openings} from "./base/Openings.sol";
import {PoseidonHash} from "./base/PoseidonHash.sol";

/// @title Whether a posted direct model is what the ledger has, and what the family is
/// @notice As DirectJudge. A direct model has too many columns for one transaction, so their commitment is posted step by
/// step: each digest is one hash of the one before and of some points.
contract DirectTies is IFamilyJudge {
    /// @inheritdoc IFamilyJudge
    bytes32 public constant rules = keccak256("OpenLedger direct models of e-mails, 2");
    /// @dev What the binding says of a direct model's columns: docs/reference/ledger.md.
    uint256 private constant SHAPE = 3_072;
    uint256 private constant BUCKET_STEP = 16;
    /// @dev λ of 2^-16. Attack: one beside which nobody can compute an inverse, or none that fits an int64.
    uint256 private constant LEAST_DAMPING = 1 << 24;
    /// @dev 2^-11. Attack: one beside which weights with small derivatives are far from the best, and chosen for a row.
    uint256 private constant LEAST_DECAY = 1 << 29;
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
        // The circuit's: terms' and base's.
        uint256 buckets = uint256(statement.bucketCount) + (DirectTrees.hasBase(statement) ? DirectTrees.BASE : 0);
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
        // The base's strength lies above λ. Attack: columns of a base that no card has set, or one without columns.
        uint256 strength = damping >> 63;
        if (strength > DirectTrees.MOST_STRENGTH || (strength != 0) != DirectTrees.hasBase(statement)) return false;
        if (damping & type(uint256).max >> 193 < LEAST_DAMPING || statement.decay < LEAST_DECAY) return false;
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

    /// @inheritdoc IFamilyJudge
    /// @dev What all others follow from, beside rows and facts: weights, the matrix' units, and the digests.
    /// Attack: a false digest among hidden ones, of which nobody knows where the chain breaks.
    function postedLeaves(IDisputes.Statement calldata statement)
        external
        pure
        returns (IDisputes.LeafPlace[] memory places)
    {
        places = new IDisputes.LeafPlace[](3);
        (uint256 digestLeaf,,,) = DirectTrees.digests(statement);
        places[0] = IDisputes.LeafPlace(IDisputes.Tree.Weights, 0);
        places[1] = IDisputes.LeafPlace(IDisputes.Tree.Map, DirectTrees.NUMBERS);
        places[2] = IDisputes.LeafPlace(IDisputes.Tree.Map, digestLeaf);
    }

    /// @notice The last digest, the rules and the statement's other parts hash to the statics.
    /// @param given All digests. @param numbers Their damping is one of the rules.
    function statics(
        IDisputes.Statement calldata statement,
        IDisputes.Opening calldata given,
        IDisputes.Opening calldata numbers
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        (bool isLeaf, uint256[] memory words) = _digests(statement, given);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.NUMBERS, numbers);
        isRight = isLeaf && numbers.data.length == DirectTrees.NUMBER_BYTES
            && isStatics(statement, words[words.length - 1], uint256(bytes32(numbers.data[64:96])));
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
        DirectTrees.requireOpening(statement, IDisputes.Tree.Points, column / Openings.LEAF_POINTS, shown);
        (bool isLeaf, uint256 u, uint256 v) = Openings.pointIn(shown.data, column, statement.columnCount);
        isRight = isLeaf && entries.data.length == 2 * (uint256(statement.rowCount) + 1) && u < R && v < R
            && _math.isWideColumn(entries.data, u, v);
        return (isRight, IDisputes.Fault.Point, column);
    }

    /// @notice A digest is made of the ones before it. @param step Of all three chains. @param given All digests.
    /// @param points Leaves with the points that it takes up; none where it takes up sums.
    function digest(
        IDisputes.Statement calldata statement,
        uint256 step,
        IDisputes.Opening calldata given,
        IDisputes.Opening[] calldata points
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        (uint256 leaf, uint256 ofPoints, uint256 ofGroups, uint256 ofSums) = DirectTrees.digests(statement);
        if (step >= ofPoints + ofGroups + ofSums) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Map, leaf);
        uint256[] memory words;
        (isRight, words) = _digests(statement, given);
        if (!isRight) return (isRight, IDisputes.Fault.Digest, step);
        uint256 start = statement.columnCount;
        // The groups' sums, and the chain over them, begin with what the chain over the points ends with.
        if (step != 0) start = words[step >= ofPoints && step <= ofPoints + ofGroups ? ofPoints - 1 : step - 1];
        uint256 right;
        if (step < ofPoints) {
            uint256[] memory inputs = _points(statement, DirectTrees.CHAIN * step, DirectTrees.CHAIN, false, points);
            inputs[0] = start;
            right = _math.hash(FEATURES, inputs);
        } else if (step < ofPoints + ofGroups) {
            uint256 from = DirectTrees.GROUP * (step - ofPoints);
            uint256[] memory signs = _points(statement, from, DirectTrees.GROUP, true, points);
            for (uint256 i = 1; i < signs.length; i++) right = addmod(mulmod(right, start, R), signs[i], R);
        } else {
            uint256[] memory inputs = new uint256[](DirectTrees.CHAIN + 1);
            uint256 from = DirectTrees.CHAIN * (step - ofPoints - ofGroups);
            inputs[0] = start;
            for (uint256 i; i < DirectTrees.CHAIN && from + i < ofGroups; i++) inputs[i + 1] = words[ofPoints + from + i];
            right = _math.hash(FEATURES, inputs);
        }
        return (words[step] == right, IDisputes.Fault.Digest, step);
    }

    /// @dev Coordinates of the points from a place on, behind an empty first number. Of a hash zeros follow where there are no
    /// more; the others are as many as there are. A leaf of another length is refuted by `point`: its points are 0 here.
    function _points(
        IDisputes.Statement calldata statement,
        uint256 begin,
        uint256 size,
        bool isSign,
        IDisputes.Opening[] calldata leaves
    ) private pure returns (uint256[] memory read) {
        uint256 columnCount = statement.columnCount;
        uint256 count = columnCount - begin < size ? columnCount - begin : size;
        uint256 first = begin / Openings.LEAF_POINTS;
        if (leaves.length != (begin + count - 1) / Openings.LEAF_POINTS - first + 1) {
            revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Points, first);
        }
        for (uint256 i; i < leaves.length; i++) {
            DirectTrees.requireOpening(statement, IDisputes.Tree.Points, first + i, leaves[i]);
        }
        read = new uint256[]((isSign ? count : size) + 1);
        for (uint256 i; i < count; i++) {
            uint256 column = begin + i;
            (, uint256 u, uint256 v) =
                Openings.pointIn(leaves[column / Openings.LEAF_POINTS - first].data, column, columnCount);
            read[i + 1] = isSign ? v : u;
        }
    }

    /// @dev Whether they are as many elements as there are steps.
    function _digests(IDisputes.Statement calldata statement, IDisputes.Opening calldata given)
        private
        pure
        returns (bool isRight, uint256[] memory words)
    {
        (uint256 leaf, uint256 ofPoints, uint256 ofGroups, uint256 ofSums) = DirectTrees.digests(statement);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, leaf, given);
        words = new uint256[](ofPoints + ofGroups + ofSums);
        isRight = given.data.length == 32 * words.length;
        for (uint256 i; isRight && i < words.length; i++) {
            words[i] = uint256(bytes32(given.data[32 * i:32 * i + 32]));
            isRight = words[i] < R;
        }
    }
}
