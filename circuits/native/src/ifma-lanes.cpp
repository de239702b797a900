// Lanes on AVX-512 IFMA.
#include "lanes.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include "../../../prover/native/src/kernels/kernels.h"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma,bmi2,adx")
#include "../../../prover/native/src/kernels/ifma-field.h"
#include "curve-lanes.h"
#include "poseidon-lanes.h"
#include "poseidon-one.h"

namespace {

using Scalar = ifma::Lanes<ScalarModulus>;

struct IfmaSums {
  struct Scope {};
  /** Lower and upper halves by themselves: a column waits for its last addition half as often. */
  struct Sum {
    V low[9], high[9];
  };
  IFMA_INLINE Sum nothing(size_t) {
    Sum out;
    for (int i = 0; i < 9; i++) out.low[i] = out.high[i] = _mm512_setzero_si512();
    return out;
  }
  IFMA_INLINE void addProduct(Sum& sum, const F5& a, const Limbs& b) {
    for (int j = 0; j < 5; j++) {
      const V factor = ifma::splat(b.l[j]);
      for (int i = 0; i < 5; i++) {
        sum.low[i + j] = ifma::low(sum.low[i + j], a.l[i], factor);
        sum.high[i + j] = ifma::high(sum.high[i + j], a.l[i], factor);
      }
    }
  }
  /** The same numbers times one of each lane. */
  IFMA_INLINE void addProduct(Sum& sum, const Limbs& a, const LaneNumbers& b) {
    for (int j = 0; j < 5; j++) {
      const V factor = _mm512_load_si512(b.l[j]);
      for (int i = 0; i < 5; i++) {
        sum.low[i + j] = ifma::low(sum.low[i + j], ifma::splat(a.l[i]), factor);
        sum.high[i + j] = ifma::high(sum.high[i + j], ifma::splat(a.l[i]), factor);
      }
    }
  }
  IFMA_INLINE void addProduct(Sum& sum, const F5& a, const LaneNumbers& b) {
    for (int j = 0; j < 5; j++) {
      const V factor = _mm512_load_si512(b.l[j]);
      for (int i = 0; i < 5; i++) {
        sum.low[i + j] = ifma::low(sum.low[i + j], a.l[i], factor);
        sum.high[i + j] = ifma::high(sum.high[i + j], a.l[i], factor);
      }
    }
  }
  IFMA_INLINE F5 load(const LaneNumbers& a) {
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_load_si512(a.l[i]);
    return out;
  }
  IFMA_INLINE void store(LaneNumbers& to, const F5& a) {
    for (int i = 0; i < 5; i++) _mm512_store_si512(to.l[i], a.l[i]);
  }
  /** One lane's element in all lanes. */
  IFMA_INLINE F5 fromLane(const F5& a, size_t lane) {
    const V index = ifma::splat(lane);
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_permutexvar_epi64(index, a.l[i]);
    return out;
  }
  IFMA_INLINE F5 reduce(const Sum& sum) {
    ifma::Wide w;
    w.t[0] = sum.low[0], w.t[9] = sum.high[8];
    for (int i = 1; i < 9; i++) w.t[i] = _mm512_add_epi64(sum.low[i], sum.high[i - 1]);
    return Scalar::reduce(w);
  }
  IFMA_INLINE F5 splat(const Limbs& a) {
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = ifma::splat(a.l[i]);
    return out;
  }
  IFMA_INLINE F5 addLazy(const F5& a, const F5& b) { return ifma::addLazy(a, b); }
  IFMA_INLINE F5 subLazy(const F5& a, const F5& b) { return ifma::subLazy(a, b); }
  IFMA_INLINE F5 carry(const F5& a) { return ifma::carry(a); }
  IFMA_INLINE F5 plus(const F5& a, const F5& b) { return ifma::carry(ifma::addLazy(a, b)); }
  /** a + 2 m, carried. */
  IFMA_INLINE F5 plusTwo(const F5& a) {
    F5 out;
    for (int i = 0; i < 5; i++) out.l[i] = _mm512_add_epi64(a.l[i], Scalar::modulusLimb(i, 1));
    return ifma::carry(out);
  }
  IFMA_INLINE __mmask8 maskOf(unsigned bits) { return static_cast<__mmask8>(bits); }
  IFMA_INLINE unsigned bitsOf(__mmask8 mask) { return mask; }
};

const LaneKernels kernels = {"ifma", 3, LaneHash<Scalar, IfmaSums>::all, OneHash<Scalar, IfmaSums>::hash,
                             LaneCheck<Scalar, IfmaSums>::all};

}  // namespace
#pragma GCC pop_options

const LaneKernels* ifmaLanes() { return &kernels; }
#else
const LaneKernels* ifmaLanes() { return nullptr; }
#endif
