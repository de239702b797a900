// Eight field elements at once, four in each of two vectors, in five limbs of 52 bits, Montgomery form with R = 2^260, on AVX2
// with fused multiply-add: the form of ifma-field.h, whose bounds hold here too. A product of two limbs below 2^52 has its upper
// and lower 52 bits from two fused additions that round to zero (Emmart, Zheng, Weems 2018, "Faster Modular Exponentiation Using
// Double Precision Floating Point Arithmetic on the GPU"):
//
//   high = a b + 2^104                    whose last 52 bits are floor(a b / 2^52)
//   low  = a b + (2^104 + 2^52 - high)    whose last 52 bits are a b mod 2^52, exactly
//
// Both are added up as integers, with their exponents. A column starts at minus all exponents that it will take, so it is the
// true sum, as two's complement, whenever it is read.
#pragma once
#include <immintrin.h>

#include "../field.h"
#include "kernels.h"

#define AVX2_INLINE static inline __attribute__((always_inline))
/** Once each: the steps of an addition with a copy of every product would not fit the instruction caches. */
#define AVX2_ONCE static __attribute__((noinline))
/** Columns stay in registers only where no index is left at run time. */
#define AVX2_UNROLL _Pragma("GCC unroll 10")

namespace avx2 {

/** Two vectors go through every step side by side: while one waits for its last result, the other computes. */
struct V {
  __m256i h[2];
};
struct D {
  __m256d h[2];
};

struct F {
  V l[5];
};

/** Products need it: the thread's way of rounding, until the end of a scope. No vector of doubles may move across its ends. */
class RoundToZero {
 public:
  RoundToZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x6000); }
  ~RoundToZero() { _mm_setcsr(before_); }

 private:
  unsigned before_;
};

constexpr u64 limbMask = (u64{1} << 52) - 1;
/** The bits of 2^52 and 2^104 as doubles. */
constexpr u64 exponent52 = u64{0x433} << 52;
constexpr u64 exponent104 = u64{0x467} << 52;

template <class Step>
AVX2_INLINE V both(const Step& step) {
  return V{{step(0), step(1)}};
}
template <class Step>
AVX2_INLINE D bothDoubles(const Step& step) {
  return D{{step(0), step(1)}};
}

AVX2_INLINE V splat(u64 a) {
  const __m256i t = _mm256_set1_epi64x(static_cast<long long>(a));
  return V{{t, t}};
}
AVX2_INLINE V add(const V& a, const V& b) { return both([&](int i) { return _mm256_add_epi64(a.h[i], b.h[i]); }); }
AVX2_INLINE V sub(const V& a, const V& b) { return both([&](int i) { return _mm256_sub_epi64(a.h[i], b.h[i]); }); }
AVX2_INLINE V bitAnd(const V& a, const V& b) { return both([&](int i) { return _mm256_and_si256(a.h[i], b.h[i]); }); }
AVX2_INLINE V bitOr(const V& a, const V& b) { return both([&](int i) { return _mm256_or_si256(a.h[i], b.h[i]); }); }
AVX2_INLINE V up(const V& a, int by) { return both([&](int i) { return _mm256_slli_epi64(a.h[i], by); }); }
AVX2_INLINE V down(const V& a, int by) { return both([&](int i) { return _mm256_srli_epi64(a.h[i], by); }); }
AVX2_INLINE V isNegative(const V& a) { return both([&](int i) { return _mm256_cmpgt_epi64(_mm256_setzero_si256(), a.h[i]); }); }
AVX2_INLINE V isSame(const V& a, const V& b) { return both([&](int i) { return _mm256_cmpeq_epi64(a.h[i], b.h[i]); }); }
/** b where the mask is set, else a. */
AVX2_INLINE V choose(const V& mask, const V& a, const V& b) {
  return both([&](int i) { return _mm256_blendv_epi8(a.h[i], b.h[i], mask.h[i]); });
}

/** Which lanes: all bits of a lane are set, or none. */
struct Mask {
  V v;
  Mask() = default;
  Mask(const V& lanes) : v(lanes) {}
  Mask(int) : v(splat(0)) {}
  Mask operator&(const Mask& b) const { return bitAnd(v, b.v); }
  Mask& operator|=(const Mask& b) { return v = bitOr(v, b.v), *this; }
  bool operator!=(int) const { return !_mm256_testz_si256(v.h[0], v.h[0]) || !_mm256_testz_si256(v.h[1], v.h[1]); }
};

AVX2_INLINE D splatDouble(double a) {
  const __m256d t = _mm256_set1_pd(a);
  return D{{t, t}};
}
AVX2_INLINE V bitsOf(const D& a) { return both([&](int i) { return _mm256_castpd_si256(a.h[i]); }); }
AVX2_INLINE D minus(const D& a, const D& b) { return bothDoubles([&](int i) { return _mm256_sub_pd(a.h[i], b.h[i]); }); }
AVX2_INLINE D fused(const D& a, const D& b, const D& c) {
  return bothDoubles([&](int i) { return _mm256_fmadd_pd(a.h[i], b.h[i], c.h[i]); });
}
/** In [0, 2^52). */
AVX2_INLINE D toDouble(const V& a) {
  const V bits = bitOr(a, splat(exponent52));
  return minus(bothDoubles([&](int i) { return _mm256_castsi256_pd(bits.h[i]); }), splatDouble(0x1p52));
}

struct Doubles {
  D l[5];
};
AVX2_INLINE Doubles toDoubles(const F& a) {
  Doubles out;
  AVX2_UNROLL
  for (int i = 0; i < 5; i++) out.l[i] = toDouble(a.l[i]);
  return out;
}

AVX2_INLINE D highOf(const D& a, const D& b) { return fused(a, b, splatDouble(0x1p104)); }
AVX2_INLINE D lowOf(const D& a, const D& b, const D& high) { return fused(a, b, minus(splatDouble(0x1p104 + 0x1p52), high)); }
/** low and high += both halves of a b, with their exponents. */
AVX2_INLINE void addProduct(V& low, V& high, const D& a, const D& b) {
  const D top = highOf(a, b);
  high = add(high, bitsOf(top));
  low = add(low, bitsOf(lowOf(a, b, top)));
}

/** a / 2^52, rounded down, and 2^11 more. */
AVX2_INLINE V shiftedDown(const V& a) { return down(add(a, splat(u64{1} << 63)), 52); }

/** Moves what exceeds 52 bits up; limbs may be negative. */
AVX2_INLINE F carry(const F& a) {
  F out;
  V t = a.l[0];
  AVX2_UNROLL
  for (int i = 0; i < 4; i++) {
    out.l[i] = bitAnd(t, splat(limbMask));
    t = add(a.l[i + 1], sub(shiftedDown(t), splat(u64{1} << 11)));
  }
  out.l[4] = t;
  return out;
}

AVX2_INLINE F addLazy(const F& a, const F& b) {
  F out;
  AVX2_UNROLL
  for (int i = 0; i < 5; i++) out.l[i] = add(a.l[i], b.l[i]);
  return out;
}
AVX2_INLINE F subLazy(const F& a, const F& b) {
  F out;
  AVX2_UNROLL
  for (int i = 0; i < 5; i++) out.l[i] = sub(a.l[i], b.l[i]);
  return out;
}

/** Lower and upper halves that column c takes of a product of five limbs by five. */
constexpr u64 lowCount(int c) { return c < 5 ? c + 1 : 9 - c; }
constexpr u64 highCount(int c) { return c < 5 ? c : 10 - c; }
constexpr u64 exponents(u64 lows, u64 highs) { return lows * exponent52 + highs * exponent104; }
/** Of the multiples of m that a reduction adds; the lowest halves of its first five columns are never added. */
constexpr u64 reductionExponents(int c) {
  return exponents(lowCount(c) - (c < 5 ? 1 : 0), highCount(c)) + (c > 0 && c < 6 ? u64{1} << 11 : 0);
}

/** Sums of products by column. */
struct Wide {
  V t[10];
};

AVX2_ONCE Wide product(const F& a, const F& b) {
  Wide w;
  AVX2_UNROLL
  for (int c = 0; c < 10; c++) w.t[c] = splat(u64{0} - exponents(lowCount(c), highCount(c)));
  const Doubles x = toDoubles(a), y = toDoubles(b);
  AVX2_UNROLL
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 5; j++) addProduct(w.t[i + j], w.t[i + j + 1], x.l[i], y.l[j]);
  return w;
}
AVX2_ONCE Wide square(const F& a) {
  Wide w;
  // All that differs from the product by itself is taken once and doubled: half of the exponents before.
  AVX2_UNROLL
  for (int c = 0; c < 10; c++) w.t[c] = splat(u64{0} - (lowCount(c) * (exponent52 / 2) + highCount(c) * (exponent104 / 2)));
  const Doubles x = toDoubles(a);
  AVX2_UNROLL
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) addProduct(w.t[i + j], w.t[i + j + 1], x.l[i], x.l[j]);
  for (V& t : w.t) t = add(t, t);
  AVX2_UNROLL
  for (int i = 0; i < 5; i++) addProduct(w.t[2 * i], w.t[2 * i + 1], x.l[i], x.l[i]);
  return w;
}

template <class M>
struct Lanes {
  static constexpr size_t lanes = 8;
  using F = avx2::F;
  using Mask = avx2::Mask;
  static constexpr Words m = M::value;
  static constexpr double inverse52 = static_cast<double>(negativeInverse(m.w[0]) & limbMask);
  static constexpr Words oneWords = powerOfTwo(260, m);

  AVX2_INLINE F splatWords(const Words& a) {
    F out;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) out.l[i] = splat(limb52(a, i));
    return out;
  }
  /** 2^shift m, limbs not carried. */
  AVX2_INLINE V modulusLimb(int i, int shift = 0) { return splat(limb52(m, i) << shift); }
  AVX2_INLINE D modulusDouble(int i) { return splatDouble(static_cast<double>(limb52(m, i))); }

  AVX2_INLINE F zero() { return splatWords(Words{}); }
  AVX2_INLINE F one() { return splatWords(oneWords); }

  /**
   * One step of a reduction: adds the q m to six columns that makes the first a multiple of 2^52, and carries that one into the
   * second. (t + q m0) / 2^52 is (t + 2^52 - 1) / 2^52, rounded down: lower halves of q m0 are not needed.
   */
  AVX2_INLINE void reduceColumn(V* t) {
    const D x = toDouble(bitAnd(t[0], splat(limbMask))), inverse = splatDouble(inverse52);
    const D q = minus(lowOf(x, inverse, highOf(x, inverse)), splatDouble(0x1p52));
    t[1] = add(t[1], add(shiftedDown(add(t[0], splat(limbMask))), bitsOf(highOf(q, modulusDouble(0)))));
    AVX2_UNROLL
    for (int j = 1; j < 5; j++) addProduct(t[j], t[j + 1], q, modulusDouble(j));
  }

  /** w / 2^260 mod m: the value is below w / 2^260 + m, not carried. w may be negative: then above that - m. */
  AVX2_ONCE F reduceLazily(Wide w) {
    AVX2_UNROLL
    for (int c = 0; c < 10; c++) w.t[c] = avx2::sub(w.t[c], splat(reductionExponents(c)));
    AVX2_UNROLL
    for (int c = 0; c < 5; c++) reduceColumn(w.t + c);
    return F{{w.t[5], w.t[6], w.t[7], w.t[8], w.t[9]}};
  }
  AVX2_INLINE F reduce(const Wide& w) { return carry(reduceLazily(w)); }

  /** a < s m, b < t m with s t <= 84, both carried; below 2 m, not carried. Row by row: fewer columns are alive. */
  AVX2_ONCE F mulLazily(const F& a, const F& b) {
    V t[10];
    AVX2_UNROLL
    for (int c = 0; c < 10; c++) t[c] = splat(u64{0} - exponents(lowCount(c), highCount(c)) - reductionExponents(c));
    const Doubles y = toDoubles(b);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) {
      const D x = toDouble(a.l[i]);
      AVX2_UNROLL
      for (int j = 0; j < 5; j++) addProduct(t[i + j], t[i + j + 1], x, y.l[j]);
      reduceColumn(t + i);
    }
    return F{{t[5], t[6], t[7], t[8], t[9]}};
  }
  AVX2_INLINE F mul(const F& a, const F& b) { return carry(mulLazily(a, b)); }
  AVX2_INLINE F sqrLazily(const F& a) { return reduceLazily(square(a)); }
  AVX2_INLINE F sqr(const F& a) { return carry(sqrLazily(a)); }

  /** a - b for a, b < 2 m; below 4 m. */
  AVX2_INLINE F sub(const F& a, const F& b) {
    F t = subLazy(a, b);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = add(t.l[i], modulusLimb(i, 1));
    return carry(t);
  }
  /** 4 m - a for a < 4 m; carried. */
  AVX2_INLINE F negate(const F& a) {
    F t;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = avx2::sub(modulusLimb(i, 2), a.l[i]);
    return carry(t);
  }

  /** Adds 2 m where a is negative: its lower limbs are not, so its top limb says so (ifma-field.h). */
  AVX2_INLINE F addTwoIfNegative(const F& a) {
    const V mask = isNegative(a.l[4]);
    F t;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = add(a.l[i], bitAnd(mask, modulusLimb(i, 1)));
    return t;
  }
  /** a + c, a not carried: for a product and what negateIf gave; below 2 m. */
  AVX2_INLINE F plus(const F& a, const F& c) {
    F t = addLazy(a, c);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = avx2::sub(t.l[i], modulusLimb(i, 1));
    return carry(addTwoIfNegative(carry(t)));
  }
  /** a - 2 b - c, a not carried: for a product, b < 2 m and c = sub(d, b), which has 2 m more, for d < 2 m; below 2 m. */
  AVX2_INLINE F minusTwice(const F& a, const F& b, const F& c) {
    F t = subLazy(subLazy(subLazy(a, b), b), c);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = avx2::add(t.l[i], modulusLimb(i, 1));
    return carry(addTwoIfNegative(addTwoIfNegative(carry(t))));
  }
  AVX2_INLINE F mulPlus(const F& a, const F& b, const F& c) { return plus(mulLazily(a, b), c); }
  AVX2_INLINE F sqrMinus(const F& a, const F& b, const F& c) { return minusTwice(sqrLazily(a), b, c); }
  AVX2_INLINE F sum(const F& a, const F& b) { return carry(addLazy(a, b)); }
  /** 2 m - a where the mask is set; not carried. */
  AVX2_INLINE F negateIf(const Mask& mask, const F& a) {
    F t;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = choose(mask.v, a.l[i], avx2::sub(modulusLimb(i, 1), a.l[i]));
    return t;
  }
  AVX2_INLINE F twice(const F& a) { return carry(addLazy(a, a)); }
  AVX2_INLINE F triple(const F& a) { return carry(addLazy(addLazy(a, a), a)); }

  /** a, at most 4 m, to below m; limbs need not be carried. */
  AVX2_INLINE F canonical(const F& a) {
    F t = carry(a);
    for (int round = 0; round < 4; round++) {
      F less = t;
      AVX2_UNROLL
      for (int i = 0; i < 5; i++) less.l[i] = avx2::sub(t.l[i], modulusLimb(i));
      less = carry(less);
      t = select(Mask(isNegative(less.l[4])), t, less);
    }
    return t;
  }
  AVX2_INLINE F select(const Mask& mask, const F& a, const F& b) {
    F t;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) t.l[i] = choose(mask.v, b.l[i], a.l[i]);
    return t;
  }
  AVX2_INLINE Mask isEqual(const F& a, const F& b) {
    V out = isSame(a.l[0], b.l[0]);
    AVX2_UNROLL
    for (int i = 1; i < 5; i++) out = bitAnd(out, isSame(a.l[i], b.l[i]));
    return Mask(out);
  }
  AVX2_INLINE Mask andNot(const Mask& a, const Mask& b) {
    return both([&](int i) { return _mm256_andnot_si256(b.v.h[i], a.v.h[i]); });
  }

  // (a0 + a1 u)(b0 + b1 u) with u^2 = -1 and one reduction for each half. 16 m^2 keeps a0 b0 - a1 b1 positive.
  struct SquaredModulus {
    u64 column[10];
    constexpr SquaredModulus() : column() {
      u64 t[10] = {};
      AVX2_UNROLL
      for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
          const u128 p = static_cast<u128>(limb52(m, i)) * limb52(m, j);
          t[i + j] += static_cast<u64>(p) & limbMask;
          t[i + j + 1] += static_cast<u64>(p >> 52);
        }
      AVX2_UNROLL
      for (int i = 0; i < 10; i++) column[i] = t[i] << 4;
    }
  };
  static constexpr SquaredModulus squaredModulus16{};

  /** All inputs below 4 m, and (a0 + a1)(b0 + b1) below 84 m^2; results below 2 m. */
  AVX2_INLINE void mulComplex(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) {
    Wide v0 = product(a0, b0);
    const Wide v1 = product(a1, b1);
    Wide both = product(carry(addLazy(a0, a1)), carry(addLazy(b0, b1)));
    AVX2_UNROLL
    for (int i = 0; i < 10; i++) {
      both.t[i] = avx2::sub(both.t[i], add(v0.t[i], v1.t[i]));
      v0.t[i] = add(avx2::sub(v0.t[i], v1.t[i]), splat(squaredModulus16.column[i]));
    }
    c0 = reduce(v0);
    c1 = reduce(both);
  }
  AVX2_INLINE void mulComplexLazily(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) {
    mulComplex(a0, a1, b0, b1, c0, c1);
  }
  AVX2_INLINE void sqrComplexLazily(const F& a0, const F& a1, F& c0, F& c1) { sqrComplex(a0, a1, c0, c1); }
  /** (a0 + a1)(a0 - a1), 2 a0 a1; inputs below 4 m. */
  AVX2_INLINE void sqrComplex(const F& a0, const F& a1, F& c0, F& c1) {
    const F sum = carry(addLazy(a0, a1)), difference = carry(addLazy(a0, negate(a1)));
    c0 = mul(sum, difference);
    c1 = mul(carry(addLazy(a0, a0)), a1);
  }
  /** a^2 + b^2 for a, b < 4 m. */
  AVX2_INLINE F sumOfSquares(const F& a, const F& b) {
    Wide w = square(a);
    const Wide v = square(b);
    AVX2_UNROLL
    for (int i = 0; i < 10; i++) w.t[i] = add(w.t[i], v.t[i]);
    return reduce(w);
  }

  /** Rows of four words to columns, or back. */
  AVX2_INLINE void transpose(const __m256i in[4], __m256i out[4]) {
    const __m256i low01 = _mm256_unpacklo_epi64(in[0], in[1]), high01 = _mm256_unpackhi_epi64(in[0], in[1]);
    const __m256i low23 = _mm256_unpacklo_epi64(in[2], in[3]), high23 = _mm256_unpackhi_epi64(in[2], in[3]);
    out[0] = _mm256_permute2x128_si256(low01, low23, 0x20), out[1] = _mm256_permute2x128_si256(high01, high23, 0x20);
    out[2] = _mm256_permute2x128_si256(low01, low23, 0x31), out[3] = _mm256_permute2x128_si256(high01, high23, 0x31);
  }

  /** Lane i from address(i), 32 bytes each. */
  template <class Address>
  AVX2_INLINE F gather(const Address& address) {
    V w[4];
    AVX2_UNROLL
    for (int h = 0; h < 2; h++) {
      __m256i r[4], t[4];
      AVX2_UNROLL
      for (int i = 0; i < 4; i++) r[i] = _mm256_loadu_si256(static_cast<const __m256i*>(address(4 * h + i)));
      transpose(r, t);
      AVX2_UNROLL
      for (int i = 0; i < 4; i++) w[i].h[h] = t[i];
    }
    const V mask = splat(limbMask);
    F out;
    out.l[0] = bitAnd(w[0], mask);
    AVX2_UNROLL
    for (int i = 1; i < 4; i++) out.l[i] = bitAnd(bitOr(down(w[i - 1], 64 - 12 * i), up(w[i], 12 * i)), mask);
    out.l[4] = down(w[3], 16);
    return out;
  }
  /** Carried limbs, below 2^256. */
  template <class Address>
  AVX2_INLINE void scatter(const Address& address, const F& a) {
    V w[4];
    AVX2_UNROLL
    for (int i = 0; i < 4; i++) w[i] = bitOr(down(a.l[i], 12 * i), up(a.l[i + 1], 52 - 12 * i));
    AVX2_UNROLL
    for (int h = 0; h < 2; h++) {
      const __m256i t[4] = {w[0].h[h], w[1].h[h], w[2].h[h], w[3].h[h]};
      __m256i r[4];
      transpose(t, r);
      AVX2_UNROLL
      for (int i = 0; i < 4; i++) _mm256_storeu_si256(static_cast<__m256i*>(address(4 * h + i)), r[i]);
    }
  }

  AVX2_INLINE F load(const PointRef* refs, size_t offset) {
    return gather([&](int i) { return reinterpret_cast<const void*>((refs[i] & ~negatedFlag) + offset); });
  }
  AVX2_INLINE void store(u64* const* out, size_t offset, const F& a) {
    scatter([&](int i) { return static_cast<void*>(reinterpret_cast<char*>(out[i]) + offset); }, a);
  }
  AVX2_INLINE Mask flagIs(const PointRef* refs, PointRef flag) {
    const V all = both([&](int h) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(refs + 4 * h)); });
    return isSame(bitAnd(all, splat(negatedFlag)), splat(flag));
  }
  AVX2_INLINE Mask negatedMask(const PointRef* refs) { return flagIs(refs, negatedFlag); }
  AVX2_INLINE Mask plainMask(const PointRef* refs) { return flagIs(refs, 0); }
  AVX2_INLINE Mask all() { return splat(~u64{0}); }

  /** 1/a in every lane with one inversion; false where a lane is zero. */
  static bool invertAllLanes(const F& a, F& out) {
    F a4, pairs2, fours1;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) a4.l[i] = V{{a.l[i].h[1], a.l[i].h[0]}};
    const F pairs = mul(a, a4);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) pairs2.l[i] = both([&](int h) { return _mm256_permute4x64_epi64(pairs.l[i].h[h], 0x4e); });
    const F fours = mul(pairs, pairs2);
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) fours1.l[i] = both([&](int h) { return _mm256_permute4x64_epi64(fours.l[i].h[h], 0xb1); });
    const F all = canonical(mul(fours, fours1));
    alignas(32) Words lanesOut[8];
    scatter([&](int i) { return static_cast<void*>(&lanesOut[i]); }, all);
    if (::isZero(lanesOut[0])) return false;
    // all = x 2^260, so the integer inverse times 2^780 and over 2^260 is 1/x 2^260
    const F inverse = mul(splatWords(Field<M>::plainInverse(lanesOut[0])), splatWords(cubedR));
    out = mul(mul(mul(inverse, fours1), pairs2), a4);
    return true;
  }
  static constexpr Words cubedR = powerOfTwo(780, m);
};

}  // namespace avx2
