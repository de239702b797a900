// Poseidon of one row, its elements in the lanes. To be included where the lanes' instructions are allowed. The bounds are those of
// poseidon-lanes.h: blocks are of eight partial rounds here, and others stay below 14 m.
#pragma once
#include "lanes.h"

namespace {

template <class L, class S>
struct OneHash {
  using F = typename L::F;
  static constexpr size_t maxGroups = 3;

  static F fifth(const F& x) { return L::mul(L::sqr(L::sqr(x)), x); }

  static void powers(F* state, const LaneNumbers* constants, size_t groups) {
    F square[maxGroups];
    for (size_t g = 0; g < groups; g++) square[g] = L::sqr(state[g]);
    for (size_t g = 0; g < groups; g++) square[g] = L::sqr(square[g]);
    for (size_t g = 0; g < groups; g++) state[g] = S::plus(L::mul(square[g], state[g]), S::load(constants[g]));
  }

  /** Each element by itself, as it is multiplied by numbers of all lanes. */
  static void spread(const F* state, Limbs* out, size_t count) {
    LaneNumbers lanes;
    for (size_t i = 0; i < count; i++) {
      if (i % 8 == 0) S::store(lanes, state[i / 8]);
      for (int j = 0; j < 5; j++) out[i].l[j] = lanes.l[j][i % 8];
    }
  }

  /** The sum of each element times its numbers, which are `step` vectors apart. */
  static __attribute__((noinline)) F dot(const Limbs* elements, const LaneNumbers* numbers, size_t step, size_t count) {
    typename S::Sum sum = S::nothing(count);
    for (size_t i = 0; i < count; i++) S::addProduct(sum, elements[i], numbers[i * step]);
    return S::reduce(sum);
  }

  static void mix(F* state, const LaneNumbers* columns, size_t width, size_t groups) {
    Limbs elements[maxLaneWidth];
    spread(state, elements, width);
    for (size_t g = 0; g < groups; g++) state[g] = dot(elements, columns + g, groups, width);
  }

  /** Partial rounds, whose first elements go through the lanes of one vector. */
  static const LaneNumbers* block(F& first, F* others, const LaneNumbers* numbers, size_t width, size_t rounds) {
    const LaneNumbers *const constants = numbers, *const ofOthers = constants + rounds, *const ofPowers = ofOthers + width - 1;
    const LaneNumbers* const added = ofPowers + rounds;
    const size_t groups = (width + 6) / 8;
    Limbs elements[maxLaneWidth];
    spread(others, elements, width - 1);
    typename S::Sum sum = S::nothing(width - 1 + rounds);
    for (size_t j = 0; j + 1 < width; j++) S::addProduct(sum, elements[j], ofOthers[j]);
    F soFar[maxRounds];
    for (size_t k = 0; k < rounds; k++) {
      soFar[k] = S::plus(fifth(first), S::load(constants[k]));
      S::addProduct(sum, soFar[k], ofPowers[k]);
      first = S::fromLane(S::reduce(sum), k);
    }
    for (size_t g = 0; g < groups; g++) {
      typename S::Sum more = S::nothing(rounds);
      for (size_t k = 0; k < rounds; k++) S::addProduct(more, soFar[k], added[k * groups + g]);
      others[g] = S::plus(others[g], S::reduce(more));
    }
    return added + rounds * groups;
  }

  static void hash(const OnePoseidon& numbers, const Words* in, Words* out) {
    static constexpr Words r2 = powerOfTwo(520, ScalarModulus::value);
    static constexpr Words nothing{};
    const size_t width = numbers.width, groups = (width + 7) / 8, half = numbers.before.size() / groups;
    const size_t group = (width - 1) / 8, lane = (width - 1) % 8;
    F state[maxGroups];
    for (size_t g = 0; g < groups; g++) {
      const auto element = [&](int i) {
        const size_t place = 8 * g + static_cast<size_t>(i);
        return static_cast<const void*>(place >= width ? &nothing : place + 1 == width ? in : in + place + 1);
      };
      state[g] = S::plus(L::mul(L::gather(element), L::splatWords(r2)), S::load(numbers.start[g]));
    }
    for (size_t round = 0; round < half; round++) {
      powers(state, &numbers.before[round * groups], groups);
      mix(state, round + 1 == half ? numbers.entry.data() : numbers.dense.data(), width, groups);
    }
    F first = S::fromLane(state[group], lane);
    const LaneNumbers* number = numbers.blocks.data();
    for (size_t left = numbers.partialCount; left > 0;) {
      const size_t rounds = left < maxRounds ? left : maxRounds;
      number = block(first, state, number, width, rounds);
      left -= rounds;
    }
    state[group] = L::select(S::maskOf(1u << lane), first, state[group]);
    for (size_t round = 0; round < half; round++) {
      powers(state, &numbers.after[round * groups], groups);
      if (round + 1 < half) mix(state, numbers.dense.data(), width, groups);
    }
    Limbs elements[maxLaneWidth];
    spread(state, elements, width);
    // Out of Montgomery form as a product by 1.
    const F last = L::mul(dot(elements, numbers.dense.data() + group, groups, width), L::splatWords(Words{{1, 0, 0, 0}}));
    alignas(64) Words words[8];
    L::scatter([&](int i) { return static_cast<void*>(&words[i]); }, L::canonical(last));
    *out = words[lane];
  }
};

}  // namespace
