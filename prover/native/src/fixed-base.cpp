#include "fixed-base.h"

#include <algorithm>

#include "curve.h"

namespace {

/** Bits of a scalar below the group's order, and one for the last digit's carry. */
constexpr unsigned scalarBits = 255;

/** Generators with plain coordinates: EIP-197. */
constexpr Words generatorG1[2] = {{{1, 0, 0, 0}}, {{2, 0, 0, 0}}};
constexpr Words generatorG2[4] = {
    {{0x46debd5cd992f6ed, 0x674322d4f75edadd, 0x426a00665e5c4479, 0x1800deef121f1e76}},
    {{0x97e485b7aef312c2, 0xf1aa493335a9e712, 0x7260bfb731fb5d25, 0x198e9393920d483a}},
    {{0x4ce6cc0166fa7daa, 0xe3d1e7690c43d37b, 0x4aab71808dcb408f, 0x12c85ea5db8c6deb}},
    {{0x55acdadcd122975b, 0xbc4b313370b38ef3, 0xec9e99ad690c3395, 0x090689d0585ff075}},
};

u32 bitsAt(const Words& scalar, unsigned bit, unsigned count) {
  const unsigned word = bit / 64, shift = bit % 64;
  u64 out = scalar.w[word] >> shift;
  if (shift > 0 && word < 3) out |= scalar.w[word + 1] << (64 - shift);
  return static_cast<u32>(out & ((u64{1} << count) - 1));
}

}  // namespace

FixedBase::FixedBase(const Kernels& kernels, bool isG2, unsigned windowBits)
    : kernels_(kernels),
      isG2_(isG2),
      windowBits_(windowBits),
      windowCount_((scalarBits + windowBits - 1) / windowBits),
      entryCount_(size_t{1} << (windowBits - 1)),
      tables_(windowCount_ * entryCount_ * pointBytes()),
      sums_(maxPairs * pointBytes()),
      refs_(maxPairs),
      carries_(maxPairs),
      a_(maxPairs + 16),
      b_(maxPairs + 16),
      out_(maxPairs + 16) {
  buildTables();
}

/** Doubles each table's length until it is full: entry k + i is entry k - 1 plus entry i. */
void FixedBase::buildTables() {
  const size_t coordinates = pointBytes() / sizeof(Words);
  Words* const first = reinterpret_cast<Words*>(entryAt(0, 0));
  for (size_t i = 0; i < coordinates; i++) first[i] = Fp::toMontgomery((isG2_ ? generatorG2 : generatorG1)[i]);
  kernels_.importBase(first, first, coordinates);
  const auto refOf = [&](size_t window, size_t index) { return reinterpret_cast<PointRef>(entryAt(window, index)); };
  for (size_t window = 0; window < windowCount_; window++) {
    for (size_t length = 1; length < entryCount_; length *= 2) {
      const PointRef last = refOf(window, length - 1);
      for (size_t i = 0; i + 1 < length; i++) emit(refOf(window, i), last, entryAt(window, length + i));
      flush();
      // Equal points, by themselves: a batch that has them takes twice as long.
      emit(last, last, entryAt(window, 2 * length - 1));
      flush();
    }
    if (window + 1 == windowCount_) continue;
    const PointRef half = refOf(window, entryCount_ - 1);
    emit(half, half, entryAt(window + 1, 0));
    flush();
  }
}

void FixedBase::multiply(const Words* scalars, size_t count, unsigned char* out) {
  for (size_t from = 0; from < count; from += maxPairs) {
    const size_t n = std::min(count - from, maxPairs);
    std::fill_n(refs_.begin(), n, PointRef{0});
    std::fill_n(carries_.begin(), n, 0);
    for (size_t window = 0; window < windowCount_; window++) addWindow(window, scalars + from, n);
    for (size_t i = 0; i < n; i++) {
      char* const sum = sumAt(i);
      // The highest digit is positive, so an entry without company is not negated.
      const char* const point = reinterpret_cast<const char*>(refs_[i]);
      if (point == nullptr) std::memset(sum, 0, pointBytes());
      else if (point != sum) std::memcpy(sum, point, pointBytes());
    }
    Words* const sums = sums_.as<Words>();
    kernels_.exportBase(sums, sums, n * pointBytes() / sizeof(Words));
    std::memcpy(out + from * pointBytes(), sums, n * pointBytes());
  }
}

/** Adds the entries that the window's digits name, at most maxPairs of them. */
void FixedBase::addWindow(size_t window, const Words* scalars, size_t count) {
  const u32 size = u32{1} << windowBits_;
  const unsigned bit = static_cast<unsigned>(window) * windowBits_;
  const unsigned bits = std::min(windowBits_, 256 - bit);
  for (size_t i = 0; i < count; i++) {
    u32 digit = bitsAt(scalars[i], bit, bits) + carries_[i];
    const bool isNegative = 2 * digit > size;
    carries_[i] = isNegative ? 1 : 0;
    if (isNegative) digit = size - digit;
    if (digit == 0) continue;
    const PointRef entry = reinterpret_cast<PointRef>(entryAt(window, digit - 1)) | (isNegative ? negatedFlag : 0);
    if (refs_[i] == 0) {
      refs_[i] = entry;
      continue;
    }
    emit(refs_[i], entry, sumAt(i));
    refs_[i] = reinterpret_cast<PointRef>(sumAt(i));
  }
  flush();
}

void FixedBase::emit(PointRef a, PointRef b, char* out) {
  a_[pairCount_] = a, b_[pairCount_] = b, out_[pairCount_] = reinterpret_cast<u64*>(out);
  if (++pairCount_ == maxPairs) flush();
}

void FixedBase::flush() {
  if (pairCount_ == 0) return;
  const PairBatch batch{a_.data(), b_.data(), out_.data(), pairCount_, {}};
  // No sum is infinity: a scalar below r and its digits from below are multiples of r only where they are 0.
  (isG2_ ? kernels_.addPairsG2 : kernels_.addPairsG1)(batch, scratch_);
  pairCount_ = 0;
}
