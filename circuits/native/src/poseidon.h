// Poseidon of one width: poseidon-sparse.ts has the rounds, poseidon-tables.ts the order of their numbers.
#pragma once
#include <stdexcept>
#include <vector>

#include "dot.h"

class Poseidon {
 public:
  /** @param numbers plain, as poseidon-tables.ts puts them */
  Poseidon(size_t width, const Words* numbers, size_t count) : width(width), table(numbers, numbers + count) {
    const size_t fixed = width * (1 + half + half + 2 * width);
    if (width < 2 || width > mostTerms || count < fixed || (count - fixed) % (2 * width) != 0)
      throw std::runtime_error("these are no numbers of Poseidon's rounds");
    partialCount = (count - fixed) / (2 * width);
    for (Words& number : table) number = Fr::toMontgomery(number);
  }

  const size_t width;

  /** @param in `width` plain integers: the tag and the inputs */
  Words hash(const Words* in) const {
    Words state[mostTerms], next[mostTerms];
    const Words* at = table.data();
    for (size_t i = 0; i < width; i++) state[i] = Fr::add(Fr::toMontgomery(in[i]), at[i]);
    at += width;
    const Words* const partial = at + half * width;
    const Words* const after = partial + partialCount * 2 * width;
    const Words* const dense = after + half * width;
    const Words* const entry = dense + width * width;
    const auto powers = [&](const Words* constants) {
      for (size_t i = 0; i < width; i++) state[i] = Fr::add(fifth(state[i]), constants[i]);
    };
    const auto mix = [&](const Words* matrix) {
      for (size_t i = 0; i < width; i++) next[i] = dot(Words{}, state, matrix + i * width, width);
      std::memcpy(state, next, width * sizeof(Words));
    };
    for (size_t round = 0; round < half; round++, at += width) {
      powers(at);
      mix(round + 1 == half ? entry : dense);
    }
    for (size_t round = 0; round < partialCount; round++, at += 2 * width) {
      const Words x = state[0] = Fr::add(fifth(state[0]), at[0]);
      const Words first = dot(Words{}, state, at + 1, width);
      for (size_t j = 1; j < width; j++) state[j] = dot(state[j], &x, at + width + j, 1);
      state[0] = first;
    }
    for (size_t round = 0; round + 1 < half; round++, at += width) {
      powers(at);
      mix(dense);
    }
    powers(at);
    return Fr::fromMontgomery(dot(Words{}, state, dense, width));
  }

 private:
  static constexpr size_t half = 4;
  std::vector<Words> table;
  size_t partialCount;

  static Words fifth(const Words& x) {
    const Words square = Fr::sqr(x);
    return Fr::mul(Fr::sqr(square), x);
  }
};
