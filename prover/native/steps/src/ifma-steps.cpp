// Eight copies at once on AVX-512 IFMA.
#include "program.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include "../../src/kernels/kernels.h"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma,bmi2,adx")
#include "../../src/kernels/ifma-field.h"
#include "run.h"

namespace {

/**
 * Elements in memory are at most 2 m and carried; sums are below 4 m. A product of a < s m and b < t m comes out below
 * (1 + s t / 84) m, so all of them stay within what ifma-field.h takes.
 */
struct IfmaSteps {
  using Scalar = ifma::Lanes<ScalarModulus>;
  using F = F5;
  using Mask = __mmask8;
  using Constant = Limbs;
  static constexpr size_t lanes = 8;
  struct alignas(64) Unit {
    u64 l[5][8];
  };
  /** Products of constants and elements whose sum is reduced at once: below (1 + 2 · 40 / 84) m. */
  static constexpr size_t maxTerms = 40;

  static const Limbs* constants(const Program& program) { return program.limbs.data(); }

  IFMA_INLINE F load(const Unit& unit) {
    F out;
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_load_si512(unit.l[i]);
    return out;
  }
  IFMA_INLINE void store(Unit& to, const F& a) {
    for (int i = 0; i < 5; i++) _mm512_store_si512(to.l[i], a.l[i]);
  }
  IFMA_INLINE F splat(const Limbs& a) {
    F out;
    for (int i = 0; i < 5; i++) out.l[i] = ifma::splat(a.l[i]);
    return out;
  }
  IFMA_INLINE F one() { return Scalar::one(); }
  /** a - b + 4 m, carried. */
  IFMA_INLINE F subtract(const F& a, const F& b) {
    F out = ifma::subLazy(a, b);
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_add_epi64(out.l[i], Scalar::modulusLimb(i, 2));
    return ifma::carry(out);
  }

  /** Lower and upper halves by themselves: a column waits for its last addition half as often. */
  static F sumOf(const Term<Unit, Limbs>* terms, size_t count, size_t group) {
    V low[9], high[9];
    for (int i = 0; i < 9; i++) low[i] = high[i] = _mm512_setzero_si512();
    for (size_t k = 0; k < count; k++) {
      const Unit& wire = terms[k].wire[group];
      const Limbs& factor = *terms[k].factor;
      const F a = load(wire);
      for (int j = 0; j < 5; j++) {
        const V b = ifma::splat(factor.l[j]);
        for (int i = 0; i < 5; i++) {
          low[i + j] = ifma::low(low[i + j], a.l[i], b);
          high[i + j] = ifma::high(high[i + j], a.l[i], b);
        }
      }
    }
    ifma::Wide w;
    w.t[0] = low[0], w.t[9] = high[8];
    for (int i = 1; i < 9; i++) w.t[i] = _mm512_add_epi64(low[i], high[i - 1]);
    return Scalar::reduce(w);
  }
  /** Below 4 m, carried. */
  static F sum(const Term<Unit, Limbs>* terms, size_t count, size_t group, const Limbs* constants) {
    if (count == 0) return Scalar::zero();
    if (count == 1 && terms->factor == constants) return load(terms->wire[group]);
    F out = sumOf(terms, std::min(count, maxTerms), group);
    for (size_t from = maxTerms; from < count; from += maxTerms)
      out = Scalar::reduceLoosely(ifma::addLazy(out, sumOf(terms + from, std::min(count - from, maxTerms), group)));
    return out;
  }

  static F mul(const F& a, const F& b) { return Scalar::mul(a, b); }
  static F scaled(const F& a, const Limbs& scale) { return mul(a, splat(scale)); }
  /** (a b - c) scale. */
  static F product(const F& a, const F& b, const F& c, const Limbs& scale) { return scaled(subtract(mul(a, b), c), scale); }
  /** c - a b, below 8 m and brought below 2 m. */
  static F difference(const F& c, const F& a, const F& b) { return mul(subtract(c, mul(a, b)), one()); }
  /** factor b - own. */
  static F scaledLess(const F& b, const Limbs& factor, const Limbs& own) {
    return mul(subtract(scaled(b, factor), splat(own)), one());
  }

  static Mask zeros(const F& a) { return Scalar::isZero(Scalar::canonical(a)); }
  static bool isAllZero(const F& a) { return zeros(a) == 0xff; }
  static bool isAllZeroWhere(Mask mask, const F& a) { return (zeros(a) & mask) == mask; }
  static F oneWhere(Mask mask, const F& a) { return Scalar::select(mask, one(), a); }
  static F zeroWhere(Mask mask, const F& a) { return Scalar::select(mask, Scalar::zero(), a); }
  static F inverse(const F& a) {
    F out;
    if (!Scalar::invertAllLanes(a, out)) throw std::runtime_error("no lane is 0 here");
    return out;
  }

  static F fromPlain(const Words* plain) {
    static constexpr Words r2 = powerOfTwo(520, ScalarModulus::value);
    return mul(Scalar::gather([&](int lane) { return static_cast<const void*>(plain + lane); }), Scalar::splatWords(r2));
  }
  static void toPlain(const F& a, Words* plain) {
    const F out = Scalar::canonical(mul(a, Scalar::splatWords(Words{{1, 0, 0, 0}})));
    Scalar::scatter([&](int lane) { return static_cast<void*>(plain + lane); }, out);
  }
  static F flags(unsigned mask) { return Scalar::select(static_cast<Mask>(mask), one(), Scalar::zero()); }
  /** 2 m - a in the lanes of the mask. */
  static F negatedWhere(unsigned mask, const F& a) { return ifma::carry(Scalar::negateIf(static_cast<Mask>(mask), a)); }
  static F gather(const Limbs* const* from) {
    Unit unit;
    for (size_t lane = 0; lane < lanes; lane++)
      for (int i = 0; i < 5; i++) unit.l[i][lane] = from[lane]->l[i];
    return load(unit);
  }
};

i64 run(const Program& program, const Copies& copies) { return Run<IfmaSteps>(program, copies).all(); }

}  // namespace
#pragma GCC pop_options

steps::RunLanes steps::ifmaSteps() { return run; }
#else
steps::RunLanes steps::ifmaSteps() { return nullptr; }
#endif
