#include "repeats.h"

#include <algorithm>

namespace {

constexpr size_t blockSize = size_t{1} << 16;
// A part's table of hashes stays in the second-level cache.
constexpr unsigned partPower = 14;
// Whoever chooses scalars could let hashes meet: a search ends, and the scalar counts as one alone.
constexpr size_t maxProbes = 16;
constexpr size_t shareMembers = size_t{1} << 14;

u64 hashOf(const Words& k) {
  u64 out = 0;
  for (const u64 word : k.w) {
    const u128 product = static_cast<u128>(out ^ word) * 0x9e3779b97f4a7c15;
    out = static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
  }
  return out;
}

bool isSame(const Words& a, const Words& b) {
  return ((a.w[0] ^ b.w[0]) | (a.w[1] ^ b.w[1]) | (a.w[2] ^ b.w[2]) | (a.w[3] ^ b.w[3])) == 0;
}

}  // namespace

void Repeats::find(const Words* scalars, size_t count, ThreadPool& pool) {
  unsigned power = 0;
  while (count >> (partPower + power) > 1) power++;
  const size_t partCount = size_t{1} << power, blockCount = (count + blockSize - 1) / blockSize;
  items_.resize(count);
  isMember_.assign(count, 0);
  itemEnds_.assign(blockCount * (partCount + 1), 0);
  pool.run(blockCount, [&](size_t block) {
    sortByHash(scalars, block * blockSize, std::min(count, (block + 1) * blockSize), 32 - power, &itemEnds_[block * (partCount + 1)]);
  });
  found_.resize(partCount);
  pool.run(partCount, [&](size_t part) { findAmong(scalars, part, partCount, blockCount); });
  members_.clear(), ends_.clear(), values_.clear(), shareEnds_.clear();
  for (const Found& found : found_) {
    const u32 before = static_cast<u32>(members_.size());
    members_.insert(members_.end(), found.members.begin(), found.members.end());
    for (const u32 end : found.ends) {
      values_.push_back(scalars[members_[ends_.empty() ? 0 : ends_.back()]]);
      ends_.push_back(before + end);
      const size_t shared = shareEnds_.empty() ? 0 : ends_[shareEnds_.back() - 1];
      if (ends_.back() - shared >= shareMembers) shareEnds_.push_back(ends_.size());
    }
  }
  if (!ends_.empty() && (shareEnds_.empty() || shareEnds_.back() != ends_.size())) shareEnds_.push_back(ends_.size());
}

/** Writes a block's large scalars to its items, those of one part of the hashes together. `shift` of a hash's upper half gives the part. */
void Repeats::sortByHash(const Words* scalars, size_t from, size_t to, unsigned shift, u32* ends) {
  thread_local std::vector<u64> hashes;
  hashes.clear();
  const auto partOf = [&](u64 hash) { return shift == 32 ? 0 : static_cast<u32>(hash >> 32) >> shift; };
  for (size_t i = from; i < to; i++) {
    hashes.push_back(hashOf(scalars[i]));
    if (!Scalars::isSmall(scalars[i])) ends[partOf(hashes.back()) + 1]++;
  }
  // Each part's start moves to its end while it is written.
  u32 total = 0;
  u32* const starts = ends + 1;
  const size_t partCount = shift == 32 ? 1 : size_t{1} << (32 - shift);
  for (size_t part = 0; part < partCount; part++) total += std::exchange(starts[part], total);
  for (size_t i = from; i < to; i++) {
    const u64 hash = hashes[i - from];
    if (!Scalars::isSmall(scalars[i])) items_[from + starts[partOf(hash)]++] = {static_cast<u32>(hash), static_cast<u32>(i)};
  }
}

void Repeats::findAmong(const Words* scalars, size_t part, size_t partCount, size_t blockCount) {
  struct Slot {
    u32 tag, first, group;
  };
  constexpr u32 none = ~u32{0};
  constexpr size_t slotCount = size_t{4} << partPower;
  thread_local std::vector<Slot> slots;
  // By group its first member, and by further member its group.
  thread_local std::vector<u32> firsts, counts;
  thread_local std::vector<std::pair<u32, u32>> others;
  slots.assign(slotCount, Slot{0, none, none});
  firsts.clear(), counts.clear(), others.clear();
  for (size_t block = 0; block < blockCount; block++) {
    const u32* const ends = &itemEnds_[block * (partCount + 1) + part];
    const Item* const items = items_.data() + block * blockSize;
    for (u32 i = ends[0]; i < ends[1]; i++) {
      const auto [tag, index] = items[i];
      for (size_t probe = 0; probe < maxProbes; probe++) {
        Slot& slot = slots[(tag + probe) % slotCount];
        if (slot.first == none) {
          slot = {tag, index, none};
          break;
        }
        if (slot.tag != tag || !isSame(scalars[slot.first], scalars[index])) continue;
        if (slot.group == none) {
          slot.group = static_cast<u32>(firsts.size());
          firsts.push_back(slot.first), counts.push_back(1);
          isMember_[slot.first] = 1;
        }
        isMember_[index] = 1;
        counts[slot.group]++;
        others.push_back({slot.group, index});
        break;
      }
    }
  }
  Found& found = found_[part];
  found.ends.resize(firsts.size());
  found.members.resize(firsts.size() + others.size());
  u32 total = 0;
  for (size_t group = 0; group < firsts.size(); group++) {
    found.members[total] = firsts[group];
    found.ends[group] = total + 1;
    total += counts[group];
  }
  for (const auto& [group, index] : others) found.members[found.ends[group]++] = index;
}
