// Lanes on AVX2 with fused multiply-add.
#include "lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include "../../../prover/native/src/kernels/kernels.h"
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2,adx")
#include "../../../prover/native/src/kernels/avx2-field.h"
#include "curve-lanes.h"
#include "poseidon-lanes.h"

namespace {

using Scalar = avx2::Lanes<ScalarModulus>;
using avx2::F;
using avx2::V;

struct Avx2Sums {
  using Scope = avx2::RoundToZero;
  using Sum = avx2::Wide;
  /** Starts at minus the exponents of `count` products. */
  AVX2_INLINE Sum nothing(size_t count) {
    Sum out;
    AVX2_UNROLL
    for (int c = 0; c < 10; c++) out.t[c] = avx2::splat(u64{0} - count * avx2::exponents(avx2::lowCount(c), avx2::highCount(c)));
    return out;
  }
  AVX2_INLINE void addProduct(Sum& sum, const F& a, const Limbs& b) {
    const avx2::Doubles y = avx2::toDoubles(splat(b));
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) {
      const avx2::D x = avx2::toDouble(a.l[i]);
      AVX2_UNROLL
      for (int j = 0; j < 5; j++) avx2::addProduct(sum.t[i + j], sum.t[i + j + 1], x, y.l[j]);
    }
  }
  AVX2_INLINE F reduce(const Sum& sum) { return Scalar::reduce(sum); }
  AVX2_INLINE F splat(const Limbs& a) {
    F out;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) out.l[i] = avx2::splat(a.l[i]);
    return out;
  }
  AVX2_INLINE F addLazy(const F& a, const F& b) { return avx2::addLazy(a, b); }
  AVX2_INLINE F subLazy(const F& a, const F& b) { return avx2::subLazy(a, b); }
  AVX2_INLINE F carry(const F& a) { return avx2::carry(a); }
  AVX2_INLINE F plus(const F& a, const F& b) { return avx2::carry(avx2::addLazy(a, b)); }
  /** a + 2 m, carried. */
  AVX2_INLINE F plusTwo(const F& a) {
    F out;
    AVX2_UNROLL
    for (int i = 0; i < 5; i++) out.l[i] = avx2::add(a.l[i], Scalar::modulusLimb(i, 1));
    return avx2::carry(out);
  }
  AVX2_INLINE avx2::Mask maskOf(unsigned bits) {
    const __m256i all = _mm256_set1_epi64x(bits);
    const __m256i low = _mm256_set_epi64x(8, 4, 2, 1), high = _mm256_set_epi64x(128, 64, 32, 16);
    return V{{_mm256_cmpeq_epi64(_mm256_and_si256(all, low), low), _mm256_cmpeq_epi64(_mm256_and_si256(all, high), high)}};
  }
  AVX2_INLINE unsigned bitsOf(const avx2::Mask& mask) {
    const int low = _mm256_movemask_pd(_mm256_castsi256_pd(mask.v.h[0])), high = _mm256_movemask_pd(_mm256_castsi256_pd(mask.v.h[1]));
    return static_cast<unsigned>(low | high << 4);
  }
};

const LaneKernels kernels = {"avx2", 6, LaneHash<Scalar, Avx2Sums>::all, nullptr, LaneCheck<Scalar, Avx2Sums>::all};

}  // namespace
#pragma GCC pop_options

const LaneKernels* avx2Lanes() { return &kernels; }
#else
const LaneKernels* avx2Lanes() { return nullptr; }
#endif
