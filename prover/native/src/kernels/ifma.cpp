// The AVX-512 IFMA path: its base field functions and its table.
#include <algorithm>
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

/** Eight halves at once. */
size_t cutHalves(const HalvesView& view, const DigitWindow& window, Digit* out) {
  static_assert(sizeof(Half) == 16 && sizeof(Digit) == 8);
  const V evens = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), odds = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
  const V offsetLow = ifma::splat(static_cast<u64>(window.offset)), offsetHigh = ifma::splat(static_cast<u64>(window.offset >> 64));
  const V half = ifma::splat(window.half), mask = ifma::splat(window.mask), one = ifma::splat(1);
  // A count of 64 and more, negative ones among them, shifts everything out.
  const auto countOf = [](unsigned count) { return _mm_cvtsi64_si128(static_cast<long long>(u64{count})); };
  const __m128i shift = countOf(window.shift), fromHigh = countOf(64 - window.shift), inHigh = countOf(window.shift - 64);
  size_t count = 0;
  for (size_t i = 0; i < view.count; i += 8) {
    const size_t left = std::min<size_t>(8, view.count - i);
    const __mmask8 lanes = static_cast<__mmask8>((1U << left) - 1);
    const u64* const words = reinterpret_cast<const u64*>(view.halves + i);
    const V first = _mm512_maskz_loadu_epi64(static_cast<__mmask8>((1U << std::min<size_t>(8, 2 * left)) - 1), words);
    const V second = _mm512_maskz_loadu_epi64(static_cast<__mmask8>((1U << (left > 4 ? 2 * left - 8 : 0)) - 1), words + 8);
    const V highAndSign = _mm512_permutex2var_epi64(first, odds, second);
    const V low = _mm512_add_epi64(_mm512_permutex2var_epi64(first, evens, second), offsetLow);
    V high = _mm512_add_epi64(_mm512_andnot_si512(ifma::splat(halfSign), highAndSign), offsetHigh);
    high = _mm512_mask_add_epi64(high, _mm512_cmplt_epu64_mask(low, offsetLow), high, one);
    V digit = _mm512_or_si512(_mm512_srl_epi64(low, shift), _mm512_sll_epi64(high, fromHigh));
    digit = _mm512_and_si512(_mm512_or_si512(digit, _mm512_srl_epi64(high, inHigh)), mask);
    digit = _mm512_sub_epi64(digit, half);
    const __m256i ids = _mm256_maskz_loadu_epi32(lanes, view.ids + i);
    const __m256i index = _mm256_mmask_i32gather_epi32(_mm256_set1_epi32(static_cast<int>(noPoint)), lanes, _mm256_srli_epi32(ids, 1),
                                                       window.indexOf, 4);
    const __mmask8 kept = lanes & _mm256_cmpneq_epi32_mask(index, _mm256_set1_epi32(static_cast<int>(noPoint))) &
                          _mm512_test_epi64_mask(digit, digit);
    const V phi = _mm512_slli_epi64(_mm512_and_si512(_mm512_cvtepu32_epi64(ids), one), 1);
    const V sign = _mm512_xor_si512(_mm512_srli_epi64(highAndSign, 63), _mm512_srli_epi64(digit, 63));
    const V entry = _mm512_or_si512(_mm512_slli_epi64(_mm512_cvtepu32_epi64(index), 2), _mm512_or_si512(phi, sign));
    const V pair = _mm512_or_si512(_mm512_abs_epi64(digit), _mm512_slli_epi64(entry, 32));
    _mm512_storeu_si512(out + count, _mm512_maskz_compress_epi64(kept, pair));
    count += static_cast<size_t>(__builtin_popcount(kept));
  }
  return count;
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
    cutHalves,
    planIfmaQuotient,
    planIfmaMatrix,
};

}  // namespace
#pragma GCC pop_options

const Kernels* ifmaKernels() { return &kernels; }
#else
const Kernels* ifmaKernels() { return nullptr; }
#endif
