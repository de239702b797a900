// The AVX2 path: points' sums eight wide, transforms and matrices by the portable path.
#include "../field.h"
#include "kernels.h"
#include "portable-quotient.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2,adx")
#include "avx2-field.h"
#include "../pair-add.h"

namespace {

using Base = avx2::Lanes<BaseModulus>;
using Scalar = avx2::Lanes<ScalarModulus>;

/** out[at(lane)] = canonical next(at); the last step takes its last element again for lanes that are left over. */
template <class L, class Next>
__attribute__((noinline)) void eachEight(size_t count, Words* out, const Next& next) {
  for (size_t i = 0; i < count; i += 8) {
    const auto at = [&](int lane) { return i + static_cast<size_t>(lane) < count ? i + static_cast<size_t>(lane) : count - 1; };
    const avx2::F value = L::canonical(next(at));
    L::scatter([&](int lane) { return static_cast<void*>(out + at(lane)); }, value);
  }
}
template <class L, class At>
AVX2_INLINE avx2::F read(const Words* in, const At& at) {
  return L::gather([&](int lane) { return static_cast<const void*>(in + at(lane)); });
}

void scaleBase(const Words* in, const Words& factor, Words* out, size_t count) {
  const avx2::RoundToZero scope;
  eachEight<Base>(count, out, [&](const auto& at) { return Base::mul(read<Base>(in, at), Base::splatWords(factor)); });
}
void importBase(const Words* in, Words* out, size_t count) {
  static constexpr Words factor = powerOfTwo(264, BaseModulus::value);
  scaleBase(in, factor, out, count);
}
void exportBase(const Words* in, Words* out, size_t count) {
  static constexpr Words factor = powerOfTwo(256, BaseModulus::value);
  scaleBase(in, factor, out, count);
}

template <class L, class M>
void multiply(const Words* a, const Words* b, Words* out, size_t count) {
  const avx2::F square = L::splatWords(powerOfTwo(520, M::value));
  const avx2::RoundToZero scope;
  eachEight<L>(count, out, [&](const auto& at) {
    return L::mul(L::mul(read<L>(a, at), square), read<L>(b, at));
  });
}

template <template <class> class Coordinate>
__attribute__((noinline)) bool runPairs(const PairBatch& batch, PairScratch& scratch) {
  return PairAdder<Base, Coordinate>::run(batch, scratch);
}
template <template <class> class Coordinate>
bool addPairs(const PairBatch& batch, PairScratch& scratch) {
  const avx2::RoundToZero scope;
  return runPairs<Coordinate>(batch, scratch);
}

const Kernels kernels = {
    "avx2",
    addPairs<CoordinateG1>,
    addPairs<CoordinateG2>,
    importBase,
    exportBase,
    scaleBase,
    multiply<Base, BaseModulus>,
    multiply<Scalar, ScalarModulus>,
    cutHalvesSingly,
    planPortableQuotient,
    planPortableMatrix,
};

}  // namespace
#pragma GCC pop_options

const Kernels* avx2Kernels() { return &kernels; }
#else
const Kernels* avx2Kernels() { return nullptr; }
#endif
