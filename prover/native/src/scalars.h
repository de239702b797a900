// Scalars split in halves and cut into signed digits.
#pragma once
#include <algorithm>
#include <vector>

#include "glv.h"
#include "thread-pool.h"

/** Halves that a multi-scalar multiplication reads window by window. Zero halves are left out. */
class Scalars {
 public:
  /** A half's absolute value; `id` is 2 * index + 1 for the half that goes with phi. */
  struct Half {
    u64 low, highAndSign;
  };
  struct Chunk {
    std::vector<Half> halves;
    std::vector<u32> ids;
    std::vector<u32> smallValues;
    /** 4 * index + 2 * phi + sign. */
    std::vector<u32> smallIds;
  };
  static constexpr u64 signBit = u64{1} << 63;
  /** Small halves have only their first digits. */
  static constexpr unsigned smallBits = 24;

  Scalars(const Words* scalars, size_t count, ThreadPool& pool) : chunks_((count + chunkSize - 1) / chunkSize) {
    pool.run(chunks_.size(), [&](size_t part) {
      const size_t to = std::min(count, (part + 1) * chunkSize);
      for (size_t i = part * chunkSize; i < to; i++) append(chunks_[part], scalars[i], static_cast<u32>(i));
    });
    for (const Chunk& chunk : chunks_) halfCount_ += chunk.halves.size(), smallCount_ += chunk.smallIds.size();
  }

  const std::vector<Chunk>& chunks() const { return chunks_; }
  size_t halfCount() const { return halfCount_; }
  size_t smallCount() const { return smallCount_; }

  /** About what a Scalars of these would hold, without making it: halves that are small are counted as large ones. */
  struct Counts {
    size_t halves = 0, smalls = 0;
  };
  static Counts count(const Words* scalars, size_t count, ThreadPool& pool) {
    std::vector<Counts> parts((count + countedSize - 1) / countedSize);
    pool.run(parts.size(), [&](size_t part) {
      const size_t to = std::min(count, (part + 1) * countedSize);
      for (size_t i = part * countedSize; i < to; i++)
        if (isSmall(scalars[i])) parts[part].smalls += isZero(scalars[i]) ? 0 : 1;
        else parts[part].halves += 2;
    });
    Counts out;
    for (const Counts& each : parts) out.halves += each.halves, out.smalls += each.smalls;
    return out;
  }

 private:
  static constexpr size_t chunkSize = 8192, countedSize = size_t{1} << 16;

  static bool isSmall(const Words& k) { return (k.w[1] | k.w[2] | k.w[3]) == 0 && k.w[0] >> smallBits == 0; }

  static void append(Chunk& chunk, const Words& k, u32 index) {
    if (isZero(k)) return;
    if (isSmall(k)) {
      chunk.smallValues.push_back(static_cast<u32>(k.w[0]));
      chunk.smallIds.push_back(4 * index);
      return;
    }
    const glv::Halves halves = glv::split(k);
    appendHalf(chunk, halves.k1, index, 0);
    appendHalf(chunk, halves.k2, index, 1);
  }

  static void appendHalf(Chunk& chunk, u128 value, u32 index, u32 phi) {
    if (value == 0) return;
    const bool isNegative = value >> 127 != 0;
    if (isNegative) value = 0 - value;
    if (value >> smallBits == 0) {
      chunk.smallValues.push_back(static_cast<u32>(value));
      chunk.smallIds.push_back(4 * index + 2 * phi + (isNegative ? 1 : 0));
      return;
    }
    chunk.halves.push_back({static_cast<u64>(value), static_cast<u64>(value >> 64) | (isNegative ? signBit : 0)});
    chunk.ids.push_back(2 * index + phi);
  }

  std::vector<Chunk> chunks_;
  size_t halfCount_ = 0, smallCount_ = 0;
};

/**
 * Digits of `bits` bits, signed except the last: with 2^(bits - 1) added to every digit but the last they
 * are plain windows of the sum, so each is read on its own.
 */
struct DigitPlan {
  unsigned bits, windowCount;
  u128 offset = 0;

  explicit DigitPlan(unsigned windowBits) : bits(windowBits), windowCount((glv::halfBits + windowBits - 1) / windowBits) {
    for (unsigned w = 0; w + 1 < windowCount; w++) offset |= static_cast<u128>(1) << (w * bits + bits - 1);
  }
  bool isLast(unsigned window) const { return window + 1 == windowCount; }
  /** log2 of the number of buckets: the largest absolute value of a digit. */
  unsigned bucketPower(unsigned window) const { return isLast(window) ? glv::halfBits - window * bits : bits - 1; }
  bool hasSmall(unsigned window) const { return window * bits <= Scalars::smallBits; }

  /** body(absolute digit, ref's flags and 4 * index) for every digit that is not zero. */
  template <class Body>
  void forEach(const Scalars& scalars, unsigned window, const Body& body) const {
    const unsigned shift = window * bits;
    const u64 half = isLast(window) ? 0 : u64{1} << (bits - 1), mask = isLast(window) ? ~u64{0} : 2 * half - 1;
    const auto visit = [&](u64 shifted, u32 id) {
      const i64 d = static_cast<i64>(shifted & mask) - static_cast<i64>(half);
      if (d != 0) body(static_cast<u32>(d < 0 ? -d : d), id ^ static_cast<u32>(d < 0));
    };
    for (const Scalars::Chunk& chunk : scalars.chunks()) {
      for (size_t i = 0; i < chunk.halves.size(); i++) {
        const Scalars::Half& each = chunk.halves[i];
        const u128 sum = glv::u128Of(each.highAndSign & ~Scalars::signBit, each.low) + offset;
        visit(static_cast<u64>(sum >> shift), chunk.ids[i] << 1 | static_cast<u32>(each.highAndSign >> 63));
      }
      if (!hasSmall(window)) continue;
      for (size_t i = 0; i < chunk.smallIds.size(); i++)
        visit(static_cast<u64>((chunk.smallValues[i] + offset) >> shift), chunk.smallIds[i]);
    }
  }
};
