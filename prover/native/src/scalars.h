// Scalars split in halves and cut into signed digits.
#pragma once
#include <algorithm>
#include <vector>

#include "glv.h"
#include "kernels/kernels.h"
#include "thread-pool.h"

/** Halves that a multi-scalar multiplication reads window by window. Zero halves are left out. */
class Scalars {
 public:
  struct Chunk {
    std::vector<Half> halves;
    /** See HalvesView. */
    std::vector<u32> ids;
    std::vector<u32> smallValues;
    /** 4 * index + 2 * phi + sign. */
    std::vector<u32> smallIds;

    void clear() { halves.clear(), ids.clear(), smallValues.clear(), smallIds.clear(); }
  };
  /** Of each scalar, as halves. */
  static constexpr size_t bytesEach = 2 * (sizeof(Half) + sizeof(u32));
  /** Small halves have only their first digits. */
  static constexpr unsigned smallBits = 24;

  Scalars() = default;
  Scalars(const Words* scalars, size_t count, ThreadPool& pool) { assign(scalars, count, pool); }
  /**
   * Takes other scalars, in the memory of those before them.
   * @param isLeftOut by scalar, not 0 for one that is left out; null for none
   */
  void assign(const Words* scalars, size_t count, ThreadPool& pool, const uint8_t* isLeftOut = nullptr) {
    chunks_.resize((count + chunkSize - 1) / chunkSize);
    pool.run(chunks_.size(), [&](size_t part) {
      const size_t to = std::min(count, (part + 1) * chunkSize);
      chunks_[part].clear();
      for (size_t i = part * chunkSize; i < to; i++)
        if (isLeftOut == nullptr || isLeftOut[i] == 0) append(chunks_[part], scalars[i], static_cast<u32>(i));
    });
    halfCount_ = smallCount_ = 0;
    for (const Chunk& chunk : chunks_) halfCount_ += chunk.halves.size(), smallCount_ += chunk.smallIds.size();
  }

  static bool isSmall(const Words& k) { return (k.w[1] | k.w[2] | k.w[3]) == 0 && k.w[0] >> smallBits == 0; }

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
    chunk.halves.push_back({static_cast<u64>(value), static_cast<u64>(value >> 64) | (isNegative ? halfSign : 0)});
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
  /** A digit at bit 25 still takes the carry of a small half's last bits. */
  bool hasSmall(unsigned window) const { return window * bits <= Scalars::smallBits + 1; }

  /**
   * A window's digits of a chunk's scalars that are not zero and whose point has a place in `indexOf`; returns how many. `out` has
   * room for eight more than there are digits.
   */
  size_t cut(const Kernels& kernels, const Scalars::Chunk& chunk, unsigned window, const u32* indexOf, Digit* out) const {
    const u64 half = isLast(window) ? 0 : u64{1} << (bits - 1), mask = isLast(window) ? ~u64{0} : 2 * half - 1;
    const DigitWindow digits{offset, window * bits, half, mask, indexOf};
    size_t count = kernels.cutHalves({chunk.halves.data(), chunk.ids.data(), chunk.halves.size()}, digits, out);
    if (!hasSmall(window)) return count;
    for (size_t i = 0; i < chunk.smallIds.size(); i++)
      count += digits.write(chunk.smallValues[i], chunk.smallIds[i] >> 2, chunk.smallIds[i] & 3, out + count);
    return count;
  }
};
