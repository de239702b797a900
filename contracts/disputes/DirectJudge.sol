// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {DirectArithmetic} from "./base/DirectArithmetic.sol";
import {DirectTrees} from "./base/DirectTrees.sol";
import {IDisputes} from "./base/IDisputes.sol";
import {Openings} from "./base/Openings.sol";
import {RowArithmetic} from "./base/RowArithmetic.sol";

/// @title Whether a place of a posted direct model is right
/// @notice A judge (ModelCommitments), which has compared the statement. Every function says whether the place is right, what
/// it would be called were it wrong, and where it is. Bytes of a wrong length that open a posted root are wrong. Rows are exact
/// influence over the model's own inputs: B_k = factor · residual · Q x_k, with Q the curvature's inverse
/// (docs/explanation/disputes.md).
contract DirectJudge {
    using RowArithmetic for RowArithmetic.Counts;

    int256 private constant ONE = RowArithmetic.ONE;
    uint256 private constant MOST_ROW_BYTES = 16_384;
    /// @dev Ten bits with their sign.
    int256 private constant MOST_ENTRY = 511;
    /// @dev Half a unit of B, and 2^-8 of one.
    int256 private constant ENTRY_TOLERANCE = (1 << 39) + (1 << 32);
    /// @dev 2^-36.
    int256 private constant RESIDUAL_TOLERANCE = 1 << 4;
    /// @dev 2^-38.
    int256 private constant CURVATURE_TOLERANCE = 1 << 2;
    /// @dev 2^-28 of a product, which has 80 bits behind the point.
    int256 private constant INVERSE_TOLERANCE = 1 << 52;
    /// @dev 2^-18.
    int256 private constant OPTIMUM_TOLERANCE = 1 << 22;
    /// @dev Columns of the base, of each class. An entry of 511 is the rows' own peak.
    uint256 private constant BASE_OF_CLASS = 5;
    uint256 private constant MOST_BASE = 510;

    /// @param unit Of B: its entries are real ones times this, over 2^40. @param logitUnit Of the model's own row.
    /// @param damping λ of the inverse, times 2^40. @param base Its strength, in thousandths; 63 bits higher in the leaf.
    /// @param peak Row · W + column of an entry of B of largest size.
    struct Numbers {
        uint256 unit;
        uint256 logitUnit;
        uint256 damping;
        uint256 peak;
        uint256 base;
    }

    /// @notice B[row][column] is not the rounding of what text, weights and the inverse's row make of it.
    function entry(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        bytes calldata weights,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata inverseRow,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata features,
        IDisputes.Opening calldata numbers
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 inputs = DirectTrees.inputs(statement);
        _requireEntry(statement, row, column, features, false);
        Openings.requireWeights(statement, weights);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Rows, row, content);
        DirectTrees.requireOpening(
            statement,
            IDisputes.Tree.Map,
            DirectTrees.INVERSE + (column < statement.bucketCount ? column : statement.bucketCount),
            inverseRow
        );
        DirectTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        isRight = weights.length == 8 * inputs && inverseRow.data.length == 8 * inputs && fact.data.length == Openings.FACT_BYTES
            && features.data.length == 2 * uint256(statement.columnCount) && content.data.length <= MOST_ROW_BYTES;
        Numbers memory given = _numbers(statement, numbers);
        if (isRight) {
            RowArithmetic.Counts memory counted = RowArithmetic.count(content.data, statement.bucketCount);
            // Towards the other class: B speaks for class 0.
            int256 value = -counted.residual(counted.dot(weights)) * counted.dot(inverseRow.data);
            value = (value * int256(uint256(uint64(bytes8(fact.data[0:8]))))) >> 80;
            value = (value * int256(given.unit)) >> 40;
            isRight = _isNear(value, _entry(features.data, column) * ONE, ENTRY_TOLERANCE);
        }
        return (isRight, IDisputes.Fault.Entry, row * statement.columnCount + column);
    }

    /// @notice B[row][column], of the base, is not what lengths and strength make of it: the same for all rows, but that
    /// near-duplicates share it. @param facts All leaves, in their order.
    function base(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        bytes calldata facts,
        IDisputes.Opening calldata features,
        IDisputes.Opening calldata numbers
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        _requireEntry(statement, row, column, features, true);
        Openings.requireFacts(statement, facts);
        isRight = features.data.length == 2 * uint256(statement.columnCount);
        uint256 strength = _numbers(statement, numbers).base;
        if (isRight) {
            place = column - statement.bucketCount;
            uint256 units = DirectArithmetic.baseUnits(facts, statement.bucketCount, strength, MOST_BASE);
            units /= DirectArithmetic.clusterSize(facts, row);
            int256 right = int256(place % BASE_OF_CLASS == 0 ? (units + 2) >> 2 : units);
            isRight = _entry(features.data, column) == (place < BASE_OF_CLASS ? right : -right);
        }
        return (isRight, IDisputes.Fault.Entry, row * statement.columnCount + column);
    }

    /// @notice The row's token list is not its text's.
    function tokens(
        IDisputes.Statement calldata statement,
        uint256 row,
        IDisputes.Opening calldata content,
        bytes32 leaf,
        bytes32[] calldata path
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Rows, row, content);
        DirectTrees.requireLeaf(statement, IDisputes.Tree.Tokens, row, leaf, path);
        bytes memory list = RowArithmetic.count(content.data, statement.bucketCount).list();
        return (keccak256(abi.encodePacked(bytes1(0), list)) == leaf, IDisputes.Fault.Tokens, row);
    }

    /// @notice The row's residual, or that over the root of its terms, is off by more than 2^-36.
    function residual(
        IDisputes.Statement calldata statement,
        uint256 row,
        bytes calldata weights,
        IDisputes.Opening calldata content,
        IDisputes.Opening calldata fact
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        Openings.requireWeights(statement, weights);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Rows, row, content);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        isRight = weights.length == 8 * DirectTrees.inputs(statement) && fact.data.length == Openings.FACT_BYTES;
        if (isRight) {
            RowArithmetic.Counts memory counted = RowArithmetic.count(content.data, statement.bucketCount);
            int256 made = counted.residual(counted.dot(weights));
            isRight = _isNear(_int64(fact.data, 8), made, RESIDUAL_TOLERANCE)
                && _isNear(_int64(fact.data, 16), counted.scale(made), RESIDUAL_TOLERANCE);
        }
        return (isRight, IDisputes.Fault.Residual, row);
    }

    /// @notice The row's length is not the root of its entries' squares, without the base's, rounded down.
    function rowLength(
        IDisputes.Statement calldata statement,
        uint256 row,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata features
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        isRight = fact.data.length == Openings.FACT_BYTES && features.data.length == 2 * uint256(statement.columnCount);
        if (isRight) {
            uint256 squares;
            for (uint256 column; column < statement.columnCount; column++) {
                int256 given = DirectTrees.isBase(statement, column) ? int256(0) : _entry(features.data, column);
                squares += uint256(given * given);
            }
            isRight = uint32(bytes4(fact.data[24:28])) == RowArithmetic.root(squares);
        }
        return (isRight, IDisputes.Fault.RowLength, row);
    }

    /// @notice The row's number of terms is not that of its token list.
    function size(
        IDisputes.Statement calldata statement,
        uint256 row,
        IDisputes.Opening calldata list,
        IDisputes.Opening calldata sizes
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Tokens, row, list);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.SIZES, sizes);
        isRight = sizes.data.length == 2 * uint256(statement.rowCount) && list.data.length % 4 == 0;
        if (isRight) {
            uint256 terms;
            for (uint256 i; i < list.data.length; i += 4) terms += uint16(bytes2(list.data[i + 2:i + 4]));
            isRight = uint16(bytes2(sizes.data[2 * row:2 * row + 2])) == terms;
        }
        return (isRight, IDisputes.Fault.Size, row);
    }

    /// @notice An entry of the curvature is not what the columns of its two inputs make of the residuals.
    /// @param a Row of the curvature, @param b its column; D for the bias. @param facts All leaves, in their order.
    /// @param first Column of the inputs a, @param second of b; not read for the bias.
    function curvature(
        IDisputes.Statement calldata statement,
        uint256 a,
        uint256 b,
        bytes calldata facts,
        IDisputes.Opening calldata sizes,
        IDisputes.Opening calldata first,
        IDisputes.Opening calldata second,
        IDisputes.Opening calldata entries,
        IDisputes.Opening calldata numbers
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 width = DirectTrees.inputs(statement);
        Openings.requireFacts(statement, facts);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.SIZES, sizes);
        _requireCurvature(statement, a, b, entries);
        bool[2] memory isBias = [a == statement.bucketCount, b == statement.bucketCount];
        if (!isBias[0]) DirectTrees.requireOpening(statement, IDisputes.Tree.Inputs, a, first);
        if (!isBias[1]) DirectTrees.requireOpening(statement, IDisputes.Tree.Inputs, b, second);
        isRight = entries.data.length == 8 * width && sizes.data.length == 2 * uint256(statement.rowCount)
            && (isBias[0] || first.data.length % 4 == 0) && (isBias[1] || second.data.length % 4 == 0);
        if (isRight) {
            int256 value;
            (isRight, value) = DirectArithmetic.curvature(
                facts, sizes.data, first.data, second.data, isBias, statement.rowCount
            );
            // In the difference of two classes' weights, of which each is damped: half.
            if (a == b) value += int256(_numbers(statement, numbers).damping >> 1);
            isRight = isRight && _isNear(_int64(entries.data, 8 * b), value, CURVATURE_TOLERANCE);
        }
        return (isRight, IDisputes.Fault.Curvature, a * width + b);
    }

    /// @notice A row of the inverse times a row of the curvature, which is symmetric, is not that of the unit matrix.
    function inverse(
        IDisputes.Statement calldata statement,
        uint256 a,
        uint256 b,
        IDisputes.Opening calldata inverseRow,
        IDisputes.Opening calldata curvatureRow
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 width = DirectTrees.inputs(statement);
        _requireCurvature(statement, b, a, curvatureRow);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.INVERSE + a, inverseRow);
        isRight = inverseRow.data.length == 8 * width && curvatureRow.data.length == 8 * width
            && _isNear(
                DirectArithmetic.product(inverseRow.data, curvatureRow.data, width),
                a == b ? ONE * ONE : int256(0),
                INVERSE_TOLERANCE
            );
        return (isRight, IDisputes.Fault.Inverse, a * width + b);
    }

    /// @notice The model's own row is not that of its weights, at a unit with which its largest entry is 511.
    function logit(
        IDisputes.Statement calldata statement,
        bytes calldata weights,
        IDisputes.Opening calldata features,
        IDisputes.Opening calldata numbers
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 width = statement.columnCount;
        Openings.requireWeights(statement, weights);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Features, statement.rowCount, features);
        isRight = weights.length == 8 * DirectTrees.inputs(statement) && features.data.length == 2 * width;
        int256 unit = int256(_numbers(statement, numbers).logitUnit);
        int256 largest;
        for (uint256 column; isRight && column < width; column++) {
            int256 given = _entry(features.data, column);
            // It has no base, and the bias' weight lies behind those of the terms.
            int256 weight = DirectTrees.isBase(statement, column)
                ? int256(0)
                : _int64(weights, 8 * (column < statement.bucketCount ? column : statement.bucketCount));
            isRight = _isNear((weight * unit) >> 40, given * ONE, ENTRY_TOLERANCE);
            if (given < 0) given = -given;
            if (given > largest) largest = given;
            if (!isRight) place = column;
        }
        return (isRight && largest == MOST_ENTRY, IDisputes.Fault.Logit, place);
    }

    /// @notice No entry of B at the place that the numbers name is as large as entries get, or the numbers are none.
    function peak(
        IDisputes.Statement calldata statement,
        IDisputes.Opening calldata numbers,
        IDisputes.Opening calldata features
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        uint256 width = statement.columnCount;
        Numbers memory given = _numbers(statement, numbers);
        place = given.peak;
        uint256 row = place / width;
        isRight = row < statement.rowCount;
        if (isRight) {
            DirectTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
            isRight = features.data.length == 2 * width;
        }
        if (isRight) {
            int256 found = _entry(features.data, place % width);
            isRight = found == MOST_ENTRY || found == -MOST_ENTRY;
        }
        return (isRight, IDisputes.Fault.Peak, place);
    }

    /// @notice Row's token list and bucket's column agree about how often the one has the other.
    /// @dev Attack: a column that names rows which there are not, so long that `optimum` and `curvature` have no room for it
    /// beside weights and facts.
    function input(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 bucket,
        IDisputes.Opening calldata list,
        IDisputes.Opening calldata column
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Tokens, row, list);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Inputs, bucket, column);
        (bool isList, uint256 inRow) = _countIn(list.data, bucket, statement.bucketCount);
        (bool isColumn, uint256 inColumn) = _countIn(column.data, row, statement.rowCount);
        isRight = isList && isColumn && inRow == inColumn;
        return (isRight, IDisputes.Fault.Input, row * statement.bucketCount + bucket);
    }

    /// @notice The loss's derivative by a weight is within 2^-18 of 0. @param bucket D for the bias. @param column Not read then.
    function optimum(
        IDisputes.Statement calldata statement,
        uint256 bucket,
        bytes calldata weights,
        bytes calldata facts,
        IDisputes.Opening calldata column
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        Openings.requireWeights(statement, weights);
        Openings.requireFacts(statement, facts);
        isRight = weights.length == 8 * DirectTrees.inputs(statement);
        if (isRight) {
            int256 sum;
            if (bucket == statement.bucketCount) {
                for (uint256 row; row < statement.rowCount; row++) sum += _int64(facts, 32 * row + 8);
            } else {
                DirectTrees.requireOpening(statement, IDisputes.Tree.Inputs, bucket, column);
                isRight = column.data.length % 4 == 0;
                for (uint256 from; isRight && from < column.data.length; from += 4) {
                    uint256 row = _pair(column.data, from) >> 16;
                    isRight = row < statement.rowCount;
                    if (isRight) sum += int256(_pair(column.data, from) & 0xffff) * _int64(facts, 32 * row + 16);
                }
            }
            // The logit's weights are the difference of two classes', and each is drawn to 0: half of the decay.
            int256 drawn = (int256(uint256(statement.decay)) * _int64(weights, 8 * bucket)) >> 41;
            isRight = isRight && _isNear(sum / int256(uint256(statement.rowCount)), drawn, OPTIMUM_TOLERANCE);
        }
        return (isRight, IDisputes.Fault.Optimum, bucket);
    }

    /// @dev The count at this key, 0 where there is none.
    /// Attack: pairs that count nothing, or twice, so many that a challenge which reads them all has no gas left.
    /// @return isList Whether these are pairs with ascending keys below the end, and counts above 0.
    function _countIn(bytes calldata pairs, uint256 key, uint256 end)
        private
        pure
        returns (bool isList, uint256 counted)
    {
        isList = pairs.length % 4 == 0;
        uint256 least;
        for (uint256 from; isList && from < pairs.length; from += 4) {
            uint256 pair = _pair(pairs, from);
            isList = pair & 0xffff != 0 && pair >> 16 >= least && pair >> 16 < end;
            least = (pair >> 16) + 1;
            if (pair >> 16 == key) counted = pair & 0xffff;
        }
    }

    function _pair(bytes calldata pairs, uint256 from) private pure returns (uint256) {
        return uint32(bytes4(pairs[from:from + 4]));
    }

    function _requireCurvature(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        IDisputes.Opening calldata entries
    ) private pure {
        uint256 inputs = DirectTrees.inputs(statement);
        if (row >= inputs || column >= inputs) {
            revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Map, row);
        }
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.curvature(statement) + row, entries);
    }

    /// @dev A place of a row of B that its features open, in the base's columns or outside of them.
    function _requireEntry(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        IDisputes.Opening calldata features,
        bool isOfBase
    ) private pure {
        if (
            row >= statement.rowCount || column >= statement.columnCount
                || DirectTrees.isBase(statement, column) != isOfBase
        ) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Features, row);
        DirectTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
    }

    /// @dev Numbers of another length count as zeros: `peak` refutes them.
    function _numbers(IDisputes.Statement calldata statement, IDisputes.Opening calldata opening)
        private
        pure
        returns (Numbers memory numbers)
    {
        DirectTrees.requireOpening(statement, IDisputes.Tree.Map, DirectTrees.NUMBERS, opening);
        if (opening.data.length != DirectTrees.NUMBER_BYTES) {
            numbers.peak = type(uint256).max;
            return numbers;
        }
        (numbers.unit, numbers.logitUnit, numbers.damping, numbers.peak) =
            abi.decode(opening.data, (uint256, uint256, uint256, uint256));
        (numbers.base, numbers.damping) = (numbers.damping >> 63, numbers.damping & type(uint256).max >> 193);
        if ((numbers.unit | numbers.logitUnit) >> 63 != 0 || numbers.base > DirectTrees.MOST_STRENGTH) {
            numbers = Numbers(0, 0, 0, type(uint256).max, 0);
        }
    }

    function _entry(bytes calldata entries, uint256 column) private pure returns (int256) {
        return int16(uint16(bytes2(entries[2 * column:2 * column + 2])));
    }

    function _int64(bytes calldata vector, uint256 place) private pure returns (int256) {
        return int64(uint64(bytes8(vector[place:place + 8])));
    }

    function _isNear(int256 a, int256 b, int256 tolerance) private pure returns (bool) {
        return a - b <= tolerance && b - a <= tolerance;
    }
}
