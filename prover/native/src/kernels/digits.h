// Digits of scalars' halves, cut for one window. Everything here is static: units for several instruction sets include it.
#pragma once
#include "../modulus.h"

/** Of a scalar without a point. */
constexpr u32 noPoint = ~u32{0};

/** A digit's absolute value, and 4 * place of its scalar's point + 2 * phi + sign. */
struct Digit {
  u32 value, entry;
};

/** A half's absolute value. */
struct Half {
  u64 low, highAndSign;
};
constexpr u64 halfSign = u64{1} << 63;

/** Halves, and by half 2 * scalar + 1 for one that goes with phi. */
struct HalvesView {
  const Half* halves;
  const u32* ids;
  size_t count;
};

/** The digits ((value + offset) >> shift & mask) - half, and by scalar the place of its point or noPoint. */
struct DigitWindow {
  u128 offset;
  unsigned shift;
  u64 half, mask;
  const u32* indexOf;

  /** Writes a digit, and returns how many to keep. Without a branch: which scalars have a point is hard to foresee. */
  size_t write(u128 value, u32 scalar, u32 flags, Digit* out) const {
    const int64_t digit = static_cast<int64_t>(static_cast<u64>((value + offset) >> shift) & mask) - static_cast<int64_t>(half);
    const u32 index = indexOf[scalar], isNegative = digit < 0 ? 1 : 0;
    *out = {static_cast<u32>(digit < 0 ? -digit : digit), index << 2 | (flags ^ isNegative)};
    return static_cast<size_t>(digit != 0) & static_cast<size_t>(index != noPoint);
  }
};

/** See Kernels::cutHalves. */
static inline size_t cutHalvesSingly(const HalvesView& view, const DigitWindow& window, Digit* out) {
  size_t count = 0;
  for (size_t i = 0; i < view.count; i++) {
    const auto [low, highAndSign] = view.halves[i];
    const u32 id = view.ids[i], flags = (id & 1) << 1 | static_cast<u32>(highAndSign >> 63);
    count += window.write(static_cast<u128>(highAndSign & ~halfSign) << 64 | low, id >> 1, flags, out + count);
  }
  return count;
}
