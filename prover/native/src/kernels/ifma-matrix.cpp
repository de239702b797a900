// A sparse matrix times the witness, eight rows at once.
#include <algorithm>
#include <numeric>
#include <vector>

#include "../field.h"
#include "ifma-quotient.h"

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma,bmi2,adx")
#include "ifma-field.h"

namespace {

using L = ifma::Lanes<ScalarModulus>;

// Rows next to each other read wires next to each other; among this many, rows of one length go together.
constexpr size_t sortedRows = 1024;
// A sum of 64 products of numbers below r is below 84 r 2^260, which one reduction takes.
constexpr u32 termsPerReduction = 64;

class IfmaMatrix final : public MatrixPlan {
 public:
  explicit IfmaMatrix(const MatrixRows& rows) : rowCount_(rows.domainSize) {
    // From c 2^512 to (c / n) 2^520: the witness is a plain integer, and a product divides by 2^260.
    Words factor = Fr::inv(Fr::toMontgomery(Words{{rows.domainSize, 0, 0, 0}}));
    for (int i = 0; i < 8; i++) factor = Fr::add(factor, factor);
    values_.assign(rows.values, rows.values + rows.valueCount);
    for (Words& value : values_) value = Fr::mul(value, factor);
    const u32 zero = static_cast<u32>(values_.size());
    values_.push_back(Words{});

    order_.resize(rowCount_);
    std::iota(order_.begin(), order_.end(), 0);
    const auto length = [&](u32 row) { return rows.starts[row + 1] - rows.starts[row]; };
    for (size_t from = 0; from < rowCount_; from += sortedRows) {
      const size_t to = std::min(rowCount_, from + sortedRows);
      std::stable_sort(order_.begin() + static_cast<std::ptrdiff_t>(from), order_.begin() + static_cast<std::ptrdiff_t>(to),
                       [&](u32 a, u32 b) { return length(a) > length(b); });
    }
    // Exactly as long as it will be: growing would take twice the memory for a moment.
    size_t termCount = 0;
    for (size_t i = 0; i < rowCount_; i += 8) termCount += size_t{8} * length(order_[i]);
    terms_.reserve(termCount);
    starts_.reserve(rowCount_ / 8 + 1);
    for (size_t i = 0; i < rowCount_; i += 8) {
      starts_.push_back(terms_.size());
      for (u32 k = 0; k < length(order_[i]); k++) {
        for (size_t lane = 0; lane < 8; lane++) {
          const u32 row = order_[i + lane], at = rows.starts[row] + k;
          terms_.push_back(k < length(row) ? Term{rows.wires[at], rows.valueIndexes[at]} : Term{0, zero});
        }
      }
    }
    starts_.push_back(terms_.size());
  }

  void evaluate(const Words* witness, u64* out, const ParallelFor& parallel) const override {
    constexpr size_t groupsPerPart = 512;
    const size_t groupCount = rowCount_ / 8;
    parallel((groupCount + groupsPerPart - 1) / groupsPerPart, [&](size_t part) {
      for (size_t group = part * groupsPerPart; group < std::min(groupCount, (part + 1) * groupsPerPart); group++) {
        const F5 sums = evaluateGroup(witness, &terms_[0] + starts_[group], &terms_[0] + starts_[group + 1]);
        alignas(64) u64 limbs[40];
        for (int i = 0; i < 5; i++) _mm512_store_si512(limbs + 8 * i, sums.l[i]);
        for (size_t lane = 0; lane < 8; lane++) {
          const u32 row = order_[8 * group + lane];
          u64* const at = out + row / 8 * 40 + row % 8;
          for (size_t i = 0; i < 5; i++) at[8 * i] = limbs[8 * i + lane];
        }
      }
    });
  }

  size_t byteCount() const override {
    return terms_.size() * sizeof(Term) + starts_.size() * 8 + order_.size() * 4 + values_.size() * sizeof(Words);
  }

 private:
  struct Term {
    u32 wire, value;
  };

  /** Below 4 m. */
  F5 evaluateGroup(const Words* witness, const Term* term, const Term* end) const {
    F5 sums = L::zero();
    while (term < end) {
      ifma::Wide wide = ifma::wideZero();
      for (u32 k = 0; k < termsPerReduction && term < end; k++, term += 8) {
        const F5 w = L::gather([&](int lane) { return static_cast<const void*>(witness + term[lane].wire); });
        const F5 c = L::gather([&](int lane) { return static_cast<const void*>(&values_[term[lane].value]); });
        ifma::multiplyInto(wide, w, c);
      }
      sums = L::reduceLoosely(ifma::addLazy(sums, L::reduce(wide)));
    }
    return sums;
  }

  size_t rowCount_;
  std::vector<u32> order_;
  std::vector<size_t> starts_;
  std::vector<Term> terms_;
  std::vector<Words> values_;
};

}  // namespace

#pragma GCC pop_options

MatrixPlan* planIfmaMatrix(const MatrixRows& rows) { return new IfmaMatrix(rows); }
#endif
