// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title The ledger's hash: Poseidon over BN254's scalar field with circomlib's constants
/// @notice The same rounds as circuits/wasm/poseidon-kernel.ts, in the optimised form of circomlibjs: partial rounds
/// multiply by sparse matrices. A domain tag is the initial value of the capacity element.
library PoseidonHash {
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant FULL_ROUNDS = 8;

    /// @notice How many words of constants a width has, in the order of circuits/wasm/poseidon-tables.ts.
    function tableWords(uint256 width) internal pure returns (uint256) {
        return (FULL_ROUNDS + 1) * width + 2 * width * partialRounds(width) + 2 * width * width;
    }

    /// @dev One byte a width, from 2 on.
    function partialRounds(uint256 width) internal pure returns (uint256) {
        return uint256(0x383938_3c3c3f_403f3c_423c41_463c40_44 >> (8 * (17 - width))) & 0xff;
    }

    /// @notice Permutes `width` words of memory in place: the first is the hash.
    /// @param tables Place of the width's constants in memory. @param state Its elements may be any words.
    function permute(uint256 tables, uint256 width, uint256 state) internal pure {
        uint256 partials = partialRounds(width);
        assembly ("memory-safe") {
            // Σ row_j · state_j. Four products are below 2^256 together.
            function dot(row, at, end) -> sum {
                let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
                for {} lt(add(at, 0x60), end) {} {
                    sum := addmod(
                        sum,
                        add(
                            add(mulmod(mload(row), mload(at), r), mulmod(mload(add(row, 0x20)), mload(add(at, 0x20)), r)),
                            add(
                                mulmod(mload(add(row, 0x40)), mload(add(at, 0x40)), r),
                                mulmod(mload(add(row, 0x60)), mload(add(at, 0x60)), r)
                            )
                        ),
                        r
                    )
                    at := add(at, 0x80)
                    row := add(row, 0x80)
                }
                for {} lt(at, end) {} {
                    sum := addmod(sum, mulmod(mload(row), mload(at), r), r)
                    at := add(at, 0x20)
                    row := add(row, 0x20)
                }
            }
            function fifth(x, constant_) -> y {
                let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
                y := mulmod(x, x, r)
                y := addmod(mulmod(mulmod(y, y, r), x, r), constant_, r)
            }
            function powers(constants, at, end) {
                for {} lt(at, end) {} {
                    mstore(at, fifth(mload(at), mload(constants)))
                    at := add(at, 0x20)
                    constants := add(constants, 0x20)
                }
            }
            // The state becomes matrix · state; behind it lies a place for the products.
            function mix(matrix, at, end) {
                let bytes_ := sub(end, at)
                for { let out := end } lt(out, add(end, bytes_)) { out := add(out, 0x20) } {
                    mstore(out, dot(matrix, at, end))
                    matrix := add(matrix, bytes_)
                }
                mcopy(at, end, bytes_)
            }
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            let bytes_ := shl(5, width)
            // Works on a copy in free memory, which has room for the products behind it.
            let at := mload(0x40)
            let end := add(at, bytes_)
            let constants := tables
            let sparse := add(tables, mul(5, bytes_))
            let after_ := add(sparse, mul(partials, shl(1, bytes_)))
            let dense := add(after_, shl(2, bytes_))
            for { let i := 0 } lt(i, bytes_) { i := add(i, 0x20) } {
                mstore(add(at, i), addmod(mload(add(state, i)), mload(add(constants, i)), r))
            }
            for { let round := 0 } lt(round, 4) { round := add(round, 1) } {
                constants := add(constants, bytes_)
                powers(constants, at, end)
                let matrix := dense
                if eq(round, 3) { matrix := add(dense, mul(width, bytes_)) }
                mix(matrix, at, end)
            }
            for {} lt(sparse, after_) {} {
                let first := fifth(mload(at), mload(sparse))
                mstore(at, first)
                sparse := add(sparse, 0x20)
                let sum := dot(sparse, at, end)
                sparse := add(sparse, bytes_)
                for { let place := add(at, 0x20) } lt(place, end) { place := add(place, 0x20) } {
                    mstore(place, addmod(mload(place), mulmod(first, mload(sparse), r), r))
                    sparse := add(sparse, 0x20)
                }
                mstore(at, sum)
            }
            for { let round := 0 } lt(round, 4) { round := add(round, 1) } {
                powers(after_, at, end)
                after_ := add(after_, bytes_)
                mix(dense, at, end)
            }
            mstore(state, mload(at))
        }
    }
}
