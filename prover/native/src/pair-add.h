// Affine additions in batches with one inversion (Montgomery's trick), written once for both paths. Ops has
// `lanes` additions in each step; all lanes share the inversion too.
//
//   l = (y2 - y1) / (x2 - x1),   x3 = l^2 - x1 - x2,   y3 = l (x1 - x3) - y1
//
// A plain batch has no test for equal or opposite points: they make the product of all denominators zero,
// and then the batch runs again with the tests.
#pragma once
#include "kernels/kernels.h"

// How a path has a coordinate's functions compiled.
#ifndef PAIR_INLINE
#define PAIR_INLINE static
#endif

template <class Ops>
struct CoordinateG1 {
  using F = typename Ops::F;
  using E = F;
  using Mask = typename Ops::Mask;
  static constexpr size_t bytes = 32;
  PAIR_INLINE E load(const PointRef* refs, size_t offset) { return Ops::load(refs, offset); }
  PAIR_INLINE void store(u64* const* out, size_t offset, const E& a) { Ops::store(out, offset, a); }
  PAIR_INLINE E sub(const E& a, const E& b) { return Ops::sub(a, b); }
  PAIR_INLINE E add(const E& a, const E& b) { return Ops::sum(a, b); }
  PAIR_INLINE E mul(const E& a, const E& b) { return Ops::mul(a, b); }
  PAIR_INLINE E sqr(const E& a) { return Ops::sqr(a); }
  /** a b + c, where negateIf gave c. */
  PAIR_INLINE E mulPlus(const E& a, const E& b, const E& c) { return Ops::mulPlus(a, b, c); }
  /** a^2 - 2 b - c, where sub gave c. */
  PAIR_INLINE E sqrMinus(const E& a, const E& b, const E& c) { return Ops::sqrMinus(a, b, c); }
  PAIR_INLINE E negateIf(Mask m, const E& a) { return Ops::negateIf(m, a); }
  PAIR_INLINE E canonical(const E& a) { return Ops::canonical(a); }
  PAIR_INLINE E triple(const E& a) { return Ops::triple(a); }
  PAIR_INLINE E twice(const E& a) { return Ops::twice(a); }
  PAIR_INLINE E select(Mask m, const E& a, const E& b) { return Ops::select(m, a, b); }
  PAIR_INLINE Mask isEqual(const E& a, const E& b) { return Ops::isEqual(a, b); }
  PAIR_INLINE E one() { return Ops::one(); }
  PAIR_INLINE F norm(const E& a) { return a; }
  /** x2 - x1, of which `norm` is the norm. */
  PAIR_INLINE E difference(const PointRef*, const E&, const F& norm) { return norm; }
  PAIR_INLINE E inverse(const E&, const F& normInverse) { return normInverse; }
};

template <class Ops>
struct CoordinateG2 {
  using F = typename Ops::F;
  struct E {
    F c0, c1;
  };
  using Mask = typename Ops::Mask;
  static constexpr size_t bytes = 64;
  PAIR_INLINE E load(const PointRef* refs, size_t offset) {
    return {Ops::load(refs, offset), Ops::load(refs, offset + 32)};
  }
  PAIR_INLINE void store(u64* const* out, size_t offset, const E& a) {
    Ops::store(out, offset, a.c0);
    Ops::store(out, offset + 32, a.c1);
  }
  PAIR_INLINE E sub(const E& a, const E& b) { return {Ops::sub(a.c0, b.c0), Ops::sub(a.c1, b.c1)}; }
  PAIR_INLINE E add(const E& a, const E& b) { return {Ops::sum(a.c0, b.c0), Ops::sum(a.c1, b.c1)}; }
  PAIR_INLINE E mul(const E& a, const E& b) {
    E out;
    Ops::mulComplex(a.c0, a.c1, b.c0, b.c1, out.c0, out.c1);
    return out;
  }
  PAIR_INLINE E sqr(const E& a) {
    E out;
    Ops::sqrComplex(a.c0, a.c1, out.c0, out.c1);
    return out;
  }
  PAIR_INLINE E mulPlus(const E& a, const E& b, const E& c) {
    E product;
    Ops::mulComplexLazily(a.c0, a.c1, b.c0, b.c1, product.c0, product.c1);
    return {Ops::plus(product.c0, c.c0), Ops::plus(product.c1, c.c1)};
  }
  PAIR_INLINE E sqrMinus(const E& a, const E& b, const E& c) {
    E square;
    Ops::sqrComplexLazily(a.c0, a.c1, square.c0, square.c1);
    return {Ops::minusTwice(square.c0, b.c0, c.c0), Ops::minusTwice(square.c1, b.c1, c.c1)};
  }
  PAIR_INLINE E negateIf(Mask m, const E& a) { return {Ops::negateIf(m, a.c0), Ops::negateIf(m, a.c1)}; }
  PAIR_INLINE E canonical(const E& a) { return {Ops::canonical(a.c0), Ops::canonical(a.c1)}; }
  PAIR_INLINE E triple(const E& a) { return {Ops::triple(a.c0), Ops::triple(a.c1)}; }
  PAIR_INLINE E twice(const E& a) { return {Ops::twice(a.c0), Ops::twice(a.c1)}; }
  PAIR_INLINE E select(Mask m, const E& a, const E& b) { return {Ops::select(m, a.c0, b.c0), Ops::select(m, a.c1, b.c1)}; }
  PAIR_INLINE Mask isEqual(const E& a, const E& b) { return Ops::isEqual(a.c0, b.c0) & Ops::isEqual(a.c1, b.c1); }
  PAIR_INLINE E one() { return {Ops::one(), Ops::zero()}; }
  /** a times its conjugate, which is in the base field: only that is inverted. */
  PAIR_INLINE F norm(const E& a) { return Ops::sumOfSquares(a.c0, a.c1); }
  PAIR_INLINE E difference(const PointRef* b, const E& x1, const F&) { return sub(load(b, 0), x1); }
  PAIR_INLINE E inverse(const E& a, const F& normInverse) {
    return {Ops::mul(a.c0, normInverse), Ops::mul(Ops::negate(a.c1), normInverse)};
  }
};

template <class Ops, template <class> class CoordinateOf>
struct PairAdder {
  using C = CoordinateOf<Ops>;
  using E = typename C::E;
  using F = typename Ops::F;
  using Mask = typename Ops::Mask;
  static constexpr size_t yOffset = C::bytes;

  static bool run(const PairBatch& batch, PairScratch& scratch) {
    pad(batch);
    return !runPlain(batch, scratch) && runTested(batch, scratch);
  }

 private:
  static size_t stepsOf(const PairBatch& batch) { return (batch.count + Ops::lanes - 1) / Ops::lanes; }

  /** Fills the last step with an addition of numbers whose difference is not zero. */
  static void pad(const PairBatch& batch) {
    alignas(64) static const u64 first[16] = {};
    alignas(64) static const u64 second[16] = {1};
    alignas(64) static thread_local u64 nowhere[16];
    for (size_t i = batch.count; i < stepsOf(batch) * Ops::lanes; i++) {
      batch.a[i] = reinterpret_cast<PointRef>(first);
      batch.b[i] = reinterpret_cast<PointRef>(second);
      batch.out[i] = nowhere;
    }
  }

  /** The inverse of the product in each of two chains; false where one is zero. */
  static bool invertChains(F run[2]) {
    F inverse;
    if (!Ops::invertAllLanes(Ops::mul(run[0], run[1]), inverse)) return false;
    const F first = Ops::mul(inverse, run[1]);
    run[1] = Ops::mul(inverse, run[0]);
    run[0] = first;
    return true;
  }

  static bool runPlain(const PairBatch& batch, PairScratch& scratch) {
    const size_t steps = stepsOf(batch);
    F* const norms = scratch.bytes.as<F>();
    F* const prefixes = norms + steps;
    F run[2] = {Ops::one(), Ops::one()}; // two chains, so that one's latency hides behind the other
    // A few after each product: a processor waits where more are asked for at once than it has room for, about two dozen.
    const size_t fetches = (batch.upcoming.count + 8 * steps - 1) / (8 * steps);
    size_t fetched = 0;
    const auto fetchSome = [&] {
      batch.upcoming.fetch(fetched, fetched + fetches);
      fetched += fetches;
    };
    for (size_t s = 0; s < steps; s++) {
      fetchSome();
      const E x1 = C::load(batch.a + s * Ops::lanes, 0);
      const E x2 = C::load(batch.b + s * Ops::lanes, 0);
      const F norm = C::norm(C::sub(x2, x1));
      norms[s] = norm;
      fetchSome();
      prefixes[s] = run[s & 1];
      run[s & 1] = Ops::mul(run[s & 1], norm);
    }
    if (!invertChains(run)) return false;
    for (size_t s = steps; s-- > 0;) {
      fetchSome();
      const PointRef *a = batch.a + s * Ops::lanes, *b = batch.b + s * Ops::lanes;
      const F norm = norms[s], normInverse = Ops::mul(run[s & 1], prefixes[s]);
      fetchSome();
      run[s & 1] = Ops::mul(run[s & 1], norm);
      fetchSome();
      const E x1 = C::load(a, 0), difference = C::difference(b, x1, norm);
      const E minusY1 = C::negateIf(Ops::plainMask(a), C::load(a, yOffset));
      const E y2 = C::negateIf(Ops::negatedMask(b), C::load(b, yOffset));
      const E slope = C::mul(C::add(y2, minusY1), C::inverse(difference, normInverse));
      fetchSome();
      const E x3 = C::sqrMinus(slope, x1, difference);
      fetchSome();
      const E y3 = C::mulPlus(slope, C::sub(x1, x3), minusY1);
      fetchSome();
      C::store(batch.out + s * Ops::lanes, 0, x3);
      C::store(batch.out + s * Ops::lanes, yOffset, y3);
    }
    return true;
  }

  struct Operands {
    E x1, y1, x2, y2;
    Mask isDouble, isOpposite;
  };

  static Operands read(const PointRef* a, const PointRef* b) {
    Operands o;
    o.x1 = C::canonical(C::load(a, 0)), o.x2 = C::canonical(C::load(b, 0));
    o.y1 = C::canonical(C::negateIf(Ops::negatedMask(a), C::load(a, yOffset)));
    o.y2 = C::canonical(C::negateIf(Ops::negatedMask(b), C::load(b, yOffset)));
    const Mask isSameX = C::isEqual(o.x1, o.x2);
    o.isDouble = isSameX & C::isEqual(o.y1, o.y2);
    o.isOpposite = Ops::andNot(isSameX, o.isDouble);
    return o;
  }

  static E denominator(const Operands& o) {
    const E d = C::select(o.isDouble, C::twice(o.y1), C::sub(o.x2, o.x1));
    return C::select(o.isOpposite, C::one(), d);
  }

  static bool runTested(const PairBatch& batch, PairScratch& scratch) {
    const size_t steps = stepsOf(batch);
    F* const norms = scratch.bytes.as<F>();
    F* const prefixes = norms + steps;
    F run[2] = {Ops::one(), Ops::one()};
    for (size_t s = 0; s < steps; s++) {
      const Operands o = read(batch.a + s * Ops::lanes, batch.b + s * Ops::lanes);
      norms[s] = C::norm(denominator(o));
      prefixes[s] = run[s & 1];
      run[s & 1] = Ops::mul(run[s & 1], norms[s]);
    }
    // Points of order 2 exist in neither group; on a damaged key the proof fails to verify.
    if (!invertChains(run)) run[0] = run[1] = Ops::zero();
    Mask anyInfinity = 0;
    for (size_t s = steps; s-- > 0;) {
      const Operands o = read(batch.a + s * Ops::lanes, batch.b + s * Ops::lanes);
      const F normInverse = Ops::mul(run[s & 1], prefixes[s]);
      run[s & 1] = Ops::mul(run[s & 1], norms[s]);
      const E top = C::select(o.isDouble, C::triple(C::sqr(o.x1)), C::sub(o.y2, o.y1));
      const E slope = C::mul(top, C::inverse(denominator(o), normInverse));
      E x3 = C::sqrMinus(slope, o.x1, C::sub(o.x2, o.x1));
      E y3 = C::mulPlus(slope, C::sub(o.x1, x3), C::negateIf(Ops::all(), o.y1));
      const E nothing = C::sub(o.x1, o.x1);
      x3 = C::select(o.isOpposite, C::canonical(nothing), x3);
      y3 = C::select(o.isOpposite, C::canonical(nothing), y3);
      anyInfinity |= o.isOpposite;
      C::store(batch.out + s * Ops::lanes, 0, x3);
      C::store(batch.out + s * Ops::lanes, yOffset, y3);
    }
    return anyInfinity != 0;
  }
};
