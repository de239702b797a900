#include <algorithm>

#include "msm.h"

bool KeyPointsView::isInfinity(size_t index) const {
  const unsigned char* const at = points + index * pointBytes();
  for (size_t i = 0; i < pointBytes(); i += sizeof(u64)) {
    u64 word;
    std::memcpy(&word, at + i, sizeof word);
    if (word != 0) return false;
  }
  return true;
}

PointTable::PointTable(const Kernels& kernels, const KeyPointsView& view, ThreadPool& pool) {
  choose(view, nullptr);
  pool.run(importCount(), [&](size_t part) { import(kernels, part); });
  std::vector<u32>().swap(chosen_);
}

void PointTable::choose(const KeyPointsView& view, const Words* scalars) {
  isG2_ = view.isG2;
  source_ = view.points;
  indexOf_.assign(view.firstScalar + view.count, noPoint);
  chosen_.clear();
  for (size_t i = 0; i < view.count; i++) {
    if ((scalars != nullptr && isZero(scalars[view.firstScalar + i])) || view.isInfinity(i)) continue;
    indexOf_[view.firstScalar + i] = static_cast<u32>(chosen_.size());
    chosen_.push_back(static_cast<u32>(i));
  }
  count_ = chosen_.size();
  data_.reserve(2 * count_ * pointBytes());
}

void PointTable::import(const Kernels& kernels, size_t part) {
  const size_t bytes = pointBytes(), half = bytes / 64;
  const size_t from = part * importSize, n = std::min(count_ - from, importSize);
  Words beta = Fp::toMontgomery(isG2_ ? glv::betaG2 : glv::betaG1);
  kernels.importBase(&beta, &beta, 1);
  std::vector<Words> coordinates(2 * half * n), x(half * n);
  for (size_t i = 0; i < n; i++) std::memcpy(&coordinates[2 * half * i], source_ + chosen_[from + i] * bytes, bytes);
  kernels.importBase(coordinates.data(), coordinates.data(), coordinates.size());
  for (size_t i = 0; i < n; i++) std::copy_n(&coordinates[2 * half * i], half, &x[half * i]);
  kernels.scaleBase(x.data(), beta, x.data(), x.size());
  for (size_t i = 0; i < n; i++) {
    char* const at = data_.as<char>() + 2 * (from + i) * bytes;
    std::memcpy(at, &coordinates[2 * half * i], bytes);
    std::memcpy(at + bytes, &x[half * i], bytes / 2);
    std::memcpy(at + bytes / 2 * 3, &coordinates[2 * half * i + half], bytes / 2);
  }
}
