// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RowArithmetic} from "./RowArithmetic.sol";

/// @title What a direct model makes of its rows, in integers
/// @notice The same rules as challenger/statements/direct-arithmetic.ts; random tests hold the two equal. Fixed point
/// is that of RowArithmetic.
library DirectArithmetic {
    /// @notice Σ_c a_c b_c of two vectors of big-endian int64, times 2^80. @param count How many numbers each has.
    function product(bytes calldata a, bytes calldata b, uint256 count) internal pure returns (int256 sum) {
        assembly ("memory-safe") {
            let gap := sub(b.offset, a.offset)
            for { let at := a.offset let end := add(at, shl(3, count)) } lt(at, end) { at := add(at, 8) } {
                let left := signextend(7, shr(192, calldataload(at)))
                sum := add(sum, mul(left, signextend(7, shr(192, calldataload(add(at, gap))))))
            }
        }
    }

    /// @notice What a row weighs in the curvature, times 2^56: p (1 - p) over its number of terms, over that number's root
    /// where one of the two inputs is the bias, and as it is where both are.
    /// @param residual y - p, times 2^40. @param biases How many of the two inputs are the bias.
    function weightOf(int256 residual, uint256 terms, uint256 biases) internal pure returns (int256) {
        int256 size = residual < 0 ? -residual : residual;
        int256 spread = size * (RowArithmetic.ONE - size);
        if (biases == 2) return spread / (1 << 24);
        if (terms == 0) return 0;
        if (biases == 0) return spread / int256(terms) / (1 << 24);
        return spread * (1 << 48) / int256(RowArithmetic.root(terms << 96)) / (1 << 24);
    }

    /// @notice The curvature's entry, times 2^40: the rows' mean, and half of the decay on the diagonal.
    /// @param facts 32 bytes a row, the residual at 8. @param sizes Terms of each row, two bytes each.
    /// @param first Row and count, two bytes each; read where the first input is not the bias.
    /// @return isRead Whether the columns name rows that there are.
    function curvature(
        bytes calldata facts,
        bytes calldata sizes,
        bytes calldata first,
        bytes calldata second,
        bool[2] memory isBias,
        uint256 rowCount
    ) internal pure returns (bool isRead, int256 mean) {
        uint256[] memory counts = new uint256[](rowCount);
        for (uint256 place; place < (isBias[0] ? rowCount : first.length / 4); place++) {
            (uint256 row, uint256 count) = isBias[0] ? (place, 1) : _pair(first, place);
            if (row >= rowCount) return (false, 0);
            counts[row] += count;
        }
        uint256 biases = (isBias[0] ? 1 : 0) + (isBias[1] ? 1 : 0);
        for (uint256 place; place < (isBias[1] ? rowCount : second.length / 4); place++) {
            (uint256 row, uint256 count) = isBias[1] ? (place, 1) : _pair(second, place);
            if (row >= rowCount) return (false, 0);
            if (counts[row] == 0) continue;
            int256 residual = int64(uint64(bytes8(facts[32 * row + 8:32 * row + 16])));
            uint256 terms = uint16(bytes2(sizes[2 * row:2 * row + 2]));
            mean += weightOf(residual, terms, biases) * int256(counts[row] * count);
        }
        return (true, mean / int256(rowCount) / (1 << 16));
    }

    /// @notice The base of a row that shares with none, in quarters of a unit of B: the rows' mean length over the root of the number of
    /// buckets, times the strength in thousandths. @param facts 32 bytes a row, the length at 24. @param most It is no more.
    function baseUnits(bytes calldata facts, uint256 buckets, uint256 strength, uint256 most)
        internal
        pure
        returns (uint256 units)
    {
        uint256 total;
        for (uint256 from; from < facts.length; from += 32) total += _word(facts, from) >> 32 & type(uint32).max;
        units = 64 * strength * total / (1_000 * (facts.length / 32) * RowArithmetic.root(256 * buckets));
        if (units > most) units = most;
    }

    /// @notice How many rows have the row's leader.
    function clusterSize(bytes calldata facts, uint256 row) internal pure returns (uint256 size) {
        uint256 leader = uint32(_word(facts, 32 * row));
        for (uint256 from; from < facts.length; from += 32) if (uint32(_word(facts, from)) == leader) size++;
    }

    function _word(bytes calldata facts, uint256 from) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(facts.offset, from))
        }
    }

    function _pair(bytes calldata pairs, uint256 place) private pure returns (uint256 row, uint256 count) {
        uint256 pair = uint32(bytes4(pairs[4 * place:4 * place + 4]));
        return (pair >> 16, pair & 0xffff);
    }
}
