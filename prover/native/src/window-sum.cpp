#include "window-sum.h"

#include <algorithm>

#include "repeats.h"

namespace {
// The sums of one round of additions stay in the second-level cache.
constexpr size_t chunkBytes = size_t{512} << 10;
// So do the points of two first batches, the one that is added and the one that is fetched meanwhile. An inversion is a tenth of
// such a batch; with twice the pairs the points wait longer for each other.
constexpr size_t firstRoundPairs = 512;
}  // namespace

WindowSum::WindowSum(const Kernels& kernels, bool isG2, MsmScratch& scratch, Buckets& buckets,
                     const std::atomic<int32_t>& isCancelled)
    : kernels_(kernels), isG2_(isG2), scratch_(scratch), buckets_(buckets), isCancelled_(isCancelled),
      pointBytes_(isG2 ? 128 : 64), chunkEntries_(std::min(2 * maxPairs, chunkBytes / pointBytes_)),
      bucketCount_(buckets.isFilled.size()) {
  scratch.slots.reserve(chunkEntries_ / 2 * pointBytes_);
  scratch.refs.resize(2 * maxPairs);
  for (std::vector<PointRef>* side : {&scratch.a, &scratch.b}) side->resize(maxPairs + 16);
  scratch.out.resize(maxPairs + 16);
}

void WindowSum::sort(const PointTable& table, const Scalars& scalars, const DigitPlan& plan, unsigned window) {
  const size_t smalls = plan.hasSmall(window) ? scalars.smallCount() : 0;
  scratch_.digits.reserve((scalars.halfCount() + smalls + 8) * sizeof(Digit));
  Digit* const digits = scratch_.digits.as<Digit>();
  scratch_.ends.assign(bucketCount_ + 1, 0);
  u32* const ends = scratch_.ends.data();
  size_t count = 0;
  for (const Scalars::Chunk& chunk : scalars.chunks()) {
    const size_t first = count;
    count += plan.cut(kernels_, chunk, window, table.indexOf(), digits + count);
    for (size_t i = first; i < count; i++) ends[digits[i].value]++;
  }
  u32 total = 0;
  for (size_t i = 0; i <= bucketCount_; i++) total += std::exchange(ends[i], total);
  // Never below what huge pages can back: the entries are written at random.
  scratch_.entries.reserve(std::max(total * sizeof(u32), size_t{2} << 20));
  u32* const entries = scratch_.entries.as<u32>();
  // What a bucket's next place misses in the caches is on its way when it is written.
  constexpr size_t ahead = 16;
  for (size_t i = 0; i < count; i++) {
    if (i + ahead < count) __builtin_prefetch(&entries[ends[digits[i + ahead].value]], 1, 3);
    entries[ends[digits[i].value]++] = digits[i].entry;
  }
}

void WindowSum::sortGroups(const PointTable& table, const Repeats& repeats, size_t from) {
  const u32 *const ends = repeats.ends(), *const indexOf = table.indexOf();
  size_t at = from == 0 ? 0 : ends[from - 1];
  scratch_.entries.reserve((ends[from + bucketCount_ - 1] - at) * sizeof(u32));
  u32* const entries = scratch_.entries.as<u32>();
  scratch_.ends.assign(bucketCount_ + 1, 0);
  u32 count = 0;
  for (size_t group = 0; group < bucketCount_; group++) {
    for (; at < ends[from + group]; at++) {
      const u32 index = indexOf[repeats.members()[at]];
      entries[count] = index << 2;
      count += index == noPoint ? 0 : 1;
    }
    scratch_.ends[group + 1] = count;
  }
}

PointRef WindowSum::refOf(u32 entry) const {
  return reinterpret_cast<PointRef>(table_->at(entry >> 1)) | (entry & negatedFlag);
}

void WindowSum::add(const PointTable& table) {
  table_ = &table;
  const u32* const entries = scratch_.entries.as<u32>();
  std::vector<Segment> segments;
  size_t at = 0;
  for (size_t bucket = 0; bucket < bucketCount_;) {
    segments.clear();
    size_t used = 0;
    PointRef* ref = scratch_.refs.data();
    char* slot = scratch_.slots.as<char>();
    while (bucket < bucketCount_ && used < chunkEntries_) {
      const size_t end = scratch_.ends[bucket + 1];
      if (at == end) {
        bucket++;
        continue;
      }
      // A bucket that goes over several rounds, or pieces of the points, takes its sum so far along.
      const PointRef before = buckets_.isFilled[bucket] ? reinterpret_cast<PointRef>(bucketAt(bucket)) : 0;
      buckets_.isFilled[bucket] = true;
      const size_t take = std::min(end - at, chunkEntries_ - used), count = take + (before == 0 ? 0 : 1);
      const auto refAt = [&](size_t i) { return i < take ? refOf(entries[at + i]) : before; };
      const PointRef* const start = ref;
      for (size_t i = 0; i + 1 < count; i += 2) {
        if (pairCount_ == firstRoundPairs) flush(at + i);
        char* const out = count == 2 ? bucketAt(bucket) : std::exchange(slot, slot + pointBytes_);
        emit(refAt(i), refAt(i + 1), out);
        *ref++ = reinterpret_cast<PointRef>(out);
      }
      if (count % 2 == 1) *ref++ = refAt(count - 1);
      segments.push_back({static_cast<u32>(bucket), static_cast<u32>(start - scratch_.refs.data()), static_cast<u32>(ref - start)});
      at += take, used += count;
      if (at != end) break;
    }
    flush(at);
    addSegments(segments);
    if (isCancelled_.load(std::memory_order_relaxed) != 0) throw Cancelled();
  }
}

/**
 * Adds each bucket's points two by two until one is left, all buckets in the same rounds. All of a bucket's points are in slots
 * but for the last, which has had no other to be added to.
 */
void WindowSum::addSegments(std::vector<Segment>& segments) {
  for (bool isFirst = true;; isFirst = false) {
    const bool hasInfinity = std::exchange(hasInfinity_, false);
    size_t open = 0;
    for (Segment& segment : segments) {
      if (hasInfinity) dropInfinity(segment);
      if (segment.count > 1) segments[open++] = segment;
      else if (isFirst && segment.count == 1) writeLone(segment);
    }
    if (open == 0) return;
    segments.resize(open);
    for (Segment& segment : segments) {
      PointRef* const refs = &scratch_.refs[segment.start];
      const u32 pairs = segment.count / 2, odd = segment.count % 2;
      for (u32 i = 0; i < pairs; i++) {
        char* const out = segment.count == 2 ? bucketAt(segment.bucket) : reinterpret_cast<char*>(refs[2 * i]);
        emit(refs[2 * i], refs[2 * i + 1], out);
        refs[i] = reinterpret_cast<PointRef>(out);
      }
      if (odd == 1) refs[pairs] = refs[2 * pairs];
      segment.count = pairs + odd;
    }
    flush();
  }
}

bool WindowSum::isInfinity(PointRef ref) const {
  const u64* const words = reinterpret_cast<const u64*>(ref & ~negatedFlag);
  return words[0] == 0 && std::all_of(words, words + pointBytes_ / sizeof(u64), [](u64 word) { return word == 0; });
}

/** Takes a bucket's points at infinity out after a round of additions. */
void WindowSum::dropInfinity(Segment& segment) {
  PointRef* const refs = &scratch_.refs[segment.start];
  const u32 before = segment.count;
  segment.count = static_cast<u32>(std::remove_if(refs, refs + before, [&](PointRef ref) { return isInfinity(ref); }) - refs);
  if (segment.count == 0) buckets_.isFilled[segment.bucket] = false;
  else if (segment.count == 1 && before > 1) writeLone(segment);
}

/** The only point of a bucket, negated where its ref says so. */
void WindowSum::writeLone(const Segment& segment) {
  const PointRef ref = scratch_.refs[segment.start];
  const char* const point = reinterpret_cast<const char*>(ref & ~negatedFlag);
  char* const out = bucketAt(segment.bucket);
  if (point == out) return;
  const size_t half = pointBytes_ / 2;
  std::memcpy(out, point, pointBytes_);
  if ((ref & negatedFlag) == 0) return;
  Words y[2];
  std::memcpy(y, out + half, half);
  for (size_t i = 0; i < half / sizeof(Words); i++) y[i] = Fp::neg(y[i]);
  std::memcpy(out + half, y, half);
}

void WindowSum::emit(PointRef a, PointRef b, char* out) {
  scratch_.a[pairCount_] = a, scratch_.b[pairCount_] = b, scratch_.out[pairCount_] = reinterpret_cast<u64*>(out);
  if (++pairCount_ == maxPairs) flush();
}

void WindowSum::flush(size_t nextEntry) {
  if (pairCount_ == 0) return;
  PairBatch batch{scratch_.a.data(), scratch_.b.data(), scratch_.out.data(), pairCount_, {}};
  const size_t entryCount = nextEntry == ~size_t{0} ? 0 : scratch_.ends[bucketCount_];
  if (nextEntry < entryCount) {
    const size_t count = std::min(entryCount - nextEntry, 2 * firstRoundPairs);
    batch.upcoming = {scratch_.entries.as<u32>() + nextEntry, count, table_->at(0), pointBytes_};
  }
  if ((isG2_ ? kernels_.addPairsG2 : kernels_.addPairsG1)(batch, scratch_.pairs)) hasInfinity_ = true;
  pairCount_ = 0;
}

/**
 * Neighbours two by two; 0 stands for no point. Sums take the first one's place, which is the bucket's own
 * where bucketDistance (in buckets, of two neighbours) is not 0.
 */
void WindowSum::pairUp(std::vector<PointRef>& points, size_t bucketDistance) {
  const size_t pairs = points.size() / 2;
  for (size_t i = 0; i < pairs; i++) {
    const PointRef a = points[2 * i], b = points[2 * i + 1];
    if (a != 0 && b != 0) {
      emit(a, b, reinterpret_cast<char*>(a));
      points[i] = a;
    } else if (b != 0 && bucketDistance != 0) {
      // b itself goes on to the sum of its bit.
      char* const copy = bucketAt(2 * i * bucketDistance);
      std::memcpy(copy, reinterpret_cast<const char*>(b), pointBytes_);
      points[i] = reinterpret_cast<PointRef>(copy);
    } else {
      points[i] = a != 0 ? a : b;
    }
  }
  if (points.size() % 2 == 1) points[pairs] = points.back();
  points.resize(pairs + points.size() % 2);
}

/**
 * Sum of number times bucket, without running sums: the sum over all buckets, and for each bit of
 * (number - 1) the sum over the buckets that have it. The odd half of every level of the tree of sums is one
 * bit's share. About two additions a bucket, all independent within a level.
 */
std::vector<Words> WindowSum::byBits() {
  std::vector<PointRef> all(bucketCount_);
  for (size_t i = 0; i < bucketCount_; i++) all[i] = buckets_.isFilled[i] ? reinterpret_cast<PointRef>(bucketAt(i)) : 0;
  std::vector<std::vector<PointRef>> bits;
  for (size_t distance = 1;; distance *= 2) {
    bool isDone = true;
    for (std::vector<PointRef>& bit : bits) {
      if (bit.size() == 1) continue;
      pairUp(bit, 0);
      isDone = false;
    }
    if (all.size() > 1) {
      std::vector<PointRef> odd(all.size() / 2);
      for (size_t i = 0; i < odd.size(); i++) odd[i] = all[2 * i + 1];
      pairUp(all, distance);
      bits.push_back(std::move(odd));
      isDone = false;
    }
    flush();
    if (std::exchange(hasInfinity_, false)) {
      for (PointRef& ref : all) ref = ref != 0 && isInfinity(ref) ? 0 : ref;
      for (std::vector<PointRef>& bit : bits)
        for (PointRef& ref : bit) ref = ref != 0 && isInfinity(ref) ? 0 : ref;
    }
    if (isDone) break;
  }
  const size_t pointWords = pointBytes_ / sizeof(Words);
  std::vector<Words> out((1 + bits.size()) * pointWords);
  const auto write = [&](size_t index, PointRef ref) {
    if (ref != 0) std::memcpy(&out[index * pointWords], reinterpret_cast<const char*>(ref), pointBytes_);
  };
  write(0, all[0]);
  for (size_t i = 0; i < bits.size(); i++) write(1 + i, bits[i][0]);
  return out;
}
