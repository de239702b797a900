// Multi-scalar multiplication: buckets by digit (Pippenger), every addition affine and in batches.
#pragma once
#include <atomic>
#include <memory>
#include <stdexcept>

#include "curve.h"
#include "kernels/kernels.h"
#include "scalars.h"

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

class Repeats;
struct MsmScratch;

/** Points as a zkey has them, at any address: affine, R = 2^256, zeros for infinity. They belong to the scalars firstScalar and on. */
struct KeyPointsView {
  bool isG2;
  const unsigned char* points;
  size_t count, firstScalar;

  size_t pointBytes() const { return isG2 ? 128 : 64; }
  bool isInfinity(size_t index) const;
};

/** Points in a path's form, each with its phi behind it. Points at infinity are left out. */
class PointTable {
 public:
  PointTable() = default;
  PointTable(const Kernels& kernels, const KeyPointsView& view, ThreadPool& pool);

  /**
   * In two steps, so that several tables can be filled at once, and one again and again in the same memory: chooses the
   * points, then each of importCount() parts reads its share. Points whose scalar is 0 are left out too where `scalars` are given.
   */
  void choose(const KeyPointsView& view, const Words* scalars);
  size_t importCount() const { return (count_ + importSize - 1) / importSize; }
  void import(const Kernels& kernels, size_t part);

  /**
   * In two steps as well: sums of another table's points, of each group one. Scalar g has that of group g, and none where it is
   * the point at infinity.
   */
  void chooseSums(const PointTable& of, size_t groupCount);
  /** The sums of some groups, those before `to`. @throws Cancelled */
  void sumGroups(const Kernels& kernels, const PointTable& of, const Repeats& repeats, size_t from, size_t to, MsmScratch& scratch,
                 const std::atomic<int32_t>& isCancelled);

  bool isG2() const { return isG2_; }
  size_t pointBytes() const { return isG2_ ? 128 : 64; }
  size_t count() const { return count_; }
  size_t scalarCount() const { return indexOf_.size(); }
  /** Whether both have the points of the same scalars. */
  bool isParallelTo(const PointTable& other) const { return indexOf_ == other.indexOf_; }
  /** By scalar the place of its point, or noPoint. */
  const u32* indexOf() const { return indexOf_.data(); }
  /** The point at position index / 2, or its phi for an odd index. */
  const char* at(size_t index) const { return data_.as<char>() + index * pointBytes(); }
  size_t byteCount() const { return data_.size() + indexOf_.size() * sizeof(u32); }

 private:
  static constexpr size_t importSize = 1024;

  bool isG2_ = false;
  size_t count_ = 0;
  /** Between choose and import. */
  const unsigned char* source_ = nullptr;
  std::vector<u32> chosen_;
  Buffer data_;
  std::vector<u32> indexOf_;
};

/** One window's sums by digit. */
struct Buckets {
  Buffer points;
  std::vector<bool> isFilled;

  void clear(size_t count, size_t pointBytes) {
    points.reserve(count * pointBytes);
    isFilled.assign(count, false);
  }
};

/** A thread's memory for its windows, kept between them: fresh pages cost more than small sums do. */
struct MsmScratch {
  Buckets buckets;
  Buffer slots{size_t{512} << 10}, digits, entries;
  std::vector<u32> ends;
  std::vector<PointRef> refs, a, b;
  std::vector<u64*> out;
  PairScratch pairs;
};

/** What decides the windows of a sum: its scalars, and how many of them have a point. */
struct SumSize {
  size_t halves, smalls, points, scalars;

  SumSize(const PointTable& table, const Scalars& s)
      : SumSize(s.halfCount(), s.smallCount(), table.count(), table.scalarCount()) {}
  SumSize(size_t halfCount, size_t smallCount, size_t pointCount, size_t scalarCount)
      : halves(halfCount), smalls(smallCount), points(pointCount), scalars(scalarCount) {}

  /** Both together, of those scalars that have a point. */
  SumSize operator+(const SumSize& o) const {
    return {withPoint(halves) + o.withPoint(o.halves), withPoint(smalls) + o.withPoint(o.smalls), 1, 1};
  }
  /** How many of so many scalars' digits meet a point. */
  size_t withPoint(size_t digits) const { return digits * points / std::max<size_t>(1, scalars); }
};

/** Points and their scalars, some of those of a sum. */
struct SumPart {
  const PointTable& table;
  const Scalars& scalars;
};

/**
 * One sum of scalar times point, done window by window in any order and on any thread. Either all points are at hand, or
 * they come piece by piece, and each window keeps its buckets until the last.
 */
class Msm {
 public:
  Msm(const Kernels& kernels, bool isG2, const SumSize& size);

  unsigned windowCount() const { return plan_.windowCount; }
  /** About the number of additions. */
  size_t windowCost(unsigned window) const;
  /**
   * All points at once. @throws Cancelled
   * @param isSorted whether the last part of the last sum in this scratch had the same window, scalars and SumSize, and a table
   *   parallel to the first one's; spares its sorting
   */
  void sumWindow(unsigned window, const std::vector<SumPart>& parts, MsmScratch& scratch, const std::atomic<int32_t>& isCancelled,
                 bool isSorted = false);
  /** A piece of the points, with its scalars. @throws Cancelled */
  void addToWindow(unsigned window, const PointTable& table, const Scalars& scalars, MsmScratch& scratch,
                   const std::atomic<int32_t>& isCancelled);
  /** After the last piece; frees the window's buckets. */
  void closeWindow(unsigned window, MsmScratch& scratch, const std::atomic<int32_t>& isCancelled);
  /** After all windows; the coordinates' form is R = 2^256. */
  template <class F>
  Jacobian<F> finish() const;

 private:
  size_t pointBytes() const { return isG2_ ? 128 : 64; }
  size_t bucketCount(unsigned window) const { return size_t{1} << plan_.bucketPower(window); }
  void keepSums(unsigned window, std::vector<Words> points);

  const Kernels& kernels_;
  bool isG2_;
  SumSize size_;
  DigitPlan plan_;
  /** By window, of sums that come in pieces. */
  std::vector<Buckets> buckets_;
  /** By window: sum of all buckets, then for each bit of (bucket - 1) the sum of the buckets that have it. */
  std::vector<std::vector<Words>> sums_;
};
