// Scalar arithmetic in Montgomery form with R = 2^256, which is also snarkjs' form in .zkey files.
// Elements are always below the modulus.
#pragma once
#include <cstring>

#include "kernels/adx-product.h"
#include "modulus.h"

template <class M>
struct Field {
  using E = Words;
  static constexpr Words modulus = M::value;
  static constexpr u64 inverse64 = negativeInverse(modulus.w[0]);
  static constexpr Words one = powerOfTwo(256, modulus);
  static constexpr Words r2 = powerOfTwo(512, modulus);
  static constexpr Words r3 = powerOfTwo(768, modulus);

  static Words zero() { return Words{}; }

  static Words add(const Words& a, const Words& b) {
    Words out;
    bool carry = false;
    for (int i = 0; i < 4; i++) out.w[i] = addCarry(a.w[i], b.w[i], carry);
    return reduceOnce(out);
  }

  static Words sub(const Words& a, const Words& b) {
    Words out;
    bool borrow = false;
    for (int i = 0; i < 4; i++) out.w[i] = subtractBorrow(a.w[i], b.w[i], borrow);
    const u64 mask = 0 - static_cast<u64>(borrow);
    bool carry = false;
    for (int i = 0; i < 4; i++) out.w[i] = addCarry(out.w[i], modulus.w[i] & mask, carry);
    return out;
  }

  static Words neg(const Words& a) { return sub(zero(), a); }

  /**
   * a b / 2^256, operand scanning (Koc, Acar, Kaliski 1996: CIOS). The modulus has two spare bits, so four
   * words and one carry word are enough. The result is below the modulus for a < 2^256 and b < modulus.
   */
  static Words mul(const Words& a, const Words& b) {
#ifdef PROVER_HAS_ADX
    if (hasAdx) {
      Words out;
      adxProduct(a.w, b.w, modulus.w, inverse64, out.w);
      return reduceOnce(out);
    }
#endif
    u64 t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    for (int i = 0; i < 4; i++) {
      const u64 ai = a.w[i];
      u128 s = static_cast<u128>(ai) * b.w[0] + t0;
      const u64 q = static_cast<u64>(s) * inverse64;
      u128 c = static_cast<u128>(q) * modulus.w[0] + static_cast<u64>(s);
      s = static_cast<u128>(ai) * b.w[1] + t1 + static_cast<u64>(s >> 64);
      c = static_cast<u128>(q) * modulus.w[1] + static_cast<u64>(s) + static_cast<u64>(c >> 64);
      t0 = static_cast<u64>(c);
      s = static_cast<u128>(ai) * b.w[2] + t2 + static_cast<u64>(s >> 64);
      c = static_cast<u128>(q) * modulus.w[2] + static_cast<u64>(s) + static_cast<u64>(c >> 64);
      t1 = static_cast<u64>(c);
      s = static_cast<u128>(ai) * b.w[3] + t3 + static_cast<u64>(s >> 64);
      c = static_cast<u128>(q) * modulus.w[3] + static_cast<u64>(s) + static_cast<u64>(c >> 64);
      t2 = static_cast<u64>(c);
      t3 = static_cast<u64>(s >> 64) + static_cast<u64>(c >> 64);
    }
    return reduceOnce(Words{{t0, t1, t2, t3}});
  }

  static Words sqr(const Words& a) { return mul(a, a); }
  static Words toMontgomery(const Words& a) { return mul(a, r2); }
  static Words fromMontgomery(const Words& a) { return mul(a, Words{{1, 0, 0, 0}}); }

  static Words pow(Words base, const Words& exponent) {
    Words out = one;
    for (int bit = 0; bit < 256; bit++) {
      if (exponent.w[bit / 64] >> (bit % 64) & 1) out = mul(out, base);
      base = sqr(base);
    }
    return out;
  }

  /** 1/a, and 0 for 0. */
  static Words inv(const Words& a) { return mul(plainInverse(a), r3); }

  /** a, at most twice the modulus, to below it. */
  static Words reduceOnce(const Words& a) {
    Words out;
    bool borrow = false;
    for (int i = 0; i < 4; i++) out.w[i] = subtractBorrow(a.w[i], modulus.w[i], borrow);
    const u64 keep = 0 - static_cast<u64>(borrow);
    for (int i = 0; i < 4; i++) out.w[i] = (a.w[i] & keep) | (out.w[i] & ~keep);
    return out;
  }

  /**
   * The integer 1/a mod m, and 0 for 0: the binary extended gcd with 31 steps at a time on 64-bit
   * approximations (Pornin, "Optimized Binary GCD for Modular Inversion", 2020, algorithm 2).
   */
  static Words plainInverse(const Words& value) {
    if (isZero(value)) return zero();
    Words a = value, b = modulus, u{{1, 0, 0, 0}}, v{};
    // a loses or b loses a bit in each step; 2 * 254 steps are enough, 17 * 31 = 527. Once a is 0 nothing changes any more.
    for (int round = 0; round < 17 && !isZero(a); round++) {
      u64 x, y;
      approximate(a, b, x, y);
      // f and g of one sum in one word, f + 2^32 g, as signed numbers of at most 2^31.
      u64 first = 1, second = u64{1} << 32;
      for (int i = 0; i < 31; i++) {
        const u64 isOdd = 0 - (x & 1);
        const u64 isSwapped = isOdd & (0 - static_cast<u64>(x < y));
        u64 t = (x ^ y) & isSwapped;
        x ^= t, y ^= t;
        t = (first ^ second) & isSwapped;
        first ^= t, second ^= t;
        x = (x - (y & isOdd)) >> 1;
        first -= second & isOdd;
        second <<= 1;
      }
      i64 f0 = factorOf(first), g0 = secondFactorOf(first), f1 = factorOf(second), g1 = secondFactorOf(second);
      Words nextA = a, nextB = b;
      if (combineExact(a, b, f0, g0, nextA)) f0 = -f0, g0 = -g0;
      if (combineExact(a, b, f1, g1, nextB)) f1 = -f1, g1 = -g1;
      a = nextA, b = nextB;
      const Words nextU = combineModulo(u, v, f0, g0);
      v = combineModulo(u, v, f1, g1);
      u = nextU;
    }
    return v;
  }

 private:
  // Of f + 2^32 g. Both are above -2^31, so that 2^31 - 1 more in each leaves no borrow between them.
  static constexpr u64 factorBias = (u64{1} << 31) - 1;
  static constexpr u64 bothBiases = factorBias << 32 | factorBias;
  static i64 factorOf(u64 both) { return static_cast<i64>((both + bothBiases) & 0xffffffff) - static_cast<i64>(factorBias); }
  static i64 secondFactorOf(u64 both) { return static_cast<i64>((both + bothBiases) >> 32) - static_cast<i64>(factorBias); }

  /** Low 31 bits exact, the top 33 bits of the longer operand's length: 64-bit stand-ins for a and b. */
  static void approximate(const Words& a, const Words& b, u64& x, u64& y) {
    int top = 3;
    while (top > 0 && (a.w[top] | b.w[top]) == 0) top--;
    if (top == 0) {
      x = a.w[0], y = b.w[0];
      return;
    }
    const int shift = __builtin_clzll(a.w[top] | b.w[top]);
    const auto head = [&](const Words& n) {
      return shift == 0 ? n.w[top] : n.w[top] << shift | n.w[top - 1] >> (64 - shift);
    };
    const u64 low = (u64{1} << 31) - 1;
    x = (a.w[0] & low) | (head(a) & ~low);
    y = (b.w[0] & low) | (head(b) & ~low);
  }

  /** out = |a f + b g| / 2^31, exact. Returns whether the sum was negative. */
  static bool combineExact(const Words& a, const Words& b, i64 f, i64 g, Words& out) {
    u64 t[5];
    linear(a, b, f, g, t);
    const u64 negative = 0 - (t[4] >> 63);
    u64 carry = negative & 1;
    for (int i = 0; i < 5; i++) {
      const u128 s = static_cast<u128>(t[i] ^ negative) + carry;
      t[i] = static_cast<u64>(s);
      carry = static_cast<u64>(s >> 64);
    }
    for (int i = 0; i < 4; i++) out.w[i] = t[i] >> 31 | t[i + 1] << 33;
    return negative != 0;
  }

  /** (u f + v g) / 2^31 mod m, below m. */
  static Words combineModulo(const Words& u, const Words& v, i64 f, i64 g) {
    u64 t[5];
    linear(u, v, f, g, t);
    // A multiple of m clears the low 31 bits; |t| < 2^31 m, so the quotient is in (-m, 2m).
    const u64 low = (t[0] * inverse64) & ((u64{1} << 31) - 1);
    u64 carry = 0;
    for (int i = 0; i < 4; i++) {
      const u128 s = static_cast<u128>(low) * modulus.w[i] + t[i] + carry;
      t[i] = static_cast<u64>(s);
      carry = static_cast<u64>(s >> 64);
    }
    t[4] += carry;
    Words out;
    for (int i = 0; i < 4; i++) out.w[i] = t[i] >> 31 | t[i + 1] << 33;
    if (t[4] >> 63) {
      u64 c = 0;
      for (int i = 0; i < 4; i++) {
        const u128 s = static_cast<u128>(out.w[i]) + modulus.w[i] + c;
        out.w[i] = static_cast<u64>(s);
        c = static_cast<u64>(s >> 64);
      }
      return out;
    }
    return reduceOnce(out);
  }

  /** t = a f + b g in two's complement of 320 bits, for |f| + |g| <= 2^31. */
  static void linear(const Words& a, const Words& b, i64 f, i64 g, u64 t[5]) {
    const u64 fSign = static_cast<u64>(f >> 63), gSign = static_cast<u64>(g >> 63);
    const u64 fAbs = (static_cast<u64>(f) ^ fSign) - fSign, gAbs = (static_cast<u64>(g) ^ gSign) - gSign;
    u64 fCarry = fSign & 1, gCarry = gSign & 1, fHigh = 0, gHigh = 0, carry = 0;
    for (int i = 0; i < 5; i++) {
      const u128 fp = (i < 4 ? static_cast<u128>(a.w[i]) * fAbs : 0) + fHigh;
      const u128 gp = (i < 4 ? static_cast<u128>(b.w[i]) * gAbs : 0) + gHigh;
      fHigh = static_cast<u64>(fp >> 64), gHigh = static_cast<u64>(gp >> 64);
      const u128 fs = static_cast<u128>(static_cast<u64>(fp) ^ fSign) + fCarry;
      const u128 gs = static_cast<u128>(static_cast<u64>(gp) ^ gSign) + gCarry;
      fCarry = static_cast<u64>(fs >> 64), gCarry = static_cast<u64>(gs >> 64);
      const u128 s = static_cast<u128>(static_cast<u64>(fs)) + static_cast<u64>(gs) + carry;
      t[i] = static_cast<u64>(s);
      carry = static_cast<u64>(s >> 64);
    }
  }
};

using Fp = Field<BaseModulus>;
using Fr = Field<ScalarModulus>;

/** Fp[u] / (u^2 + 1). */
struct Fp2 {
  struct E {
    Words c0, c1;
  };
  static constexpr E one{Fp::one, Words{}};
  static E zero() { return E{}; }
  static E add(const E& a, const E& b) { return {Fp::add(a.c0, b.c0), Fp::add(a.c1, b.c1)}; }
  static E sub(const E& a, const E& b) { return {Fp::sub(a.c0, b.c0), Fp::sub(a.c1, b.c1)}; }
  static E neg(const E& a) { return {Fp::neg(a.c0), Fp::neg(a.c1)}; }
  static E mul(const E& a, const E& b) {
    const Words v0 = Fp::mul(a.c0, b.c0), v1 = Fp::mul(a.c1, b.c1);
    const Words sum = Fp::mul(Fp::add(a.c0, a.c1), Fp::add(b.c0, b.c1));
    return {Fp::sub(v0, v1), Fp::sub(Fp::sub(sum, v0), v1)};
  }
  static E sqr(const E& a) {
    const Words cross = Fp::mul(a.c0, a.c1);
    return {Fp::mul(Fp::add(a.c0, a.c1), Fp::sub(a.c0, a.c1)), Fp::add(cross, cross)};
  }
  static E inv(const E& a) {
    const Words norm = Fp::inv(Fp::add(Fp::sqr(a.c0), Fp::sqr(a.c1)));
    return {Fp::mul(a.c0, norm), Fp::neg(Fp::mul(a.c1, norm))};
  }
};

inline bool isZero(const Fp2::E& a) { return isZero(a.c0) && isZero(a.c1); }
