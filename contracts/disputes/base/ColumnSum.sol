// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title H' + Σ entry_k · H_k on BabyJubJub: a column's commitment
/// @notice The same sum as `commitColumns` in circuits/settlement/feature-commitment.ts, on the twisted Edwards form
/// 168700 x² + y² = 1 + 168696 x² y². Its addition has no exceptional case: 168700 is a square, 168696 is none.
library ColumnSum {
    /// @notice Adds each row's generator to the bucket of its entry's size; a bucket counts by its number in the end.
    /// @param points Place in memory of H', H_0, H_1, …: x and y each.
    /// @param width Bytes of an entry: 1 for int8, 2 for ten bits with their sign.
    /// @return isValid No entry is beyond 127, or 511. @return x y z Projective.
    function sum(bytes calldata entries, uint256 points, uint256 width)
        internal
        pure
        returns (bool isValid, uint256 x, uint256 y, uint256 z)
    {
        assembly ("memory-safe") {
            // at += (x, y, 1, x · y), extended coordinates X, Y, Z, T (add-2008-hwcd).
            function addAffine(at, x2, y2) {
                let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
                let x1 := mload(at)
                let y1 := mload(add(at, 0x20))
                let z1 := mload(add(at, 0x40))
                let a := mulmod(x1, x2, r)
                let b := mulmod(y1, y2, r)
                let c := mulmod(mload(add(at, 0x60)), mulmod(168696, mulmod(x2, y2, r), r), r)
                finish(at, a, b, c, z1, mulmod(add(x1, y1), add(x2, y2), r))
            }
            function addExtended(at, other) {
                let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
                let x1 := mload(at)
                let y1 := mload(add(at, 0x20))
                let x2 := mload(other)
                let y2 := mload(add(other, 0x20))
                let a := mulmod(x1, x2, r)
                let b := mulmod(y1, y2, r)
                let c := mulmod(mload(add(at, 0x60)), mulmod(168696, mload(add(other, 0x60)), r), r)
                let d := mulmod(mload(add(at, 0x40)), mload(add(other, 0x40)), r)
                finish(at, a, b, c, d, mulmod(add(x1, y1), add(x2, y2), r))
            }
            function finish(at, a, b, c, d, cross) {
                let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
                let e := addmod(cross, sub(shl(1, r), add(a, b)), r)
                let f := addmod(d, sub(r, c), r)
                let g := add(d, c)
                let h := addmod(b, sub(r, mulmod(168700, a, r)), r)
                mstore(at, mulmod(e, f, r))
                mstore(add(at, 0x20), mulmod(g, h, r))
                mstore(add(at, 0x40), mulmod(f, g, r))
                mstore(add(at, 0x60), mulmod(e, h, r))
            }
            function neutral(at) {
                mstore(at, 0)
                mstore(add(at, 0x20), 1)
                mstore(add(at, 0x40), 1)
                mstore(add(at, 0x60), 0)
            }
            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001
            isValid := 1
            // Buckets from 0, then the sum from the top, then the total.
            let most := sub(shl(add(5, shl(1, width)), 1), 1)
            let buckets := mload(0x40)
            let running := add(buckets, shl(7, add(most, 1)))
            let total := add(running, 0x80)
            for { let at := buckets } iszero(gt(at, total)) { at := add(at, 0x80) } { neutral(at) }
            addAffine(total, mload(points), mload(add(points, 0x20)))
            for { let k := 0 } lt(k, entries.length) { k := add(k, width) } {
                points := add(points, 0x40)
                let entry := sar(sub(256, shl(3, width)), calldataload(add(entries.offset, k)))
                let px := mload(points)
                if slt(entry, 0) {
                    entry := sub(0, entry)
                    px := sub(r, px)
                }
                if gt(entry, most) {
                    isValid := 0
                    break
                }
                if entry { addAffine(add(buckets, shl(7, entry)), px, mload(add(points, 0x20))) }
            }
            for { let at := sub(running, 0x80) } gt(at, buckets) { at := sub(at, 0x80) } {
                addExtended(running, at)
                addExtended(total, running)
            }
            x := mload(total)
            y := mload(add(total, 0x20))
            z := mload(add(total, 0x40))
        }
    }
}
