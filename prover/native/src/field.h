// Scalar arithmetic in Montgomery form with R = 2^256, which is also snarkjs' form in .zkey files.
// Elements are always below the modulus.
#pragma once
#include <cstring>
#include <utility>

#include "kernels/adx-product.h"
#include "modulus.h"

constexpr u64 mask62 = ~u64{0} >> 2;
/** Four limbs of 62 bits, and a fifth that has the sign. */
struct Signed62 {
  i64 v[5];
};
constexpr Signed62 toSigned62(const Words& a) {
  const u64 limbs[4] = {a.w[0], a.w[0] >> 62 | a.w[1] << 2, a.w[1] >> 60 | a.w[2] << 4, a.w[2] >> 58 | a.w[3] << 6};
  Signed62 out{};
  for (int i = 0; i < 4; i++) out.v[i] = static_cast<i64>(limbs[i] & mask62);
  out.v[4] = static_cast<i64>(a.w[3] >> 56);
  return out;
}

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
   * The integer 1/a mod m, and 0 for 0: division steps, 62 at a time on the lowest words (Bernstein, Yang 2019, "Fast
   * constant-time gcd computation and modular inversion"; the form and the steps without a branch for each bit are libsecp256k1's
   * safegcd_implementation.md). Its time depends on a.
   *
   * It keeps f = d a and g = e a mod m. At g = 0, f is 1 or -1. d and e stay in (-2m, m).
   */
  static Words plainInverse(const Words& value) {
    if (isZero(value)) return zero();
    Signed d{}, e{{1, 0, 0, 0, 0}}, f = signedModulus, g = toSigned62(value);
    int length = 5;
    // 735 steps are enough for 256 bits (theorem 11.2), 12 * 62 = 744.
    for (i64 eta = -1;;) {
      const Steps steps = divide(eta, static_cast<u64>(f.v[0]), static_cast<u64>(g.v[0]));
      combineModulo(d, e, steps);
      combineExact(f, g, steps, length);
      i64 any = 0;
      for (int i = 0; i < length; i++) any |= g.v[i];
      if (any == 0) break;
      shorten(f, g, length);
    }
    return normalize(d, f.v[length - 1] < 0);
  }

 private:
  using Signed = Signed62;
  static constexpr Signed signedModulus = toSigned62(modulus);
  static constexpr u64 inverse62 = (0 - inverse64) & mask62;

  /** 2^62 times what 62 steps make of f and g: u f + v g and q f + r g. Each row's absolute values are 2^62 together at most. */
  struct Steps {
    i64 u, v, q, r;
  };
  static Steps divide(i64& eta, u64 f, u64 g) {
    u64 u = 1, v = 0, q = 0, r = 1;
    for (int left = 62;;) {
      // All steps in which g is even, at once.
      const int zeros = __builtin_ctzll(g | ~u64{0} << left);
      g >>= zeros, u <<= zeros, v <<= zeros;
      eta -= zeros, left -= zeros;
      if (left == 0) break;
      if (eta < 0) {
        eta = -eta;
        f = std::exchange(g, 0 - f), u = std::exchange(q, 0 - u), v = std::exchange(r, 0 - v);
      }
      // The multiple of f that clears as many of g's lowest bits as steps are left before the next exchange, six at most: f is
      // odd, and f (f^2 - 2) is -1/f mod 64.
      const int limit = eta + 1 > left ? left : static_cast<int>(eta) + 1;
      const u64 w = f * g * (f * f - 2) & (~u64{0} >> (64 - limit)) & 63;
      g += f * w, q += u * w, r += v * w;
    }
    return {static_cast<i64>(u), static_cast<i64>(v), static_cast<i64>(q), static_cast<i64>(r)};
  }

  using Sum = __int128;
  static Sum product(i64 a, i64 b) { return static_cast<Sum>(a) * b; }
  static i64 lowest(Sum a) { return static_cast<i64>(static_cast<u64>(a) & mask62); }

  /** The steps on f and g. The limbs from length on are the sign alone. */
  static void combineExact(Signed& f, Signed& g, const Steps& t, int length) {
    Sum cf = 0, cg = 0;
    for (int i = 0; i < length; i++) {
      cf += product(t.u, f.v[i]) + product(t.v, g.v[i]);
      cg += product(t.q, f.v[i]) + product(t.r, g.v[i]);
      if (i > 0) f.v[i - 1] = lowest(cf), g.v[i - 1] = lowest(cg);
      cf >>= 62, cg >>= 62;
    }
    f.v[length - 1] = static_cast<i64>(cf), g.v[length - 1] = static_cast<i64>(cg);
  }

  /** Takes the topmost limbs off while they are the sign of those below. */
  static void shorten(Signed& f, Signed& g, int& length) {
    const i64 topF = f.v[length - 1], topG = g.v[length - 1];
    if (length == 1 || topF != topF >> 63 || topG != topG >> 63) return;
    f.v[length - 2] |= static_cast<i64>(static_cast<u64>(topF) << 62);
    g.v[length - 2] |= static_cast<i64>(static_cast<u64>(topG) << 62);
    length--;
  }

  /** The steps on d and e mod m. */
  static void combineModulo(Signed& d, Signed& e, const Steps& t) {
    const i64 signD = d.v[4] >> 63, signE = e.v[4] >> 63;
    // Of m: once for each negative factor, which keeps the sums in (-2m, m), and what makes them multiples of 2^62.
    i64 ofD = (t.u & signD) + (t.v & signE), ofE = (t.q & signD) + (t.r & signE);
    Sum cd = product(t.u, d.v[0]) + product(t.v, e.v[0]), ce = product(t.q, d.v[0]) + product(t.r, e.v[0]);
    ofD -= static_cast<i64>((inverse62 * static_cast<u64>(cd) + static_cast<u64>(ofD)) & mask62);
    ofE -= static_cast<i64>((inverse62 * static_cast<u64>(ce) + static_cast<u64>(ofE)) & mask62);
    cd += product(signedModulus.v[0], ofD), ce += product(signedModulus.v[0], ofE);
    for (int i = 1; i < 5; i++) {
      cd >>= 62, ce >>= 62;
      cd += product(t.u, d.v[i]) + product(t.v, e.v[i]) + product(signedModulus.v[i], ofD);
      ce += product(t.q, d.v[i]) + product(t.r, e.v[i]) + product(signedModulus.v[i], ofE);
      d.v[i - 1] = lowest(cd), e.v[i - 1] = lowest(ce);
    }
    d.v[4] = static_cast<i64>(cd >> 62), e.v[4] = static_cast<i64>(ce >> 62);
  }

  /** d or -d mod m, for d in (-2m, m). */
  static Words normalize(const Signed& d, bool isNegated) {
    Words out;
    const u64 limbs[5] = {static_cast<u64>(d.v[0]), static_cast<u64>(d.v[1]), static_cast<u64>(d.v[2]), static_cast<u64>(d.v[3]),
                          static_cast<u64>(d.v[4])};
    for (int i = 0; i < 4; i++) out.w[i] = limbs[i] >> (2 * i) | limbs[i + 1] << (62 - 2 * i);
    // In two's complement of 256 bits, of which m takes 254.
    for (int i = 0; i < 2; i++) {
      const u64 sign = 0 - (out.w[3] >> 63);
      bool carry = false;
      for (int k = 0; k < 4; k++) out.w[k] = addCarry(out.w[k], modulus.w[k] & sign, carry);
    }
    return isNegated ? neg(out) : out;
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
