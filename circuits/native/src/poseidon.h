// Poseidon of one width: poseidon-sparse.ts has the rounds, poseidon-tables.ts the order of their numbers.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "dot.h"
#include "lanes.h"

class Poseidon {
 public:
  /** @param numbers plain, as poseidon-tables.ts puts them, @param kernels null: one hash at a time */
  Poseidon(size_t width, const Words* numbers, size_t count, const LaneKernels* kernels)
      : width(width), kernels(kernels), table(numbers, numbers + count) {
    const size_t fixed = width * (1 + half + half + 2 * width);
    if (width < 2 || width > maxTerms || count < fixed || (count - fixed) % (2 * width) != 0)
      throw std::runtime_error("these are no numbers of Poseidon's rounds");
    partialCount = (count - fixed) / (2 * width);
    for (Words& number : table) number = Fr::toMontgomery(number);
    const Words* at = table.data() + width * (1 + half);
    for (size_t left = partialCount; left > 0;) {
      const size_t rounds = left < blockRounds() ? left : blockRounds();
      addBlock(blocks, at, rounds);
      at += rounds * 2 * width, left -= rounds;
    }
    if (kernels != nullptr) layOutLanes();
  }

  const size_t width;

  /** @param in `count` times `width` plain integers: the tag and the inputs of each */
  void hashAll(const Words* in, Words* out, size_t count) const {
    size_t i = countInLanes(kernels, count);
    if (i > 0) kernels->hash(forLanes, in, out, i);
    for (; i < count; i++) {
      if (kernels != nullptr && kernels->hashOne != nullptr)
        kernels->hashOne(forOne, in + i * width, out + i);
      else
        out[i] = hash(in + i * width);
    }
  }

  /** @param in `width` plain integers: the tag and the inputs */
  Words hash(const Words* in) const {
    Words state[maxTerms], next[maxTerms];
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
    at = after;
    Words first = state[0], others[maxTerms];
    std::memcpy(others, state + 1, (width - 1) * sizeof(Words));
    const Words* number = blocks.data();
    for (size_t left = partialCount; left > 0;) {
      const size_t rounds = left < blockRounds() ? left : blockRounds();
      // Behind the others stand the first elements' fifth powers of the block so far.
      Words* const powers = others + width - 1;
      for (size_t k = 0; k < rounds; k++) {
        powers[k] = Fr::add(fifth(first), *number++);
        first = dot(Words{}, others, number, width + k);
        number += width + k;
      }
      for (size_t j = 0; j + 1 < width; j++, number += rounds) others[j] = dot(others[j], powers, number, rounds);
      left -= rounds;
    }
    state[0] = first;
    std::memcpy(state + 1, others, (width - 1) * sizeof(Words));
    for (size_t round = 0; round + 1 < half; round++, at += width) {
      powers(at);
      mix(dense);
    }
    powers(at);
    return Fr::fromMontgomery(dot(Words{}, state, dense, width));
  }

 private:
  static constexpr size_t half = 4;
  const LaneKernels* const kernels;
  std::vector<Words> table, blocks;
  size_t partialCount;
  LanePoseidon forLanes;
  OnePoseidon forOne;

  void layOutLanes() {
    const auto limbs = [](const Words* from, size_t count) {
      std::vector<Limbs> out;
      for (size_t i = 0; i < count; i++) out.push_back(toLimbs(from[i]));
      return out;
    };
    const Words* const before = table.data() + width;
    const Words* const partial = before + half * width;
    const Words* const after = partial + partialCount * 2 * width;
    const Words* const dense = after + half * width;
    std::vector<Words> inBlocks;
    for (size_t round = 0; round < partialCount; round += laneBlockRounds)
      addBlock(inBlocks, partial + round * 2 * width, std::min(laneBlockRounds, partialCount - round));
    forLanes = {width, partialCount, limbs(table.data(), width), limbs(before, half * width),
                limbs(inBlocks.data(), inBlocks.size()), limbs(after, half * width), limbs(dense, width * width),
                limbs(dense + width * width, width * width)};
    const auto each = [&](const Words* rows, size_t rowCount) {
      std::vector<LaneNumbers> out;
      for (size_t row = 0; row < rowCount; row++)
        putAcross(out, width, [&](size_t place) { return rows[row * width + elementAt(place)]; });
      return out;
    };
    const auto columns = [&](const Words* matrix) {
      std::vector<LaneNumbers> out;
      for (size_t j = 0; j < width; j++)
        putAcross(out, width, [&](size_t place) { return matrix[elementAt(place) * width + elementAt(j)]; });
      return out;
    };
    forOne = {width, partialCount, each(table.data(), 1), each(before, half), {}, each(after, half),
              columns(dense), columns(dense + width * width)};
    for (size_t round = 0; round < partialCount; round += maxRounds)
      addBlockOfOne(partial + round * 2 * width, std::min(maxRounds, partialCount - round));
  }

  /** In lanes the first element stands behind all others. */
  size_t elementAt(size_t place) const { return place + 1 == width ? 0 : place + 1; }

  template <class Number>
  static void putAcross(std::vector<LaneNumbers>& out, size_t count, const Number& number) {
    for (size_t from = 0; from < count; from += 8) {
      LaneNumbers all{};
      for (size_t lane = 0; lane < 8 && from + lane < count; lane++) {
        const Limbs limbs = toLimbs(number(from + lane));
        for (int i = 0; i < 5; i++) all.l[i][lane] = limbs.l[i];
      }
      out.push_back(all);
    }
  }

  void addBlockOfOne(const Words* rows, size_t rounds) {
    std::vector<Words> numbers;
    addBlock(numbers, rows, rounds);
    // Of round k: its constant, the parts of the others, those of the powers so far, and its own power's.
    const auto ofRound = [&](size_t k) { return numbers.data() + k * (width + 1) + k * (k - 1) / 2; };
    const Words* const added = ofRound(rounds);
    auto& out = forOne.blocks;
    for (size_t k = 0; k < rounds; k++) putAcross(out, 8, [&](size_t) { return ofRound(k)[0]; });
    for (size_t j = 0; j + 1 < width; j++)
      putAcross(out, rounds, [&](size_t k) { return ofRound(k)[1 + j]; });
    for (size_t i = 0; i < rounds; i++)
      putAcross(out, rounds, [&](size_t k) { return k < i ? Words{} : ofRound(k)[width + i]; });
    for (size_t k = 0; k < rounds; k++) putAcross(out, width - 1, [&](size_t j) { return added[j * rounds + k]; });
  }

  /** Partial rounds between two updates of all elements but the first. */
  size_t blockRounds() const { return width > maxTerms - 5 ? maxTerms + 1 - width : 6; }

  /**
   * Of a round of the block: its constant, and what the next first element is made of: the elements before the block, the powers of
   * the block's rounds so far, through the columns that they have added, and its own. Then what each element adds up.
   */
  void addBlock(std::vector<Words>& blocks, const Words* rows, size_t rounds) const {
    const auto round = [&](size_t k) { return rows + k * 2 * width; };
    for (size_t k = 0; k < rounds; k++) {
      const Words* const row = round(k) + 1;
      blocks.push_back(round(k)[0]);
      blocks.insert(blocks.end(), row + 1, row + width);
      for (size_t i = 0; i < k; i++) blocks.push_back(dot(Words{}, row + 1, round(i) + width + 1, width - 1));
      blocks.push_back(row[0]);
    }
    for (size_t j = 1; j < width; j++)
      for (size_t k = 0; k < rounds; k++) blocks.push_back(round(k)[width + j]);
  }

  static Words fifth(const Words& x) {
    const Words square = Fr::sqr(x);
    return Fr::mul(Fr::sqr(square), x);
  }
};
