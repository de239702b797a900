#pragma once
#include "msm.h"

/** Sorts one window's digits into buckets, adds each bucket up, and the buckets by the bits of their numbers. */
class WindowSum {
 public:
  /** `buckets`: those of the window, cleared before its first points. */
  WindowSum(const Kernels& kernels, bool isG2, MsmScratch& scratch, Buckets& buckets, const std::atomic<int32_t>& isCancelled);

  /** For `add`; the next windows that are added with the same scratch may do without where all arguments would be equal. */
  void sort(const PointTable& table, const Scalars& scalars, const DigitPlan& plan, unsigned window);
  /** In the place of `sort`: a bucket for each group of scalars, those from `from` on. */
  void sortGroups(const PointTable& table, const Repeats& repeats, size_t from);
  /** Adds the sorted digits' points to the buckets. @throws Cancelled */
  void add(const PointTable& table);
  /** See Msm::sums_; coordinates in the path's form. The buckets are used up. */
  std::vector<Words> byBits();

 private:
  struct Segment {
    u32 bucket, start, count;
  };

  void addSegments(std::vector<Segment>& segments);
  void writeLone(const Segment& segment);
  void dropInfinity(Segment& segment);
  bool isInfinity(PointRef ref) const;
  void pairUp(std::vector<PointRef>& points, size_t bucketDistance);
  void emit(PointRef a, PointRef b, char* out);
  /** Adds what was emitted, and meanwhile fetches the points of the entries from nextEntry on. */
  void flush(size_t nextEntry = ~size_t{0});

  char* bucketAt(size_t bucket) const { return buckets_.points.as<char>() + bucket * pointBytes_; }
  PointRef refOf(u32 entry) const;

  const Kernels& kernels_;
  const bool isG2_;
  const PointTable* table_ = nullptr;
  MsmScratch& scratch_;
  Buckets& buckets_;
  const std::atomic<int32_t>& isCancelled_;
  const size_t pointBytes_, chunkEntries_;
  const size_t bucketCount_;
  size_t pairCount_ = 0;
  /** Whether an addition since it was last asked gave the point at infinity. */
  bool hasInfinity_ = false;
};
