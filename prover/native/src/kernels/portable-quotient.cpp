#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// Words are written 64 bits at a time. Copied 128 bits at a time, each copy would wait until two writes have reached the cache.
#pragma GCC target("general-regs-only")
#endif
#include "portable-quotient.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "../field.h"
#include "../roots.h"

namespace {

constexpr size_t chunkSize = 2048;

/** The transforms that ifma-quotient.cpp describes, without lanes. Elements have R = 2^256. */
class PortableQuotient final : public QuotientPlan {
 public:
  explicit PortableQuotient(unsigned power) : power_(power), size_(size_t{1} << power), inverseRoots_(size_ / 2), cosetRoots_(size_) {
    const Words inverseRoot = Fr::inv(rootOfUnity(power));
    std::vector<Words> powers(size_ / 2);
    Words root = Fr::one;
    for (Words& p : powers) p = root, root = Fr::mul(root, inverseRoot);
    for (size_t i = 0; i < size_ / 2; i++) inverseRoots_[i] = powers[reverseBits(i, power - 1)];
    for (unsigned level = 0; level < power; level++) {
      const Words base = rootOfUnity(level + 2), step = Fr::sqr(base);
      Words t = base;
      for (size_t j = 0; j < size_t{1} << level; j++) cosetRoots_[(size_t{1} << level) + j] = t, t = Fr::mul(t, step);
    }
    n_ = Fr::toMontgomery(Words{{size_, 0, 0, 0}});
  }

  size_t vectorBytes() const override { return size_ * sizeof(Words); }

  void quotient(u64* aBytes, u64* bBytes, u64* cBytes, Words* out, const ParallelFor& parallel) const override {
    Words* const vectors[3] = {reinterpret_cast<Words*>(aBytes), reinterpret_cast<Words*>(bBytes), reinterpret_cast<Words*>(cBytes)};
    const size_t chunk = std::min(size_, chunkSize), chunkCount = size_ / chunk;
    parallel(chunkCount, [&](size_t part) {
      for (size_t i = part * chunk; i < (part + 1) * chunk; i++)
        vectors[2][i] = Fr::mul(Fr::mul(vectors[0][i], vectors[1][i]), n_);
    });
    // Butterflies of a level are independent: chunks of them go to all threads.
    const auto level = [&](const auto& butterfly) {
      const size_t half = size_ / 2, part = std::min(half, chunkSize), parts = half / part;
      parallel(3 * parts, [&](size_t task) {
        Words* const x = vectors[task / parts];
        for (size_t k = task % parts * part; k < (task % parts + 1) * part; k++) butterfly(x, k);
      });
    };
    for (unsigned k = power_; k-- > 0;) {
      level([&](Words* x, size_t index) {
        const size_t block = index >> k, at = (block << (k + 1)) + (index & ((size_t{1} << k) - 1));
        combine(x[at], x[at + (size_t{1} << k)], inverseRoots_[block]);
      });
    }
    for (unsigned k = 0; k < power_; k++) {
      level([&](Words* x, size_t index) {
        const size_t j = index & ((size_t{1} << k) - 1), at = (index >> k << (k + 1)) + j;
        combine(x[at], x[at + (size_t{1} << k)], cosetRoots_[(size_t{1} << k) + j]);
      });
    }
    parallel(chunkCount, [&](size_t part) {
      for (size_t i = part * chunk; i < (part + 1) * chunk; i++)
        out[i] = Fr::fromMontgomery(Fr::sub(Fr::mul(vectors[0][i], vectors[1][i]), vectors[2][i]));
    });
  }

 private:
  static void combine(Words& a, Words& b, const Words& root) {
    const Words t = Fr::mul(root, b);
    b = Fr::sub(a, t);
    a = Fr::add(a, t);
  }

  unsigned power_;
  size_t size_;
  std::vector<Words> inverseRoots_, cosetRoots_;
  Words n_;
};

class PortableMatrix final : public MatrixPlan {
 public:
  explicit PortableMatrix(const MatrixRows& rows)
      : starts_(rows.starts, rows.starts + rows.domainSize + 1),
        wires_(rows.wires, rows.wires + starts_.back()),
        valueIndexes_(rows.valueIndexes, rows.valueIndexes + starts_.back()),
        values_(rows.values, rows.values + rows.valueCount) {
    const Words inverseN = Fr::inv(Fr::toMontgomery(Words{{rows.domainSize, 0, 0, 0}}));
    for (Words& value : values_) value = Fr::mul(value, inverseN);
  }

  void evaluate(const Words* witness, u64* outBytes, const ParallelFor& parallel) const override {
    Words* const out = reinterpret_cast<Words*>(outBytes);
    const size_t rowCount = starts_.size() - 1, chunkCount = (rowCount + chunkSize - 1) / chunkSize;
    parallel(chunkCount, [&](size_t part) {
      for (size_t row = part * chunkSize; row < std::min(rowCount, (part + 1) * chunkSize); row++) {
        Words sum = Fr::zero();
        for (u32 k = starts_[row]; k < starts_[row + 1]; k++)
          sum = Fr::add(sum, Fr::mul(witness[wires_[k]], values_[valueIndexes_[k]]));
        out[row] = sum;
      }
    });
  }
  size_t byteCount() const override { return (starts_.size() + 2 * wires_.size()) * sizeof(u32) + values_.size() * sizeof(Words); }

 private:
  std::vector<u32> starts_, wires_, valueIndexes_;
  std::vector<Words> values_;
};

}  // namespace

QuotientPlan* planPortableQuotient(unsigned domainPower) { return new PortableQuotient(domainPower); }
MatrixPlan* planPortableMatrix(const MatrixRows& rows) { return new PortableMatrix(rows); }
