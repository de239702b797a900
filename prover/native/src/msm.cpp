#include "msm.h"

#include <algorithm>
#include <limits>

#include "window-sum.h"

namespace {
/**
 * About the time of so many additions. Buckets take two each to add up where all are filled; where few are, each point goes into
 * the sums of half the bits. A filled bucket costs 1.6 more: the more there are, the less is in the caches, and the shorter are
 * the rounds. An empty one costs a tenth to look at.
 */
size_t additionsPerWindow(size_t entryCount, unsigned bucketPower) {
  const size_t buckets = size_t{1} << bucketPower, filled = std::min(entryCount, buckets);
  return entryCount - filled + std::min(2 * buckets, filled * (bucketPower / 2 + 1)) + filled * 8 / 5 + buckets / 10;
}

unsigned chooseWindowBits(const SumSize& size) {
  unsigned best = 4;
  size_t bestCost = std::numeric_limits<size_t>::max();
  for (unsigned bits = 4; bits <= 20; bits++) {
    const DigitPlan plan(bits);
    size_t cost = 0;
    for (unsigned w = 0; w < plan.windowCount; w++)
      cost += additionsPerWindow(size.withPoint(size.halves), plan.bucketPower(w));
    if (cost < bestCost) best = bits, bestCost = cost;
  }
  return best;
}
}  // namespace

Msm::Msm(const Kernels& kernels, bool isG2, const SumSize& size)
    : kernels_(kernels), isG2_(isG2), size_(size), plan_(chooseWindowBits(size)), buckets_(plan_.windowCount),
      sums_(plan_.windowCount) {}

size_t Msm::windowCost(unsigned window) const {
  const size_t digits = size_.halves + (plan_.hasSmall(window) ? size_.smalls : 0);
  return additionsPerWindow(size_.withPoint(digits), plan_.bucketPower(window)) * (isG2_ ? 5 : 2);
}

void Msm::sumWindow(unsigned window, const std::vector<SumPart>& parts, MsmScratch& scratch,
                    const std::atomic<int32_t>& isCancelled, bool isSorted) {
  scratch.buckets.clear(bucketCount(window), pointBytes());
  WindowSum sum(kernels_, isG2_, scratch, scratch.buckets, isCancelled);
  for (const auto& [table, scalars] : parts) {
    if (!std::exchange(isSorted, false)) sum.sort(table, scalars, plan_, window);
    sum.add(table);
  }
  keepSums(window, sum.byBits());
}

void Msm::addToWindow(unsigned window, const PointTable& table, const Scalars& scalars, MsmScratch& scratch,
                      const std::atomic<int32_t>& isCancelled) {
  Buckets& buckets = buckets_[window];
  if (buckets.isFilled.empty()) buckets.clear(bucketCount(window), pointBytes());
  WindowSum sum(kernels_, isG2_, scratch, buckets, isCancelled);
  sum.sort(table, scalars, plan_, window);
  sum.add(table);
}

void Msm::closeWindow(unsigned window, MsmScratch& scratch, const std::atomic<int32_t>& isCancelled) {
  Buckets& buckets = buckets_[window];
  if (buckets.isFilled.empty()) buckets.clear(bucketCount(window), pointBytes());
  keepSums(window, WindowSum(kernels_, isG2_, scratch, buckets, isCancelled).byBits());
  buckets = Buckets();
}

void Msm::keepSums(unsigned window, std::vector<Words> points) {
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
