// Eight field elements at once in five limbs of 52 bits, Montgomery form with R = 2^260, on AVX-512 IFMA
// (Gueron, Krasnov 2016, "Accelerating Big Integer Arithmetic Using Intel IFMA Extensions").
//
// 2^260 > 84 m, so a product of a < s m and b < t m comes out below (1 + s t / 84) m: with s t <= 84 below
// 2 m. Elements in memory are below 2 m; the functions say what else they take and give. "Carried" limbs
// are in [0, 2^52), except that the top limb takes what is left.
#pragma once
#include <immintrin.h>

#include "../field.h"
#include "kernels.h"

using V = __m512i;

struct F5 {
  V l[5];
};

#define IFMA_INLINE static inline __attribute__((always_inline))

namespace ifma {

constexpr u64 limbMask = (u64{1} << 52) - 1;

IFMA_INLINE V splat(u64 a) { return _mm512_set1_epi64(static_cast<long long>(a)); }
IFMA_INLINE V low(V acc, V a, V b) { return _mm512_madd52lo_epu64(acc, a, b); }
IFMA_INLINE V high(V acc, V a, V b) { return _mm512_madd52hi_epu64(acc, a, b); }

/** Moves what exceeds 52 bits up; limbs may be negative. */
IFMA_INLINE F5 carry(const F5& a) {
  const V mask = splat(limbMask);
  F5 out;
  V c = _mm512_setzero_si512();
  for (int i = 0; i < 4; i++) {
    const V t = _mm512_add_epi64(a.l[i], c);
    out.l[i] = _mm512_and_si512(t, mask);
    c = _mm512_srai_epi64(t, 52);
  }
  out.l[4] = _mm512_add_epi64(a.l[4], c);
  return out;
}

IFMA_INLINE F5 addLazy(const F5& a, const F5& b) {
  F5 out;
  for (int i = 0; i < 5; i++) out.l[i] = _mm512_add_epi64(a.l[i], b.l[i]);
  return out;
}
IFMA_INLINE F5 subLazy(const F5& a, const F5& b) {
  F5 out;
  for (int i = 0; i < 5; i++) out.l[i] = _mm512_sub_epi64(a.l[i], b.l[i]);
  return out;
}

/** Sums of 52-bit products by column; a column takes 2^12 of them. Columns may be negative. */
struct Wide {
  V t[10];
};

IFMA_INLINE Wide wideZero() {
  Wide out;
  for (V& t : out.t) t = _mm512_setzero_si512();
  return out;
}

/** w += a b; both carried. */
IFMA_INLINE void multiplyInto(Wide& w, const F5& a, const F5& b) {
  for (int i = 0; i < 5; i++) {
    for (int j = 0; j < 5; j++) w.t[i + j] = low(w.t[i + j], a.l[i], b.l[j]);
    for (int j = 0; j < 5; j++) w.t[i + j + 1] = high(w.t[i + j + 1], a.l[i], b.l[j]);
  }
}

/** a^2; carried. */
IFMA_INLINE Wide square(const F5& a) {
  Wide w = wideZero();
  for (int i = 0; i < 5; i++) {
    for (int j = i + 1; j < 5; j++) {
      w.t[i + j] = low(w.t[i + j], a.l[i], a.l[j]);
      w.t[i + j + 1] = high(w.t[i + j + 1], a.l[i], a.l[j]);
    }
  }
  for (int k = 1; k < 9; k++) w.t[k] = _mm512_add_epi64(w.t[k], w.t[k]);
  for (int i = 0; i < 5; i++) {
    w.t[2 * i] = low(w.t[2 * i], a.l[i], a.l[i]);
    w.t[2 * i + 1] = high(w.t[2 * i + 1], a.l[i], a.l[i]);
  }
  return w;
}

template <class M>
struct Lanes {
  static constexpr size_t lanes = 8;
  using F = F5;
  using Mask = __mmask8;
  static constexpr Words m = M::value;
  static constexpr u64 inverse52 = negativeInverse(m.w[0]) & limbMask;
  static constexpr Words oneWords = powerOfTwo(260, m);

  static constexpr u64 limb(const Words& a, int i) { return limb52(a, i); }
  IFMA_INLINE F5 splatWords(const Words& a) {
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = splat(limb(a, i));
    return out;
  }
  IFMA_INLINE V modulusLimb(int i) { return splat(limb(m, i)); }
  /** 2^shift m, limbs not carried. */
  IFMA_INLINE V modulusLimb(int i, int shift) { return splat(limb(m, i) << shift); }

  IFMA_INLINE F5 zero() { return splatWords(Words{}); }
  IFMA_INLINE F5 one() { return splatWords(oneWords); }

  /** w / 2^260 mod m: the value is below w / 2^260 + m, carried. w may be negative: then above that - m. */
  IFMA_INLINE F5 reduce(const Wide& w) { return carry(reduceLazily(w)); }
  /** The same, not carried. */
  IFMA_INLINE F5 reduceLazily(Wide w) {
    const V inverse = splat(inverse52);
    for (int i = 0; i < 5; i++) {
      const V q = low(_mm512_setzero_si512(), w.t[i], inverse);
      w.t[i] = low(w.t[i], q, modulusLimb(0));
      for (int j = 1; j < 5; j++) w.t[i + j] = low(w.t[i + j], q, modulusLimb(j));
      for (int j = 0; j < 5; j++) w.t[i + j + 1] = high(w.t[i + j + 1], q, modulusLimb(j));
      w.t[i + 1] = _mm512_add_epi64(w.t[i + 1], _mm512_srai_epi64(w.t[i], 52));
    }
    return F5{{w.t[5], w.t[6], w.t[7], w.t[8], w.t[9]}};
  }

  /** a < s m, b < t m with s t <= 84, both carried; below 2 m. */
  IFMA_INLINE F5 mul(const F5& a, const F5& b) {
    Wide w = wideZero();
    multiplyInto(w, a, b);
    return reduce(w);
  }
  IFMA_INLINE F5 sqr(const F5& a) { return reduce(square(a)); }
  IFMA_INLINE F5 mulLazily(const F5& a, const F5& b) {
    Wide w = wideZero();
    multiplyInto(w, a, b);
    return reduceLazily(w);
  }
  IFMA_INLINE F5 sqrLazily(const F5& a) { return reduceLazily(square(a)); }

  /** a - b for a, b < 2 m; below 4 m. */
  IFMA_INLINE F5 sub(const F5& a, const F5& b) {
    F5 t = subLazy(a, b);
    for (int i = 0; i < 5; i++) t.l[i] = _mm512_add_epi64(t.l[i], modulusLimb(i, 1));
    return carry(t);
  }
  /** 2 m - a where the mask is set; not carried. */
  IFMA_INLINE F5 negateIf(Mask mask, const F5& a) {
    F5 t;
    for (int i = 0; i < 5; i++) t.l[i] = _mm512_mask_sub_epi64(a.l[i], mask, modulusLimb(i, 1), a.l[i]);
    return t;
  }
  IFMA_INLINE F5 twice(const F5& a) { return carry(addLazy(a, a)); }
  IFMA_INLINE F5 triple(const F5& a) { return carry(addLazy(addLazy(a, a), a)); }

  /** a, at most 4 m, to below m; limbs need not be carried. */
  IFMA_INLINE F5 canonical(const F5& a) {
    F5 t = carry(a);
    for (int round = 0; round < 4; round++) {
      F5 less = t;
      for (int i = 0; i < 5; i++) less.l[i] = _mm512_sub_epi64(t.l[i], modulusLimb(i));
      less = carry(less);
      t = select(_mm512_movepi64_mask(less.l[4]), t, less);
    }
    return t;
  }
  /**
   * a < 84 m, limbs not carried, to below 4 m. The quotient is estimated from the top limb with seven bits: it
   * is never too large, and at most two too small.
   */
  IFMA_INLINE F5 reduceLoosely(const F5& a) {
    const F5 t = carry(a);
    const V q = high(_mm512_setzero_si512(), t.l[4], splat((u64{1} << 52) / (limb(m, 4) + 1)));
    F5 multiple;
    multiple.l[0] = low(_mm512_setzero_si512(), q, modulusLimb(0));
    for (int i = 1; i < 5; i++) multiple.l[i] = high(low(_mm512_setzero_si512(), q, modulusLimb(i)), q, modulusLimb(i - 1));
    return carry(subLazy(t, multiple));
  }
  IFMA_INLINE F5 select(Mask mask, const F5& a, const F5& b) {
    F5 t;
    for (int i = 0; i < 5; i++) t.l[i] = _mm512_mask_mov_epi64(b.l[i], mask, a.l[i]);
    return t;
  }
  IFMA_INLINE Mask isZero(const F5& a) {
    V any = a.l[0];
    for (int i = 1; i < 5; i++) any = _mm512_or_si512(any, a.l[i]);
    return _mm512_cmpeq_epi64_mask(any, _mm512_setzero_si512());
  }
  IFMA_INLINE Mask isEqual(const F5& a, const F5& b) {
    Mask out = 0xff;
    for (int i = 0; i < 5; i++) out &= _mm512_cmpeq_epi64_mask(a.l[i], b.l[i]);
    return out;
  }
  /** Four words of each lane to limbs. */
  IFMA_INLINE F5 unpack(const V w[4]) {
    const V mask = splat(limbMask);
    F5 out;
    out.l[0] = _mm512_and_si512(w[0], mask);
    out.l[1] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[0], 52), _mm512_slli_epi64(w[1], 12)), mask);
    out.l[2] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[1], 40), _mm512_slli_epi64(w[2], 24)), mask);
    out.l[3] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[2], 28), _mm512_slli_epi64(w[3], 36)), mask);
    out.l[4] = _mm512_srli_epi64(w[3], 16);
    return out;
  }
  /** Carried limbs, below 2^256, to words. */
  IFMA_INLINE void pack(const F5& a, V w[4]) {
    w[0] = _mm512_or_si512(a.l[0], _mm512_slli_epi64(a.l[1], 52));
    w[1] = _mm512_or_si512(_mm512_srli_epi64(a.l[1], 12), _mm512_slli_epi64(a.l[2], 40));
    w[2] = _mm512_or_si512(_mm512_srli_epi64(a.l[2], 24), _mm512_slli_epi64(a.l[3], 28));
    w[3] = _mm512_or_si512(_mm512_srli_epi64(a.l[3], 36), _mm512_slli_epi64(a.l[4], 16));
  }

  IFMA_INLINE V evenPairs() { return _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0); }
  IFMA_INLINE V oddPairs() { return _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2); }

  /** Lane i from address(i), 32 bytes each. */
  template <class Address>
  IFMA_INLINE F5 gather(const Address& address) {
    V r[4];
    for (int i = 0; i < 4; i++) {
      const __m256i a = _mm256_loadu_si256(static_cast<const __m256i*>(address(i)));
      const __m256i b = _mm256_loadu_si256(static_cast<const __m256i*>(address(i + 4)));
      r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
    }
    const V low01 = _mm512_unpacklo_epi64(r[0], r[1]), high01 = _mm512_unpackhi_epi64(r[0], r[1]);
    const V low23 = _mm512_unpacklo_epi64(r[2], r[3]), high23 = _mm512_unpackhi_epi64(r[2], r[3]);
    const V w[4] = {
        _mm512_permutex2var_epi64(low01, evenPairs(), low23), _mm512_permutex2var_epi64(high01, evenPairs(), high23),
        _mm512_permutex2var_epi64(low01, oddPairs(), low23), _mm512_permutex2var_epi64(high01, oddPairs(), high23)};
    return unpack(w);
  }
  template <class Address>
  IFMA_INLINE void scatter(const Address& address, const F5& a) {
    V w[4];
    pack(a, w);
    const V low01 = _mm512_permutex2var_epi64(w[0], evenPairs(), w[2]), low23 = _mm512_permutex2var_epi64(w[0], oddPairs(), w[2]);
    const V high01 = _mm512_permutex2var_epi64(w[1], evenPairs(), w[3]), high23 = _mm512_permutex2var_epi64(w[1], oddPairs(), w[3]);
    const V r[4] = {_mm512_unpacklo_epi64(low01, high01), _mm512_unpackhi_epi64(low01, high01),
                    _mm512_unpacklo_epi64(low23, high23), _mm512_unpackhi_epi64(low23, high23)};
    for (int i = 0; i < 4; i++) {
      _mm256_storeu_si256(static_cast<__m256i*>(address(i)), _mm512_castsi512_si256(r[i]));
      _mm256_storeu_si256(static_cast<__m256i*>(address(i + 4)), _mm512_extracti64x4_epi64(r[i], 1));
    }
  }

  IFMA_INLINE F5 load(const PointRef* refs, size_t offset) {
    return gather([&](int i) { return reinterpret_cast<const void*>((refs[i] & ~negatedFlag) + offset); });
  }
  IFMA_INLINE void store(u64* const* out, size_t offset, const F5& a) {
    scatter([&](int i) { return static_cast<void*>(reinterpret_cast<char*>(out[i]) + offset); }, a);
  }
  IFMA_INLINE F5 rotate(const F5& a, int by) {
    const V index = _mm512_and_si512(_mm512_add_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), splat(static_cast<u64>(by))), splat(7));
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_permutexvar_epi64(index, a.l[i]);
    return out;
  }

  /** 1/a in every lane with one inversion; false where a lane is zero. */
  static bool invertAllLanes(const F5& a, F5& out) {
    const F5 a4 = rotate(a, 4), pairs = mul(a, a4);
    const F5 pairs2 = rotate(pairs, 2), fours = mul(pairs, pairs2);
    const F5 fours1 = rotate(fours, 1), all = canonical(mul(fours, fours1));
    Words product;
    alignas(64) Words lanesOut[8];
    scatter([&](int i) { return static_cast<void*>(&lanesOut[i]); }, all);
    product = lanesOut[0];
    if (::isZero(product)) return false;
    // all = x 2^260, so the integer inverse times 2^780 and over 2^260 is 1/x 2^260
    const F5 inverse = mul(splatWords(Field<M>::plainInverse(product)), splatWords(cubedR));
    out = mul(mul(mul(inverse, fours1), pairs2), a4);
    return true;
  }
  static constexpr Words cubedR = powerOfTwo(780, m);
};

}  // namespace ifma
