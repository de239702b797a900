#include "msm.h"

#include <algorithm>
#include <limits>

#include "window-sum.h"

namespace {
/**
 * About the number of additions. Buckets take two each to add up where all are filled; where few are, each
 * point goes into the sums of half the bits. An empty bucket costs a tenth of an addition to look at.
 */
size_t additionsPerWindow(size_t entryCount, unsigned bucketPower) {
  const size_t buckets = size_t{1} << bucketPower, filled = std::min(entryCount, buckets);
  return entryCount - filled + std::min(2 * buckets, filled * (bucketPower / 2 + 1)) + buckets / 10;
}
}  // namespace

Msm::Msm(const Kernels& kernels, const PointTable& table, const Scalars& scalars)
    : kernels_(kernels), table_(table), scalars_(scalars), plan_(chooseWindowBits(table, scalars)), sums_(plan_.windowCount) {}

unsigned Msm::chooseWindowBits(const PointTable& table, const Scalars& scalars) {
  unsigned best = 4;
  size_t bestCost = std::numeric_limits<size_t>::max();
  for (unsigned bits = 4; bits <= 20; bits++) {
    const DigitPlan plan(bits);
    size_t cost = 0;
    for (unsigned w = 0; w < plan.windowCount; w++) {
      const size_t entries = scalars.halfCount() * table.count() / std::max<size_t>(1, table.scalarCount());
      cost += additionsPerWindow(entries, plan.bucketPower(w));
    }
    if (cost < bestCost) best = bits, bestCost = cost;
  }
  return best;
}

size_t Msm::windowCost(unsigned window) const {
  const size_t entries = scalars_.halfCount() + (plan_.hasSmall(window) ? scalars_.smallCount() : 0);
  const size_t share = entries * table_.count() / std::max<size_t>(1, table_.scalarCount());
  return additionsPerWindow(share, plan_.bucketPower(window)) * (table_.isG2() ? 5 : 2);
}

void Msm::sumWindow(unsigned window, MsmScratch& scratch, const std::atomic<int32_t>& isCancelled) {
  WindowSum sum(kernels_, table_, scratch, isCancelled);
  std::vector<Words> points = sum.run(scalars_, plan_, window);
  kernels_.exportBase(points.data(), points.data(), points.size());
  sums_[window] = std::move(points);
}

template <class F>
Jacobian<F> Msm::finish() const {
  Jacobian<F> out;
  const auto addPoint = [&](const std::vector<Words>& points, size_t index) {
    Affine<F> point;
    std::memcpy(&point, &points[index * sizeof(point) / sizeof(Words)], sizeof point);
    out.add(Jacobian<F>(point));
  };
  // Window w's digit is 1 + the sum of its bits: the bits' sums at their places, all buckets' sum at bit 0.
  for (unsigned bit = 256; bit-- > 0;) {
    out.doubleSelf();
    for (unsigned w = 0; w < plan_.windowCount; w++) {
      const unsigned from = w * plan_.bits;
      if (bit < from || bit - from >= std::max(1u, plan_.bucketPower(w))) continue;
      if (bit == from) addPoint(sums_[w], 0);
      if (plan_.bucketPower(w) > bit - from) addPoint(sums_[w], 1 + bit - from);
    }
  }
  return out;
}

template Jacobian<Fp> Msm::finish<Fp>() const;
template Jacobian<Fp2> Msm::finish<Fp2>() const;
