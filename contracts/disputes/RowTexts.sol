// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {LeaderJudge} from "./LeaderJudge.sol";
import {RowArithmetic} from "./base/RowArithmetic.sol";
import {Shingles} from "./texts/Shingles.sol";

/// @title What L1 reads in an e-mail's row, and whether its leader is right
/// @notice The same rules as challenger/statements/text-overlap.ts; random tests hold the two equal.
///
/// A row is one line of canonical JSON, as RowArithmetic reads it. Rows of different labels are not compared.
contract RowTexts is LeaderJudge {
    using RowArithmetic for RowArithmetic.Counts;
    using Shingles for Shingles.Texts;

    /// @dev Before a ham's text. A spam's label has one more.
    uint256 private constant HEAD_BYTES = 23;
    uint256 private constant TAIL_BYTES = 2;

    /// @notice What L1 makes of a row: its token list, residual, pull, and map row · x. For comparing; nothing is judged.
    function readRow(bytes calldata content, uint256 bucketCount, bytes calldata weights, bytes calldata mapRow)
        external
        pure
        returns (bytes memory tokens, int256 residual, int256 pull, int256 product)
    {
        RowArithmetic.Counts memory counted = RowArithmetic.count(content, bucketCount);
        tokens = counted.list();
        residual = counted.residual(counted.dot(weights));
        (pull, product) = (counted.scale(residual), counted.dot(mapRow));
    }

    function _areComparable(bytes calldata a, bytes calldata b) internal pure override returns (bool) {
        return _label(a) == _label(b);
    }

    /// @dev The text in the row's JSON, going by its places.
    function _read(Shingles.Texts memory texts, bytes calldata content) internal pure override {
        uint256 head = HEAD_BYTES + _label(content);
        uint256 end = content.length > head + TAIL_BYTES ? content.length - TAIL_BYTES : head;
        texts.add(content, head, end, Shingles.NO_BYTE);
    }

    function _label(bytes calldata content) private pure returns (uint256) {
        return content.length > 10 && content[10] == "s" ? 1 : 0;
    }
}
