// Sixteen field elements at once: two of Lanes' vectors side by side. A product's instructions wait for each other longer than
// the processor can look ahead, so those of two products take turns.
//
// Elements in memory are below 5/2 m here: 2^256 is above 5 m. Where factors have s t <= 21 (ifma-field.h) a product is below
// 5/4 m; where they have more, it says so.
#pragma once
#include "ifma-field.h"

/** Too long to be inlined at every call of a long loop, which the processor's caches for instructions then would not hold. */
#define IFMA_ONCE static __attribute__((noinline))
#define IFMA_UNROLL _Pragma("GCC unroll 10")

namespace ifma {

template <class M>
struct Twice {
  using L = Lanes<M>;
  static constexpr size_t lanes = 2 * L::lanes;
  struct F {
    F5 h[2];
  };
  using Mask = uint16_t;

  template <class Body>
  IFMA_INLINE F each(const Body& body) {
    return F{{body(0), body(1)}};
  }
  template <class Body>
  IFMA_INLINE Mask eachMask(const Body& body) {
    return static_cast<Mask>(body(0) | body(1) << 8);
  }
  IFMA_INLINE __mmask8 half(Mask mask, int i) { return static_cast<__mmask8>(mask >> (8 * i)); }
  IFMA_INLINE Mask all() { return 0xffff; }

  IFMA_INLINE F zero() {
    return each([](int) { return L::zero(); });
  }
  IFMA_INLINE F one() {
    return each([](int) { return L::one(); });
  }

  IFMA_INLINE V limbOf(u64 multiple, int i) { return splat(multiple * limb52(M::value, i)); }

  /**
   * A step of a reduction: adds the q m that makes the first column a multiple of 2^52, and carries that into the second. The
   * columns hold 2^52 - 1 too much, so that what is carried is rounded up without the lowest half of q m.
   */
  IFMA_INLINE void reduceColumns(V (&t)[2][10], int i) {
    const V inverse = splat(L::inverse52);
    V q[2];
    // Times (t - 1) mod 2^52, and once more.
    for (int k = 0; k < 2; k++) q[k] = low(inverse, t[k][i], inverse);
    for (int k = 0; k < 2; k++) t[k][i + 1] = _mm512_add_epi64(t[k][i + 1], _mm512_srai_epi64(t[k][i], 52));
    IFMA_UNROLL
    for (int j = 1; j < 5; j++)
      for (int k = 0; k < 2; k++) t[k][i + j] = low(t[k][i + j], q[k], L::modulusLimb(j));
    IFMA_UNROLL
    for (int j = 0; j < 5; j++)
      for (int k = 0; k < 2; k++) t[k][i + j + 1] = high(t[k][i + j + 1], q[k], L::modulusLimb(j));
  }
  /** Columns of 0, and 2^52 - 1 more in those that are reduced away. */
  IFMA_INLINE V firstOf(int column) { return column < 5 ? splat(limbMask) : _mm512_setzero_si512(); }
  IFMA_INLINE F resultOf(const V (&t)[2][10]) {
    return each([&](int k) { return F5{{t[k][5], t[k][6], t[k][7], t[k][8], t[k][9]}}; });
  }

  /** t += a's limb i times b. */
  IFMA_INLINE void addRow(V (&t)[2][10], const F& a, const F& b, int i) {
    IFMA_UNROLL
    for (int j = 0; j < 5; j++)
      for (int k = 0; k < 2; k++) t[k][i + j] = low(t[k][i + j], a.h[k].l[i], b.h[k].l[j]);
    IFMA_UNROLL
    for (int j = 0; j < 5; j++)
      for (int k = 0; k < 2; k++) t[k][i + j + 1] = high(t[k][i + j + 1], a.h[k].l[i], b.h[k].l[j]);
  }

  /** a b, not carried. */
  IFMA_INLINE F mulLazily(const F& a, const F& b) {
    V t[2][10];
    IFMA_UNROLL
    for (int c = 0; c < 10; c++) t[0][c] = t[1][c] = firstOf(c);
    // Row by row: six columns of each product are alive.
    IFMA_UNROLL
    for (int i = 0; i < 5; i++) {
      addRow(t, a, b, i);
      reduceColumns(t, i);
    }
    return resultOf(t);
  }
  IFMA_INLINE F carry(const F& a) {
    return each([&](int k) { return ifma::carry(a.h[k]); });
  }
  IFMA_INLINE F mul(const F& a, const F& b) { return carry(mulLazily(a, b)); }

  /** w / 2^260 mod m, not carried. */
  IFMA_INLINE F reduceLazily(const Wide (&w)[2]) {
    V t[2][10];
    IFMA_UNROLL
    for (int c = 0; c < 10; c++)
      for (int k = 0; k < 2; k++) t[k][c] = c < 5 ? _mm512_add_epi64(w[k].t[c], firstOf(c)) : w[k].t[c];
    IFMA_UNROLL
    for (int i = 0; i < 5; i++) reduceColumns(t, i);
    return resultOf(t);
  }
  IFMA_INLINE F sqrLazily(const F& a) { return reduceLazily({square(a.h[0]), square(a.h[1])}); }
  IFMA_INLINE F sqr(const F& a) { return carry(sqrLazily(a)); }

  /**
   * Takes 2 m off where a, not carried, is above 9/4 m: the topmost limb alone says so to 2^-40 m, whatever is carried into it.
   * From below 17/4 m to below 5/2 m, and from below 25/4 m in two steps.
   */
  IFMA_INLINE F5 takeTwoOff(const F5& a) {
    const __mmask8 isAbove = _mm512_cmpgt_epi64_mask(a.l[4], splat(limb52(M::value, 4) / 4 * 9));
    F5 t;
    for (int i = 0; i < 5; i++) t.l[i] = _mm512_mask_sub_epi64(a.l[i], isAbove, a.l[i], limbOf(2, i));
    return t;
  }
  /** a + c, a not carried: for a product and what negateIf gave, below 3 m. */
  IFMA_INLINE F plus(const F& a, const F& c) {
    return each([&](int k) { return ifma::carry(takeTwoOff(addLazy(a.h[k], c.h[k]))); });
  }
  /** a - 2 b - c, a not carried: for a product, b below 5/2 m, c = sub(d, b) and d below 5/2 m. */
  IFMA_INLINE F minusTwice(const F& a, const F& b, const F& c) {
    return each([&](int k) {
      // c = d - b + 3 m: with 8 m more it is a - b - d + 5 m.
      F5 t = subLazy(subLazy(subLazy(a.h[k], b.h[k]), b.h[k]), c.h[k]);
      for (int i = 0; i < 5; i++) t.l[i] = _mm512_add_epi64(t.l[i], limbOf(8, i));
      const __mmask8 isAbove = _mm512_cmpgt_epi64_mask(t.l[4], splat(limb52(M::value, 4) / 4 * 17));
      for (int i = 0; i < 5; i++) t.l[i] = _mm512_mask_sub_epi64(t.l[i], isAbove, t.l[i], limbOf(2, i));
      return ifma::carry(takeTwoOff(t));
    });
  }
  IFMA_INLINE F mulPlus(const F& a, const F& b, const F& c) { return plus(mulLazily(a, b), c); }
  IFMA_INLINE F sqrMinus(const F& a, const F& b, const F& c) { return minusTwice(sqrLazily(a), b, c); }

  /** a - b + 3 m for b below 3 m. */
  IFMA_INLINE F sub(const F& a, const F& b) {
    return each([&](int k) {
      F5 t = subLazy(a.h[k], b.h[k]);
      for (int i = 0; i < 5; i++) t.l[i] = _mm512_add_epi64(t.l[i], limbOf(3, i));
      return ifma::carry(t);
    });
  }
  IFMA_INLINE F sum(const F& a, const F& b) {
    return each([&](int k) { return ifma::carry(addLazy(a.h[k], b.h[k])); });
  }
  /** 6 m - a for a below 6 m. */
  IFMA_INLINE F negate(const F& a) {
    return each([&](int k) {
      F5 t;
      for (int i = 0; i < 5; i++) t.l[i] = _mm512_sub_epi64(limbOf(6, i), a.h[k].l[i]);
      return ifma::carry(t);
    });
  }
  /** 3 m - a where the mask is set, for a below 3 m; not carried. */
  IFMA_INLINE F negateIf(Mask mask, const F& a) {
    return each([&](int k) {
      F5 t;
      for (int i = 0; i < 5; i++) t.l[i] = _mm512_mask_sub_epi64(a.h[k].l[i], half(mask, k), limbOf(3, i), a.h[k].l[i]);
      return t;
    });
  }
  IFMA_INLINE F twice(const F& a) {
    return each([&](int k) { return L::twice(a.h[k]); });
  }
  IFMA_INLINE F triple(const F& a) {
    return each([&](int k) { return L::triple(a.h[k]); });
  }
  IFMA_INLINE F canonical(const F& a) {
    return each([&](int k) { return L::canonical(a.h[k]); });
  }
  IFMA_INLINE F select(Mask mask, const F& a, const F& b) {
    return each([&](int k) { return L::select(half(mask, k), a.h[k], b.h[k]); });
  }
  IFMA_INLINE Mask isEqual(const F& a, const F& b) {
    return eachMask([&](int k) { return L::isEqual(a.h[k], b.h[k]); });
  }
  IFMA_INLINE Mask andNot(Mask a, Mask b) { return a & static_cast<Mask>(~b); }

  /** a b + c d with one reduction, not carried. The sum of both s t counts: up to 21 for below 5/4 m, up to 84 for below 2 m. */
  IFMA_ONCE F mulTwoLazily(const F& a, const F& b, const F& c, const F& d) {
    V t[2][10];
    IFMA_UNROLL
    for (int i = 0; i < 10; i++) t[0][i] = t[1][i] = firstOf(i);
    IFMA_UNROLL
    for (int i = 0; i < 5; i++) {
      addRow(t, a, b, i);
      addRow(t, c, d, i);
      reduceColumns(t, i);
    }
    return resultOf(t);
  }
  IFMA_ONCE F mulOnce(const F& a, const F& b) { return mulLazily(a, b); }
  /**
   * (a0 + a1 u)(b0 + b1 u) with u^2 = -1, not carried. A slope's factors are below 6 m and 5/4 m, so s t is 6 (5/4 + 6) = 43.5 for
   * its c0, which is below 8/5 m, and 15 for its c1. A slope times a difference below 11/2 m has 8/5 * 11/2 + 5/4 * 6 = 16.3 at most.
   */
  IFMA_INLINE void mulComplexLazily(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) {
    c0 = mulTwoLazily(a0, b0, a1, negate(b1));
    c1 = mulTwoLazily(a0, b1, a1, b0);
  }
  IFMA_INLINE void mulComplex(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) {
    mulComplexLazily(a0, a1, b0, b1, c0, c1);
    c0 = carry(c0), c1 = carry(c1);
  }
  /** (a0 + a1)(a0 - a1), 2 a0 a1; for a below 2 m in both, not carried: at most 4 * 5 for s t. */
  IFMA_INLINE void sqrComplexLazily(const F& a0, const F& a1, F& c0, F& c1) {
    c0 = mulOnce(sum(a0, a1), sub(a0, a1));
    c1 = mulOnce(twice(a0), a1);
  }
  IFMA_INLINE void sqrComplex(const F& a0, const F& a1, F& c0, F& c1) {
    sqrComplexLazily(a0, a1, c0, c1);
    c0 = carry(c0), c1 = carry(c1);
  }
  /** Of a, b below 11/2 m: 60.5 for s t, so below 2 m. */
  IFMA_INLINE F sumOfSquares(const F& a, const F& b) { return carry(mulTwoLazily(a, a, b, b)); }

  IFMA_INLINE F load(const PointRef* refs, size_t offset) {
    return each([&](int k) { return L::load(refs + 8 * k, offset); });
  }
  IFMA_INLINE void store(u64* const* out, size_t offset, const F& a) {
    for (int k = 0; k < 2; k++) L::store(out + 8 * k, offset, a.h[k]);
  }
  IFMA_INLINE Mask negatedMask(const PointRef* refs) {
    return eachMask([&](int k) { return _mm512_test_epi64_mask(_mm512_loadu_si512(refs + 8 * k), splat(negatedFlag)); });
  }
  IFMA_INLINE Mask plainMask(const PointRef* refs) {
    return eachMask([&](int k) { return _mm512_testn_epi64_mask(_mm512_loadu_si512(refs + 8 * k), splat(negatedFlag)); });
  }

  /** See Lanes::invertAllLanes. */
  static bool invertAllLanes(const F& a, F& out) {
    F5 inverse;
    if (!L::invertAllLanes(L::mul(a.h[0], a.h[1]), inverse)) return false;
    out = F{{L::mul(inverse, a.h[1]), L::mul(inverse, a.h[0])}};
    return true;
  }
};

}  // namespace ifma
