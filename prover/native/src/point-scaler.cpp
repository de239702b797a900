#include "point-scaler.h"

#include <algorithm>

void PointScaler::scale(unsigned char* points, const Words* scalars, size_t count) {
  multiply(points, scalars, count);
  write(refs_, points);
}

void PointScaler::combine(unsigned char* a, unsigned char* b, const Words* scalars, size_t count) {
  multiply(b, scalars, count);
  const std::vector<PointRef> products = refs_;
  // The points of b are not asked for again, but where a product is one of them.
  const PointTable kept = std::move(table_);
  table_ = PointTable();
  table_.choose({isG2_, a, count, 0}, nullptr);
  for (size_t part = 0; part < table_.importCount(); part++) table_.import(kernels_, part);
  Buffer results(count * pointBytes());
  for (const PointRef sign : {PointRef{0}, negatedFlag}) {
    std::vector<PointRef> refs(count, 0);
    for (size_t i = 0; i < count; i++) {
      const u32 index = table_.indexOf(static_cast<u32>(i));
      const PointRef first = index == PointTable::none ? 0 : reinterpret_cast<PointRef>(table_.at(2 * index));
      const PointRef second = products[i] == 0 ? 0 : products[i] ^ sign;
      refs[i] = first == 0 ? second : first;
      if (first == 0 || second == 0) continue;
      char* const out = results.as<char>() + i * pointBytes();
      add(first, second, out);
      refs[i] = reinterpret_cast<PointRef>(out);
    }
    flush();
    write(refs, sign == 0 ? a : b);
  }
}

void PointScaler::multiply(const unsigned char* points, const Words* scalars, size_t count) {
  static const DigitPlan plan(windowBits);
  const size_t bytes = pointBytes();
  table_.choose({isG2_, points, count, 0}, nullptr);
  for (size_t part = 0; part < table_.importCount(); part++) table_.import(kernels_, part);
  const size_t rows = 2 * table_.count();
  std::vector<signed char> digits(rows * plan.windowCount);
  size_t largest = 1;
  unsigned top = 0;
  for (size_t i = 0; i < count; i++) {
    const u32 index = table_.indexOf(static_cast<u32>(i));
    if (index == PointTable::none) continue;
    const glv::Halves halves = glv::split(scalars[i]);
    for (const size_t phi : {size_t{0}, size_t{1}}) {
      const u128 value = phi == 0 ? halves.k1 : halves.k2;
      const bool isNegative = value >> 127 != 0;
      for (unsigned w = 0; w < plan.windowCount; w++) {
        const i64 digit = plan.digit(isNegative ? 0 - value : value, w);
        digits[w * rows + 2 * index + phi] = static_cast<signed char>(isNegative ? -digit : digit);
        if (digit == 0) continue;
        largest = std::max<size_t>(largest, static_cast<size_t>(digit < 0 ? -digit : digit));
        top = std::max(top, w);
      }
    }
  }
  more_.reserve(rows * (multiples - 1) * bytes);
  const auto multiple = [&](size_t row, size_t n) {
    const char* const at = n == 1 ? table_.at(row) : more_.as<char>() + ((n - 2) * rows + row) * bytes;
    return reinterpret_cast<PointRef>(at);
  };
  for (size_t n = 2; n <= largest; n++) {
    for (size_t row = 0; row < rows; row++)
      add(multiple(row, n / 2), multiple(row, n - n / 2), reinterpret_cast<char*>(multiple(row, n)));
    flush();
  }
  sums_.reserve(count * bytes);
  refs_.assign(count, 0);
  const auto addTo = [&](size_t i, PointRef term) {
    if (refs_[i] == 0) {
      refs_[i] = term;
      return;
    }
    char* const sum = sums_.as<char>() + i * bytes;
    add(refs_[i], term, sum);
    refs_[i] = reinterpret_cast<PointRef>(sum);
  };
  for (unsigned w = top + 1; w-- > 0;) {
    for (unsigned bit = 0; bit < windowBits && w < top; bit++) {
      for (size_t i = 0; i < count; i++)
        if (refs_[i] != 0) addTo(i, refs_[i]);
      flush();
    }
    for (const size_t phi : {size_t{0}, size_t{1}}) {
      for (size_t i = 0; i < count; i++) {
        const u32 index = table_.indexOf(static_cast<u32>(i));
        if (index == PointTable::none) continue;
        const int digit = digits[w * rows + 2 * index + phi];
        if (digit == 0) continue;
        addTo(i, multiple(2 * index + phi, static_cast<size_t>(std::abs(digit))) | (digit < 0 ? negatedFlag : 0));
      }
      flush();
    }
  }
}

void PointScaler::add(PointRef a, PointRef b, char* out) {
  a_.push_back(a), b_.push_back(b), out_.push_back(reinterpret_cast<u64*>(out));
  if (a_.size() == maxPairs) flush();
}

void PointScaler::flush() {
  const size_t count = a_.size();
  if (count == 0) return;
  // Arrays have room for a last step.
  a_.resize(count + 8), b_.resize(count + 8), out_.resize(count + 8);
  const PairBatch batch{a_.data(), b_.data(), out_.data(), count, {}};
  (isG2_ ? kernels_.addPairsG2 : kernels_.addPairsG1)(batch, scratch_);
  a_.clear(), b_.clear(), out_.clear();
}

void PointScaler::write(const std::vector<PointRef>& refs, unsigned char* out) const {
  const size_t bytes = pointBytes(), words = bytes / sizeof(Words);
  std::vector<Words> coordinates(refs.size() * words);
  for (size_t i = 0; i < refs.size(); i++)
    if (refs[i] != 0) std::memcpy(&coordinates[i * words], reinterpret_cast<const char*>(refs[i] & ~negatedFlag), bytes);
  kernels_.exportBase(coordinates.data(), coordinates.data(), coordinates.size());
  for (size_t i = 0; i < refs.size(); i++) {
    if ((refs[i] & negatedFlag) == 0) continue;
    for (size_t k = words / 2; k < words; k++) {
      Words& y = coordinates[i * words + k];
      if (!isZero(y)) y = subtract(BaseModulus::value, y);
    }
  }
  std::memcpy(out, coordinates.data(), coordinates.size() * sizeof(Words));
}
