// Multi-scalar multiplication: buckets by digit (Pippenger), every addition affine and in batches.
#pragma once
#include <atomic>
#include <memory>
#include <stdexcept>

#include "curve.h"
#include "kernels.h"
#include "scalars.h"

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

/** Points in a path's form, each with its phi behind it. Points at infinity are left out. */
class PointTable {
 public:
  static constexpr u32 none = ~u32{0};

  PointTable() = default;
  /** `points`: affine in the zkey's form, of scalars firstIndex and on. */
  PointTable(const Kernels& kernels, bool isG2, const u64* points, size_t count, size_t firstIndex, ThreadPool& pool);

  bool isG2() const { return isG2_; }
  size_t pointBytes() const { return isG2_ ? 128 : 64; }
  size_t count() const { return count_; }
  size_t scalarCount() const { return indexOf_.size(); }
  /** Position of a scalar's point, or none. */
  u32 indexOf(u32 scalar) const { return indexOf_[scalar]; }
  /** The point at position index / 2, or its phi for an odd index. */
  const char* at(size_t index) const { return data_.as<char>() + index * pointBytes(); }
  size_t byteCount() const { return data_.size() + indexOf_.size() * sizeof(u32); }

 private:
  bool isG2_ = false;
  size_t count_ = 0;
  Buffer data_;
  std::vector<u32> indexOf_;
};

/** A thread's memory for its windows, kept between them: fresh pages cost more than small sums do. */
struct MsmScratch {
  Buffer buckets, slots{size_t{512} << 10}, entries;
  std::vector<u32> ends;
  std::vector<bool> isFilled;
  std::vector<PointRef> refs, a, b;
  std::vector<u64*> out;
  PairScratch pairs;
};

/** One sum of scalar times point, done window by window in any order and on any thread. */
class Msm {
 public:
  Msm(const Kernels& kernels, const PointTable& table, const Scalars& scalars);

  unsigned windowCount() const { return plan_.windowCount; }
  /** About the number of additions. */
  size_t windowCost(unsigned window) const;
  /** @throws Cancelled */
  void sumWindow(unsigned window, MsmScratch& scratch, const std::atomic<int32_t>& isCancelled);
  /** After all windows; the coordinates' form is R = 2^256. */
  template <class F>
  Jacobian<F> finish() const;

 private:
  static unsigned chooseWindowBits(const PointTable& table, const Scalars& scalars);

  const Kernels& kernels_;
  const PointTable& table_;
  const Scalars& scalars_;
  DigitPlan plan_;
  /** By window: sum of all buckets, then for each bit of (bucket - 1) the sum of the buckets that have it. */
  std::vector<std::vector<Words>> sums_;
};
