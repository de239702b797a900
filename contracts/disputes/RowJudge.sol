// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./base/IDisputes.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {Openings} from "./base/Openings.sol";
import {PoseidonHash} from "./base/PoseidonHash.sol";
import {RowArithmetic} from "./base/RowArithmetic.sol";

/// @title Whether facts and rows of a committed model are right: what every family has
/// @notice A judge (ModelCommitments): each function's first argument is the statement, and each answers whether what is shown
/// is right, which fault it would be, and where. Bytes of a wrong length that open a posted root are the owner's fault.
contract RowJudge {
    /// @dev A row of this many bytes is shown, read and divided within 2^24 gas (EIP-7825).
    uint256 private constant MOST_ROW_BYTES = 16_384;
    /// @dev Three rows of this many bytes, of words of one letter, are compared with a quarter of that gas to spare.
    uint256 private constant MOST_COMPARED_BYTES = 6_144;
    /// @dev No row is longer than this many average ones.
    uint256 private constant MOST_AVERAGES = 10;
    uint256 private constant ONE = uint256(RowArithmetic.ONE);

    LedgerMath private immutable _math;

    constructor(LedgerMath math_) {
        _math = math_;
    }

    /// @notice No row is longer than ten average ones, or than the clip allows. @param facts All leaves, in their order.
    function lengths(IDisputes.Statement calldata statement, bytes calldata facts)
        external
        pure
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        Openings.requireFacts(statement, facts);
        uint256 total;
        uint256 longest;
        for (uint256 row; row < statement.rowCount; row++) {
            uint256 length = _lengthIn(_factWord(facts, row));
            total += length;
            if (length > longest) longest = length;
        }
        isRight = longest * statement.rowCount <= MOST_AVERAGES * total;
        if (statement.clipLength != 0) {
            isRight = isRight && longest <= statement.clipLength + RowArithmetic.slack(statement.columnCount);
        }
        return (isRight, IDisputes.Fault.Lengths, longest);
    }

    /// @notice A row's factor is one over its cluster's size, or what cuts it to the clip's length.
    function factor(IDisputes.Statement calldata statement, uint256 row, bytes calldata facts)
        external
        pure
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        Openings.requireFacts(statement, facts);
        if (row >= statement.rowCount) revert IDisputes.DisputesOpeningInvalid(IDisputes.Tree.Facts, row);
        uint256 word = _factWord(facts, row);
        uint256 leader = uint32(word);
        uint256 size;
        for (uint256 other; other < statement.rowCount; other++) {
            if (uint32(_factWord(facts, other)) == leader) size++;
        }
        uint256 whole = ONE / size;
        // A leader is the first of its cluster, and leads itself.
        isRight = leader <= row && uint32(_factWord(facts, leader)) == leader && word >> 192 <= whole + 1;
        if (!statement.sharesDuplicates) isRight = isRight && leader == row;
        if ((word >> 192) + 1 < whole) {
            isRight = isRight && statement.clipLength != 0
                && _lengthIn(word) + RowArithmetic.slack(statement.columnCount) >= statement.clipLength;
        }
        return (isRight, IDisputes.Fault.Factor, row);
    }

    /// @notice The clip's length is the quantile of the rows' lengths: it cuts no more rows than are above, and as many are as
    /// long. Off by one row, and by what rounding adds to a row. @param facts All leaves, in their order.
    function clip(IDisputes.Statement calldata statement, bytes calldata facts)
        external
        pure
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        Openings.requireFacts(statement, facts);
        uint256 rowCount = statement.rowCount;
        uint256[] memory sizes = new uint256[](rowCount);
        uint256 beyond;
        for (uint256 row; row < rowCount; row++) {
            uint256 leader = uint32(_factWord(facts, row));
            if (leader < rowCount) sizes[leader]++;
            else beyond++;
        }
        uint256 cut;
        uint256 reached;
        uint256 least = RowArithmetic.slack(statement.columnCount);
        least = statement.clipLength > least ? statement.clipLength - least : 0;
        for (uint256 row; beyond == 0 && row < rowCount; row++) {
            uint256 word = _factWord(facts, row);
            if ((word >> 192) + 1 < ONE / sizes[uint32(word)]) cut++;
            if (_lengthIn(word) >= least) reached++;
        }
        // A quantile is a double that was rounded: 2^-40 of the rows may decide about one row.
        uint256 share = uint256(statement.clipQuantile) * rowCount;
        uint256 kept = (share + ONE - 1 - rowCount) >> 40;
        uint256 mostKept = (share + rowCount + ONE - 1) >> 40;
        isRight = statement.clipLength == 0
            ? statement.clipQuantile >= ONE
            : statement.clipQuantile < ONE && cut + kept <= rowCount && reached + mostKept > rowCount;
        return (isRight && beyond == 0, IDisputes.Fault.Clip, cut);
    }

    /// @notice A row fits into one transaction, and three where near-duplicates share: no other model can be posted.
    /// @dev Attack: long copies of one e-mail, each its own leader, that no transaction has the gas to compare.
    function rowTooLong(IDisputes.Statement calldata statement, uint256 row, IDisputes.Opening calldata content)
        external
        pure
        returns (bool isRight, IDisputes.Fault fault, uint256 place)
    {
        Openings.requireOpening(statement.rows, statement.rowCount, IDisputes.Tree.Rows, row, content);
        uint256 most = statement.sharesDuplicates ? MOST_COMPARED_BYTES : MOST_ROW_BYTES;
        return (content.data.length <= most, IDisputes.Fault.RowTooLong, row);
    }

    /// @notice The posted row is the version's at this place.
    /// @param digest The posted leaf: SHA-256 of the content. @param path Its keccak path.
    /// @param given The version's row: hash, contributor, validator. @param versionPath All children, row's level first.
    function versionRow(
        IDisputes.Statement calldata statement,
        uint256 row,
        bytes32 digest,
        bytes32[] calldata path,
        uint256[3] calldata given,
        uint256[8][] calldata versionPath
    ) external view returns (bool isRight, IDisputes.Fault fault, uint256 place) {
        bytes32 leaf = keccak256(abi.encodePacked(bytes1(0), digest));
        Openings.requireLeaf(statement.rows, statement.rowCount, IDisputes.Tree.Rows, row, leaf, path);
        Openings.requireVersionRow(_math, statement.rowsRoot, row, given, versionPath);
        // Attack: the row's hash + r opens the same leaf.
        isRight = uint256(digest) % PoseidonHash.R == given[0] % PoseidonHash.R;
        return (isRight, IDisputes.Fault.VersionRow, row);
    }

    function _lengthIn(uint256 word) private pure returns (uint256) {
        return uint32(word >> 32);
    }

    /// @dev Its place was compared with the length before.
    function _factWord(bytes calldata facts, uint256 row) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(facts.offset, shl(5, row)))
        }
    }
}
