// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {FloatMath} from "./base/FloatMath.sol";
import {IDisputes} from "./base/IDisputes.sol";
import {IFamilyJudge} from "./IFamilyJudge.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {Openings} from "./base/Openings.sol";
import {PoseidonHash} from "./base/PoseidonHash.sol";
import {RowArithmetic} from "./base/RowArithmetic.sol";
import {TextTrees} from "./texts/TextTrees.sol";
import {Traced} from "./base/Traced.sol";

/// @title What G of a language model has to be, given its rows' real features
/// @notice docs/explanation/fault-proofs.md. A judge (ModelCommitments): each function's first argument is the statement, and each answers
/// whether what is shown is right, which fault it would be, and where. That the real features are those of the rows takes
/// a game: LedgerTraces. Bytes of a wrong length that open a posted root are the owner's fault.
/// challenger/games/rows/text-faults.ts has the same rules; tests hold the two equal.
contract TextJudge is IFamilyJudge {
    /// @inheritdoc IFamilyJudge
    bytes32 public constant rules = keccak256("OpenLedger language models, 1");
    uint256 private constant MOST_COLUMNS = 320;
    /// @dev Each row's features are words of eight floats.
    uint256 private constant WORD_FLOATS = 8;
    // Tag of docs/reference/ledger.md.
    uint256 private constant TRACED = 22;
    /// @dev Largest size of an entry of G.
    uint256 private constant MOST_ENTRY = 127;
    /// @dev Half a unit of G, and 2^-20 of one for another machine's doubles: times 2^20.
    int256 private constant TOLERANCE = (1 << 19) + 1;
    /// @dev Beyond so many powers of two a number is larger than all entries, or less than any tolerance.
    int256 private constant MOST_SHIFT = 150;

    LedgerMath private immutable _math;

    constructor(LedgerMath math_) {
        _math = math_;
    }

    /// @inheritdoc IFamilyJudge
    /// @dev Attack: a unit that is no positive double is no unit of anything.
    function hasSizes(IDisputes.Statement calldata statement) external pure returns (bool) {
        uint256 columnCount = statement.columnCount;
        uint256 exponent = statement.decay >> 52;
        return columnCount != 0 && columnCount <= MOST_COLUMNS && statement.binding >> 115 == columnCount
            && statement.bucketCount <= columnCount && statement.bucketCount % WORD_FLOATS == 0 && exponent != 0
            && exponent < 0x7ff;
    }

    /// @inheritdoc IFamilyJudge
    function treeOf(IDisputes.Statement calldata statement, IDisputes.Tree tree)
        external
        pure
        returns (bytes32 root, uint256 count)
    {
        return TextTrees.treeOf(statement, tree);
    }

    /// @inheritdoc IFamilyJudge
    /// @dev Attack: rows posted for another kind of model, whose activation asks for less.
    function isStatics(IDisputes.Statement calldata statement, uint256 columns, uint256 damping)
        public
        view
        returns (bool)
    {
        return damping == 0
            && statement.staticsHash
                == _math.markedStatics(
                    TRACED,
                    columns,
                    statement.answering,
                    uint256(statement.weights) % PoseidonHash.R,
                    [statement.ownersCommitment, statement.payeeRoot, statement.binding, statement.split]
                );
    }

    /// @inheritdoc IFamilyJudge
    /// @dev All points: the statics are shown wrong with them.
    function postedLeaves(IDisputes.Statement calldata statement)
        external
        pure
        returns (IDisputes.LeafPlace[] memory places)
    {
        places = new IDisputes.LeafPlace[](Openings.pointLeaves(statement.columnCount));
        for (uint256 i; i < places.length; i++) places[i] = IDisputes.LeafPlace(IDisputes.Tree.Points, i);
    }

    /// @notice Whether an entry of G is the rounding of a value within 2^-20 of factor · number / unit; behind the numbers 0.
    function entry(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        IDisputes.Opening calldata numbers,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata features
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Map, row, numbers);
        TextTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        TextTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        uint256 columnCount = statement.columnCount;
        isRight = column < columnCount && features.data.length == columnCount
            && numbers.data.length == 4 * uint256(statement.bucketCount) && fact.data.length == Openings.FACT_BYTES;
        if (column >= columnCount) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Columns, column);
        if (isRight) {
            int256 given = int8(uint8(features.data[column]));
            if (column >= statement.bucketCount) {
                isRight = given == 0;
            } else {
                uint256 number = uint32(bytes4(numbers.data[4 * column:4 * column + 4]));
                isRight = isEntry(number, uint64(bytes8(fact.data[:8])), statement.decay, given);
            }
        }
        return (isRight, IDisputes.Fault.Entry, row * columnCount + column);
    }

    /// @notice Whether a row's length is the root of its entries' squares, rounded down.
    function rowLength(
        IDisputes.Statement calldata statement,
        uint256 row,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata features
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        TextTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        isRight = fact.data.length == Openings.FACT_BYTES && features.data.length == statement.columnCount;
        if (isRight) {
            uint256 squares;
            for (uint256 i; i < features.data.length; i++) {
                int256 given = int8(uint8(features.data[i]));
                squares += uint256(given * given);
            }
            isRight = uint32(bytes4(fact.data[24:28])) == RowArithmetic.root(squares);
        }
        return (isRight, IDisputes.Fault.RowLength, row);
    }

    /// @notice Whether row and column of G agree about the entry where they cross, and the column has N entries.
    function cell(
        IDisputes.Statement calldata statement,
        uint256 row,
        uint256 column,
        IDisputes.Opening calldata features,
        IDisputes.Opening calldata entries
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        TextTrees.requireOpening(statement, IDisputes.Tree.Columns, column, entries);
        isRight = features.data.length == statement.columnCount && entries.data.length == statement.rowCount
            && features.data[column] == entries.data[row];
        return (isRight, IDisputes.Fault.Cell, row * statement.columnCount + column);
    }

    /// @notice Whether the column's commitment is that of its entries, and a point in canonical form.
    function point(
        IDisputes.Statement calldata statement,
        uint256 column,
        IDisputes.Opening calldata entries,
        IDisputes.Opening calldata shown
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Columns, column, entries);
        TextTrees.requireOpening(statement, IDisputes.Tree.Points, column / Openings.LEAF_POINTS, shown);
        (bool isLeaf, uint256 u, uint256 v) = Openings.pointIn(shown.data, column, statement.columnCount);
        isRight = isLeaf && entries.data.length == statement.rowCount && u < PoseidonHash.R && v < PoseidonHash.R
            && _math.isColumn(entries.data, u, v);
        return (isRight, IDisputes.Fault.Point, column);
    }

    /// @notice Whether a fact has the largest size of its row's entries, and nothing where e-mails have a pull.
    function peak(
        IDisputes.Statement calldata statement,
        uint256 row,
        IDisputes.Opening calldata fact,
        IDisputes.Opening calldata features
    ) external pure returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        TextTrees.requireOpening(statement, IDisputes.Tree.Facts, row, fact);
        TextTrees.requireOpening(statement, IDisputes.Tree.Features, row, features);
        isRight = fact.data.length == Openings.FACT_BYTES && features.data.length == statement.columnCount;
        if (isRight) {
            uint256 largest;
            for (uint256 i; i < features.data.length; i++) {
                int256 given = int8(uint8(features.data[i]));
                uint256 size = uint256(given < 0 ? -given : given);
                if (size > largest) largest = size;
            }
            isRight = uint128(uint256(bytes32(fact.data)) >> 64) == largest << 64;
        }
        return (isRight, IDisputes.Fault.Peak, row);
    }

    /// @notice Whether the unit of G is the least with which no entry saturates: the largest one is 127.
    /// @param facts All leaves, in their order.
    function scale(IDisputes.Statement calldata statement, bytes calldata facts)
        external
        pure
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        Openings.requireFacts(statement, facts);
        uint256 largest;
        for (uint256 from; from < facts.length; from += Openings.FACT_BYTES) {
            uint256 size = uint64(bytes8(facts[from + 8:from + 16]));
            if (size > largest) largest = size;
        }
        return (largest == MOST_ENTRY, IDisputes.Fault.Scale, largest);
    }

    /// @notice Whether points, rules and the statement's other parts make the statics. @param points All leaves, in their
    /// order. @param traced What the statics bind of the trace.
    function statics(IDisputes.Statement calldata statement, bytes calldata points, Traced calldata traced)
        external
        view
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        TextTrees.requireTraced(statement, traced);
        // A leaf of another length is refuted by `point`.
        if (
            points.length != Openings.POINT_BYTES * uint256(statement.columnCount)
                || Openings.rootOfLeaves(points, Openings.POINT_BYTES * Openings.LEAF_POINTS) != statement.points
        ) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Points, 0);
        uint256 promised = 1 | (statement.sharesDuplicates ? 2 : 0) | uint256(statement.clipQuantile) << 8;
        isRight = traced.rules == promised && traced.featureCount == statement.bucketCount
            && isStatics(statement, _math.columnsCommitment(points), 0);
        return (isRight, IDisputes.Fault.Statics, 0);
    }

    /// @notice Whether `given` is the rounding of a value within 2^-20 of number · factor / unit.
    /// @param number Bits of a float. @param factor Times 2^40. @param unit Bits of a double, positive and not subnormal.
    function isEntry(uint256 number, uint256 factor, uint256 unit, int256 given) public pure returns (bool) {
        if ((number & 0x7fffffff) >= FloatMath.INFINITY) return false;
        (uint256 m, uint256 e) = FloatMath.partsOf(number);
        // number = ± m 2^(e - 150), unit = divisor 2^(exponent - 1075): both sides of |value - given| <= tolerance, times 2^20 unit.
        int256 divisor = int256((unit & 0xfffffffffffff) | 1 << 52);
        int256 shift = (int256(e) - 150 - 40) - (int256(unit >> 52) - 1075) + 20;
        int256 value = int256(m * factor);
        if (number >> 31 == 1) value = -value;
        int256 wanted = (given * divisor) << 20;
        int256 room = divisor * TOLERANCE;
        if (shift > MOST_SHIFT) shift = MOST_SHIFT;
        if (shift < -MOST_SHIFT) shift = -MOST_SHIFT;
        // Sizes: value below 2^88, wanted and room below 2^81; none reaches 2^239 by a shift.
        if (shift >= 0) {
            value <<= uint256(shift);
        } else {
            wanted <<= uint256(-shift);
            room <<= uint256(-shift);
        }
        int256 gap = value - wanted;
        return gap <= room && -gap <= room;
    }
}
