// Scalars that several points have: the points are added up first, and their sum is multiplied once.
#pragma once
#include "msm.h"

/** Equal scalars among those of one proof, in groups of two and more. Small ones stay out: they have few digits anyway. */
class Repeats {
  /** A large scalar: 32 bits of its hash, and its place. */
  struct Item {
    u32 tag, index;
  };

 public:
  /** Of each scalar, without the groups'. */
  static constexpr size_t bytesEach = sizeof(Item) + 1;

  /** A group that is hard to find may be left out. Memory is kept for the next scalars. */
  void find(const Words* scalars, size_t count, ThreadPool& pool);

  size_t groupCount() const { return values_.size(); }
  /** By group its scalar. */
  const Words* values() const { return values_.data(); }
  /** By scalar whether a group has it. */
  const uint8_t* isMember() const { return isMember_.data(); }
  /** The scalars of group g are members()[ends()[g - 1]] to members()[ends()[g] - 1]. */
  const u32* members() const { return members_.data(); }
  const u32* ends() const { return ends_.data(); }
  /** Shares of the groups with about as many members: each ends before this group. */
  const std::vector<size_t>& shareEnds() const { return shareEnds_; }

 private:
  /** Groups of one part of all hashes. */
  struct Found {
    std::vector<u32> members, ends;
  };

  void sortByHash(const Words* scalars, size_t from, size_t to, unsigned shift, u32* ends);
  void findAmong(const Words* scalars, size_t part, size_t partCount, size_t blockCount);

  std::vector<Item> items_;
  /** By block of scalars and part of the hashes, where in the block's items the part ends. */
  std::vector<u32> itemEnds_;
  std::vector<Found> found_;
  std::vector<Words> values_;
  std::vector<uint8_t> isMember_;
  std::vector<u32> members_, ends_;
  std::vector<size_t> shareEnds_;
};
