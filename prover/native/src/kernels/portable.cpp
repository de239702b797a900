// The path for every 64-bit processor: one addition at a time, Montgomery with R = 2^256.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// Words are written 64 bits at a time. Copied 128 bits at a time, each copy would wait until two writes have reached the cache.
#pragma GCC target("general-regs-only")
#endif
#include "kernels.h"

#include "../field.h"
#include "../pair-add.h"
#include "portable-quotient.h"

namespace {

/** What PairAdder asks of a path, with a single lane. Elements are below q. */
struct Single {
  static constexpr size_t lanes = 1;
  using F = Words;
  using Mask = unsigned;
  static F zero() { return Fp::zero(); }
  static F one() { return Fp::one; }
  static F sum(const F& a, const F& b) { return Fp::add(a, b); }
  static F sub(const F& a, const F& b) { return Fp::sub(a, b); }
  static F plus(const F& a, const F& c) { return Fp::add(a, c); }
  static F minusTwice(const F& a, const F& b, const F& c) { return Fp::sub(Fp::sub(Fp::sub(a, b), b), c); }
  static F mul(const F& a, const F& b) { return Fp::mul(a, b); }
  static F sqr(const F& a) { return Fp::sqr(a); }
  static F mulPlus(const F& a, const F& b, const F& c) { return plus(Fp::mul(a, b), c); }
  static F sqrMinus(const F& a, const F& b, const F& c) { return minusTwice(Fp::sqr(a), b, c); }
  static F negate(const F& a) { return Fp::neg(a); }
  static F negateIf(Mask m, const F& a) { return m ? Fp::neg(a) : a; }
  static F canonical(const F& a) { return a; }
  static F twice(const F& a) { return Fp::add(a, a); }
  static F triple(const F& a) { return Fp::add(Fp::add(a, a), a); }
  static F select(Mask m, const F& a, const F& b) { return m ? a : b; }
  static Mask isZero(const F& a) { return ::isZero(a); }
  static Mask isEqual(const F& a, const F& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
  static Mask andNot(Mask a, Mask b) { return a & ~b; }
  static F sumOfSquares(const F& a, const F& b) { return Fp::add(Fp::sqr(a), Fp::sqr(b)); }
  static void mulComplex(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) {
    const Fp2::E c = Fp2::mul({a0, a1}, {b0, b1});
    c0 = c.c0, c1 = c.c1;
  }
  static void sqrComplex(const F& a0, const F& a1, F& c0, F& c1) {
    const Fp2::E c = Fp2::sqr({a0, a1});
    c0 = c.c0, c1 = c.c1;
  }
  static void mulComplexLazily(const F& a0, const F& a1, const F& b0, const F& b1, F& c0, F& c1) { mulComplex(a0, a1, b0, b1, c0, c1); }
  static void sqrComplexLazily(const F& a0, const F& a1, F& c0, F& c1) { sqrComplex(a0, a1, c0, c1); }
  static F load(const PointRef* refs, size_t offset) {
    F out;
    std::memcpy(&out, reinterpret_cast<const void*>((*refs & ~negatedFlag) + offset), sizeof out);
    return out;
  }
  static void store(u64* const* out, size_t offset, const F& a) {
    std::memcpy(reinterpret_cast<char*>(*out) + offset, &a, sizeof a);
  }
  static Mask all() { return 1; }
  static Mask negatedMask(const PointRef* refs) { return *refs & negatedFlag; }
  static Mask plainMask(const PointRef* refs) { return !(*refs & negatedFlag); }
  static bool invertAllLanes(const F& a, F& out) {
    out = Fp::inv(a);
    return !::isZero(a);
  }
};

void copyBase(const Words* in, Words* out, size_t count) {
  if (in != out) std::memcpy(out, in, count * sizeof(Words));
}
void scaleBase(const Words* in, const Words& factor, Words* out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = Fp::mul(in[i], factor);
}
template <class F>
void multiply(const Words* a, const Words* b, Words* out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = F::mul(F::toMontgomery(a[i]), b[i]);
}

const Kernels kernels = {
    "portable",
    PairAdder<Single, CoordinateG1>::run,
    PairAdder<Single, CoordinateG2>::run,
    copyBase,
    copyBase,
    scaleBase,
    multiply<Fp>,
    multiply<Fr>,
    cutHalvesSingly,
    planPortableQuotient,
    planPortableMatrix,
};

}  // namespace

const Kernels& portableKernels() { return kernels; }
