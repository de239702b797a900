// Poseidon of eight rows at once: poseidon.h in lanes. To be included where the lanes' instructions are allowed.
//
// A product of elements below s m and t m comes out below (1 + s t / 84) m, and a sum of products likewise. The first element and
// those of full rounds stay below 3 m. The others grow by less than 1.3 m with each block of partial rounds, of which there are at
// most 12: below 18 m. 16 of them make a first element below 5 m; fifth powers come out below 2 m of either.
#pragma once
#include "lanes.h"

namespace {

/** @param L the field's lanes, @param S their sums of products */
template <class L, class S>
struct LaneHash {
  using F = typename L::F;
  static constexpr size_t maxElements = maxLaneWidth + laneBlockRounds;

  static __attribute__((noinline)) F dot(const F* a, const Limbs* b, size_t count) {
    typename S::Sum sum = S::nothing(count);
    for (size_t i = 0; i < count; i++) S::addProduct(sum, a[i], b[i]);
    return S::reduce(sum);
  }

  /** Step by step for all, so that none waits for its own last step. */
  static __attribute__((noinline)) void powers(F* state, const Limbs* constants, size_t width) {
    F square[maxLaneWidth];
    for (size_t i = 0; i < width; i++) square[i] = L::sqr(state[i]);
    for (size_t i = 0; i < width; i++) square[i] = L::sqr(square[i]);
    for (size_t i = 0; i < width; i++) state[i] = S::plus(L::mul(square[i], state[i]), S::splat(constants[i]));
  }
  static void mix(F* state, const Limbs* matrix, size_t width) {
    F next[maxLaneWidth];
    for (size_t i = 0; i < width; i++) next[i] = dot(state, matrix + i * width, width);
    for (size_t i = 0; i < width; i++) state[i] = next[i];
  }

  /**
   * Groups of eight side by side, so that none waits for its own last power.
   * @param row(i) `width` plain integers, @param out(i) where the hash goes
   */
  template <size_t groups, class Row, class Out>
  static void hash(const LanePoseidon& numbers, const Row& row, const Out& out) {
    static constexpr Words r2 = powerOfTwo(520, ScalarModulus::value);
    const size_t width = numbers.width, half = numbers.before.size() / width;
    const F square = L::splatWords(r2);
    F states[groups][maxElements];
    for (size_t group = 0; group < groups; group++) {
      for (size_t i = 0; i < width; i++) {
        const F plain = L::gather([&](int lane) { return static_cast<const void*>(row(8 * group + static_cast<size_t>(lane)) + i); });
        states[group][i] = S::plus(L::mul(plain, square), S::splat(numbers.start[i]));
      }
      for (size_t round = 0; round < half; round++) {
        powers(states[group], &numbers.before[round * width], width);
        mix(states[group], round + 1 == half ? numbers.entry.data() : numbers.dense.data(), width);
      }
    }
    const Limbs* number = numbers.blocks.data();
    for (size_t left = numbers.partialCount; left > 0;) {
      const size_t rounds = left < laneBlockRounds ? left : laneBlockRounds;
      // Behind the others stand the first elements' fifth powers of the block so far.
      for (size_t k = 0; k < rounds; k++) {
        F power[groups];
        for (size_t group = 0; group < groups; group++) power[group] = L::sqr(states[group][0]);
        for (F& each : power) each = L::sqr(each);
        for (size_t group = 0; group < groups; group++)
          states[group][width + k] = S::plus(L::mul(power[group], states[group][0]), S::splat(*number));
        number++;
        for (F* state : states) state[0] = dot(state + 1, number, width + k);
        number += width + k;
      }
      for (size_t j = 1; j < width; j++, number += rounds)
        for (F* state : states) state[j] = S::plus(state[j], dot(state + width, number, rounds));
      left -= rounds;
    }
    for (size_t group = 0; group < groups; group++) {
      F* const state = states[group];
      for (size_t round = 0; round < half; round++) {
        powers(state, &numbers.after[round * width], width);
        if (round + 1 < half) mix(state, numbers.dense.data(), width);
      }
      // Out of Montgomery form as a product by 1.
      const F plain = L::mul(dot(state, numbers.dense.data(), width), L::splatWords(Words{{1, 0, 0, 0}}));
      L::scatter([&](int lane) { return static_cast<void*>(out(8 * group + static_cast<size_t>(lane))); }, L::canonical(plain));
    }
  }

  static void all(const LanePoseidon& numbers, const Words* in, Words* out, size_t count) {
    [[maybe_unused]] const typename S::Scope scope;
    for (size_t from = 0; from < count;) {
      // The last step hashes its last row again where lanes are left over.
      const auto at = [&](size_t i) { return from + i < count ? from + i : count - 1; };
      const auto row = [&](size_t i) { return in + at(i) * numbers.width; };
      const auto to = [&](size_t i) { return out + at(i); };
      const bool isPair = count - from > 8;
      if (isPair) hash<2>(numbers, row, to);
      else hash<1>(numbers, row, to);
      from += isPair ? 16 : 8;
    }
  }
};

}  // namespace
