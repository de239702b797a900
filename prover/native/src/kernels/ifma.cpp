// The AVX-512 IFMA path: its base field functions and its table.
#include <vector>

#include "../field.h"
#include "ifma-quotient.h"
#include "kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma,bmi2,adx")
#include "ifma-twice.h"
#define PAIR_INLINE IFMA_INLINE
#include "../pair-add.h"

namespace {

using Base = ifma::Lanes<BaseModulus>;
using Scalar = ifma::Lanes<ScalarModulus>;

/** out[i] = in[i] factor / 2^260, canonical. */
template <class L>
void scaleBy(const Words* in, const Words& factor, Words* out, size_t count) {
  const F5 f = L::splatWords(factor);
  for (size_t i = 0; i < count; i += 8) {
    // The last step reads and writes its last element again where lanes are left over.
    const auto at = [&](int lane) { return i + static_cast<size_t>(lane) < count ? i + static_cast<size_t>(lane) : count - 1; };
    const F5 a = L::gather([&](int lane) { return static_cast<const void*>(in + at(lane)); });
    L::scatter([&](int lane) { return static_cast<void*>(out + at(lane)); }, L::canonical(L::mul(a, f)));
  }
}

void importBase(const Words* in, Words* out, size_t count) {
  static constexpr Words factor = powerOfTwo(264, BaseModulus::value);
  scaleBy<Base>(in, factor, out, count);
}
void exportBase(const Words* in, Words* out, size_t count) {
  static constexpr Words factor = powerOfTwo(256, BaseModulus::value);
  scaleBy<Base>(in, factor, out, count);
}
void scaleBase(const Words* in, const Words& factor, Words* out, size_t count) { scaleBy<Base>(in, factor, out, count); }

template <class L, class M>
void multiply(const Words* a, const Words* b, Words* out, size_t count) {
  static constexpr Words r2 = powerOfTwo(520, M::value);
  const F5 square = L::splatWords(r2);
  for (size_t i = 0; i < count; i += 8) {
    const auto at = [&](int lane) { return i + static_cast<size_t>(lane) < count ? i + static_cast<size_t>(lane) : count - 1; };
    const F5 x = L::gather([&](int lane) { return static_cast<const void*>(a + at(lane)); });
    const F5 y = L::gather([&](int lane) { return static_cast<const void*>(b + at(lane)); });
    const F5 product = L::canonical(L::mul(L::mul(x, square), y));
    L::scatter([&](int lane) { return static_cast<void*>(out + at(lane)); }, product);
  }
}

const Kernels kernels = {
    "ifma",
    PairAdder<ifma::Twice<BaseModulus>, CoordinateG1>::run,
    PairAdder<ifma::Twice<BaseModulus>, CoordinateG2>::run,
    importBase,
    exportBase,
    scaleBase,
    multiply<Base, BaseModulus>,
    multiply<Scalar, ScalarModulus>,
    planIfmaQuotient,
    planIfmaMatrix,
};

}  // namespace
#pragma GCC pop_options

const Kernels* ifmaKernels() { return &kernels; }
#else
const Kernels* ifmaKernels() { return nullptr; }
#endif
