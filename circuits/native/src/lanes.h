// Eight hashes, or eight signatures, at once, where the processor has vectors for it. Each set of instructions is a file of its own,
// so that nothing outside it is compiled for them.
#pragma once
#include <vector>

#include "../../../prover/native/src/field.h"

/** An element in limbs of 52 bits, Montgomery form with R = 2^260, below the modulus. */
struct Limbs {
  u64 l[5];
};

/** From the form with R = 2^256, any 256 bits. */
inline Words toLaneForm(const Words& a) {
  static constexpr Words factor = powerOfTwo(260, ScalarModulus::value);
  return Fr::mul(a, factor);
}
inline Limbs toLimbs(const Words& a) {
  const Words form = toLaneForm(a);
  Limbs out;
  for (int i = 0; i < 5; i++) out.l[i] = limb52(form, i);
  return out;
}

constexpr size_t maxLaneWidth = 17;
/** Partial rounds between two updates of all elements but the first; the last block may have fewer. */
constexpr size_t laneBlockRounds = 6;

/** Poseidon's numbers as poseidon-lanes.h reads them, those of a step behind those of the one before. */
struct LanePoseidon {
  size_t width, partialCount;
  std::vector<Limbs> start, before, blocks, after, dense, entry;
};

/** One number for each lane. */
struct alignas(64) LaneNumbers {
  u64 l[5][8];
};
/** Partial rounds of one hash that share a vector: a lane each. */
constexpr size_t maxRounds = 8;

/**
 * Poseidon's numbers for one hash, whose elements stand in lanes: the first one behind all others. Of a matrix each element's
 * column; of a block of partial rounds the constants, each other element's part in the first elements to come, each power's part in
 * them, and each power's part in the others.
 */
struct OnePoseidon {
  size_t width, partialCount;
  std::vector<LaneNumbers> start, before, blocks, after, dense, entry;
};

/** One signature: S B = R + u A. Plain integers; the coordinates are below the modulus. */
struct Equation {
  Words keyX, keyY, r8X, r8Y, factor, s;
};

constexpr size_t baseWindows = 33, baseEntries = 128;
/** What edwards::Curve has, for curve-lanes.h. */
struct LaneCurve {
  Words scale, d2;
  /** Y + X, Y - X and 2 d T of each entry; behind them the identity's. */
  std::vector<Words> base;
};

struct LaneKernels {
  const char* name;
  /** Eight at once take less time than so many by themselves. */
  size_t fewest;
  /** Hashes `count` rows of `width` plain integers of 256 bits. */
  void (*hash)(const LanePoseidon&, const Words* in, Words* out, size_t count);
  /** One row by itself, its elements in the lanes; null where that is no faster. */
  void (*hashOne)(const OnePoseidon&, const Words* in, Words* out);
  void (*holds)(const LaneCurve&, const Equation* in, bool* out, size_t count);
};

/**
 * AVX-512 IFMA, which the processor must have. Null where this program was built for another processor family, or by Clang, which
 * knows no pragma for instructions.
 */
const LaneKernels* ifmaLanes();
/** The same of AVX2 with fused multiply-add. */
const LaneKernels* avx2Lanes();
/** What this program and this processor have, the fastest first. */
std::vector<const LaneKernels*> allLanes();

/** Of `count`, those that go through the lanes. */
inline size_t countInLanes(const LaneKernels* kernels, size_t count) {
  if (kernels == nullptr) return 0;
  return count % 8 < kernels->fewest ? count - count % 8 : count;
}
