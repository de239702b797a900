#include <algorithm>

#include "repeats.h"
#include "window-sum.h"

bool KeyPointsView::isInfinity(size_t index) const {
  const unsigned char* const at = points + index * pointBytes();
  for (size_t i = 0; i < pointBytes(); i += sizeof(u64)) {
    u64 word;
    std::memcpy(&word, at + i, sizeof word);
    if (word != 0) return false;
  }
  return true;
}

namespace {
/** A plain integer in the path's form. */
Words factorOf(const Kernels& kernels, const Words& plain) {
  Words out = Fp::toMontgomery(plain);
  kernels.importBase(&out, &out, 1);
  return out;
}
Words betaOf(const Kernels& kernels, bool isG2) { return factorOf(kernels, isG2 ? glv::betaG2 : glv::betaG1); }
}  // namespace

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
  const Words beta = betaOf(kernels, isG2_);
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

void PointTable::chooseSums(const PointTable& of, size_t groupCount) {
  isG2_ = of.isG2_;
  count_ = groupCount;
  indexOf_.assign(groupCount, noPoint);
  data_.reserve(2 * count_ * pointBytes());
}

void PointTable::sumGroups(const Kernels& kernels, const PointTable& of, const Repeats& repeats, size_t from, size_t to,
                           MsmScratch& scratch, const std::atomic<int32_t>& isCancelled) {
  const size_t bytes = pointBytes(), half = bytes / 64;
  Buckets& buckets = scratch.buckets;
  buckets.clear(to - from, bytes);
  WindowSum sum(kernels, isG2_, scratch, buckets, isCancelled);
  sum.sortGroups(of, repeats, from);
  sum.add(of);
  const Words beta = betaOf(kernels, isG2_), one = factorOf(kernels, Words{{1, 0, 0, 0}});
  for (size_t group = from; group < to; group++) {
    if (!buckets.isFilled[group - from]) continue;
    const Words* const point = reinterpret_cast<const Words*>(buckets.points.as<char>() + (group - from) * bytes);
    Words* const at = reinterpret_cast<Words*>(data_.as<char>() + 2 * group * bytes);
    // A table's coordinates are below q, and sums in buckets are not yet.
    kernels.scaleBase(point, one, at, 2 * half);
    kernels.scaleBase(at, beta, at + 2 * half, half);
    std::copy_n(at + half, half, at + 3 * half);
    indexOf_[group] = static_cast<u32>(group);
  }
}
