// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Floats of 32 bits, as IEEE 754 rounds them: to the nearest, ties to even
/// @notice A float is its bits in a uint256. Subnormals, both zeros and infinities are exact. Every NaN is `NAN`.
/// challenger/trace/float-arithmetic.ts has the same in TypeScript; random tests hold the two equal.
library FloatMath {
    uint256 internal constant NAN = 0x7fc00000;
    uint256 internal constant INFINITY = 0x7f800000;
    uint256 internal constant ONE = 0x3f800000;
    uint256 internal constant SIGN = 0x80000000;

    /// @notice `depth` fused multiply-adds in the order of the index. @param a Place in calldata of the first operand's
    /// floats, four bytes each. @param b Of the second's.
    function chain(uint256 start, uint256 a, uint256 b, uint256 depth) internal pure returns (uint256) {
        uint256 left;
        uint256 right;
        assembly ("memory-safe") {
            left := mload(0x40)
            let size := shl(2, depth)
            right := add(left, and(add(size, 63), not(31)))
            calldatacopy(left, a, size)
            calldatacopy(right, b, size)
            mstore(0x40, add(right, and(add(size, 63), not(31))))
        }
        return _chain(start, left, right, depth);
    }

    /// @notice x y + z, rounded once.
    function fused(uint256 x, uint256 y, uint256 z) internal pure returns (uint256) {
        assembly ("memory-safe") {
            mstore(0, shl(224, x))
            mstore(32, shl(224, y))
        }
        return _chain(z, 0, 32, 1);
    }

    /// @dev The same of floats in memory.
    function _chain(uint256 start, uint256 a, uint256 b, uint256 depth) private pure returns (uint256 sum) {
        sum = start;
        assembly ("memory-safe") {
            for { let end := add(a, shl(2, depth)) } lt(a, end) {
                a := add(a, 4)
                b := add(b, 4)
            } {
                let x := shr(224, mload(a))
                let y := shr(224, mload(b))
                let ex := and(shr(23, x), 0xff)
                let ey := and(shr(23, y), 0xff)
                let ez := and(shr(23, sum), 0xff)
                if or(eq(ex, 0xff), or(eq(ey, 0xff), eq(ez, 0xff))) {
                    sum := unusual(x, y, sum)
                    continue
                }
                let m := mul(or(and(x, 0x7fffff), shl(23, gt(ex, 0))), or(and(y, 0x7fffff), shl(23, gt(ey, 0))))
                sum := joined(
                    m,
                    add(add(ex, iszero(ex)), add(ey, iszero(ey))),
                    shr(31, xor(x, y)),
                    or(and(sum, 0x7fffff), shl(23, gt(ez, 0))),
                    add(add(ez, iszero(ez)), 150),
                    shr(31, sum)
                )
            }

            /// m · 2^(e − 300) + n · 2^(f − 300) with the signs s and t. m is below 2^48, n below 2^24.
            function joined(m, e, s, n, f, t) -> r {
                // A distance of 200 puts the smaller one below every bit that rounding looks at.
                switch lt(e, f)
                case 1 {
                    let d := sub(f, e)
                    switch gt(d, 200)
                    case 1 {
                        if n {
                            m := gt(m, 0)
                            e := sub(f, 200)
                            n := shl(200, n)
                        }
                    }
                    default { n := shl(d, n) }
                }
                default {
                    let d := sub(e, f)
                    switch gt(d, 200)
                    case 1 {
                        switch m
                        case 0 { e := f }
                        default {
                            n := gt(n, 0)
                            e := sub(e, 200)
                            m := shl(200, m)
                        }
                    }
                    default {
                        m := shl(d, m)
                        e := f
                    }
                }
                let sum_ := add(add(xor(sub(0, s), m), s), add(xor(sub(0, t), n), t))
                switch sum_
                case 0 {
                    // Two negative zeros make one; whatever else cancels is +0.
                    r := shl(31, and(and(s, t), iszero(or(m, n))))
                }
                default {
                    let negative := shr(255, sum_)
                    r := packed(add(xor(sub(0, negative), sum_), negative), e, negative)
                }
            }

            /// a · 2^(e − 300), rounded. a is not 0.
            function packed(a_, e, negative) -> r {
                let top := sub(255, clz(a_))
                let exponent := sub(add(top, e), 173)
                let drop := sub(top, 23)
                if slt(exponent, 1) {
                    drop := add(drop, sub(1, exponent))
                    exponent := 1
                }
                switch sgt(drop, 0)
                case 1 {
                    // A carry moves the exponent by itself.
                    a_ := shr(drop, add(a_, add(sub(shl(sub(drop, 1), 1), 1), and(shr(drop, a_), 1))))
                }
                default { a_ := shl(sub(0, drop), a_) }
                r := add(shl(23, sub(exponent, 1)), a_)
                if gt(r, 0x7f800000) { r := 0x7f800000 }
                r := or(r, shl(31, negative))
            }

            /// x y + z where one of them is no finite number.
            function unusual(x, y, z) -> r {
                let p := and(x, 0x7fffffff)
                let q := and(y, 0x7fffffff)
                let o := and(z, 0x7fffffff)
                r := 0x7fc00000
                let isNan := or(or(gt(p, 0x7f800000), gt(q, 0x7f800000)), gt(o, 0x7f800000))
                let isInfinite := or(eq(p, 0x7f800000), eq(q, 0x7f800000))
                // Zero times infinity.
                isNan := or(isNan, and(isInfinite, or(iszero(p), iszero(q))))
                if iszero(isNan) {
                    switch isInfinite
                    case 0 { r := z }
                    default {
                        let s := and(xor(x, y), 0x80000000)
                        if or(lt(o, 0x7f800000), eq(and(z, 0x80000000), s)) { r := or(0x7f800000, s) }
                    }
                }
            }
        }
    }

    /// @dev Rounding a product is rounding it with −0 added.
    function times(uint256 x, uint256 y) internal pure returns (uint256) {
        return fused(x, y, SIGN);
    }

    function plus(uint256 x, uint256 y) internal pure returns (uint256) {
        return fused(x, ONE, y);
    }

    function minus(uint256 x, uint256 y) internal pure returns (uint256) {
        return fused(x, ONE, y ^ SIGN);
    }

    function over(uint256 x, uint256 y) internal pure returns (uint256) {
        uint256 p = x & 0x7fffffff;
        uint256 q = y & 0x7fffffff;
        uint256 sign = (x ^ y) & SIGN;
        if (p > INFINITY || q > INFINITY || (p == q && (p == 0 || p == INFINITY))) return NAN;
        if (p == INFINITY || q == 0) return INFINITY | sign;
        if (p == 0 || q == INFINITY) return sign;
        unchecked {
            (uint256 m, uint256 e) = _parts(p);
            (uint256 n, uint256 f) = _parts(q);
            uint256 whole = (m << 64) / n;
            // What is left over is one more bit, below all others.
            whole = 2 * whole + (whole * n == m << 64 ? 0 : 1);
            return sign | _pack(whole, e + 235 - f);
        }
    }

    function root(uint256 x) internal pure returns (uint256) {
        uint256 p = x & 0x7fffffff;
        if (p == 0) return x;
        if (p > INFINITY || x >> 31 == 1) return NAN;
        if (p == INFINITY) return x;
        unchecked {
            (uint256 m, uint256 e) = _parts(p);
            // m · 2^(e − 150) = (m << shift) · 2^(e − 150 − shift), with an even exponent.
            uint256 shift = 60 + (e & 1);
            m <<= shift;
            uint256 low = 1 << ((256 - _leadingZeros(m)) / 2 + 1);
            for (uint256 next = (low + m / low) / 2; next < low; next = (low + m / low) / 2) low = next;
            uint256 whole = 2 * low + (low * low == m ? 0 : 1);
            // (e − 150 − shift) / 2 − 1 + 300
            return _pack(whole, (e + 448 - shift) / 2);
        }
    }

    /// @notice e^x as the engine's polynomial has it (models/kernels/native/src/lane-kernels.h).
    function exponential(uint256 x) internal pure returns (uint256) {
        if (isGreater(0xc2ae0000, x)) x = 0xc2ae0000; // −87
        if (isGreater(x, 0x42b00000)) x = 0x42b00000; // 88
        uint256 n = plus(times(x, 0x3fb8aa3b), 0x4b400000); // · log2 e + 1.5 · 2^23
        if (n == NAN) return NAN;
        uint256 exponent = (n << 23) & 0xffffffff;
        n = minus(n, 0x4b400000);
        uint256 f = minus(x, times(n, 0x3f318000)); // 0.693359375
        f = minus(f, times(n, 0xb95e8083)); // −2.12194440e-4
        uint256 p = plus(times(f, 0x39506967), 0x3ab743ce); // 1.9875691500e-4, 1.3981999507e-3
        p = plus(times(p, f), 0x3c088908); // 8.3334519073e-3
        p = plus(times(p, f), 0x3d2aa9c1); // 4.1665795894e-2
        p = plus(times(p, f), 0x3e2aaaaa); // 1.6666665459e-1
        p = plus(times(p, f), 0x3f000000); // 5.0000001201e-1
        p = plus(plus(times(times(p, f), f), f), ONE);
        return (p + exponent) & 0xffffffff;
    }

    function sigmoid(uint256 x) internal pure returns (uint256) {
        return over(ONE, plus(exponential(x ^ SIGN), ONE));
    }

    /// @notice x > y; false where one is NAN.
    function isGreater(uint256 x, uint256 y) internal pure returns (bool) {
        if (x & 0x7fffffff > INFINITY || y & 0x7fffffff > INFINITY) return false;
        return _order(x) > _order(y);
    }

    /// @notice A whole number below 2^24.
    function fromWhole(uint256 number) internal pure returns (uint256) {
        return number == 0 ? 0 : _pack(number, 300);
    }

    /// @notice Of a finite float the number ±m · 2^(e − 150).
    function partsOf(uint256 x) internal pure returns (uint256 m, uint256 e) {
        return _parts(x & 0x7fffffff);
    }

    /// @dev Grows with the number; both zeros are 0.
    function _order(uint256 x) private pure returns (int256) {
        int256 size = int256(x & 0x7fffffff);
        return x >> 31 == 1 ? -size : size;
    }

    function _parts(uint256 p) private pure returns (uint256 m, uint256 e) {
        e = p >> 23;
        return e == 0 ? (p, 1) : ((p & 0x7fffff) | 0x800000, e);
    }

    /// @dev a · 2^(e − 300), rounded, without a sign. a is not 0; e may be a negative number.
    function _pack(uint256 a, uint256 e) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            let top := sub(255, clz(a))
            let exponent := sub(add(top, e), 173)
            let drop := sub(top, 23)
            if slt(exponent, 1) {
                drop := add(drop, sub(1, exponent))
                exponent := 1
            }
            switch sgt(drop, 0)
            case 1 { a := shr(drop, add(a, add(sub(shl(sub(drop, 1), 1), 1), and(shr(drop, a), 1)))) }
            default { a := shl(sub(0, drop), a) }
            r := add(shl(23, sub(exponent, 1)), a)
            if gt(r, 0x7f800000) { r := 0x7f800000 }
        }
    }

    function _leadingZeros(uint256 x) private pure returns (uint256 zeros) {
        assembly {
            zeros := clz(x)
        }
    }
}
