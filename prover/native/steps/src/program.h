// Steps of a part as row-steps.ts wrote them, and how they are read.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "../../src/field.h"

namespace steps {

enum Step : u32 { product, quotient, bits, basePoints, challenge, check };

/** An element in limbs of 52 bits, Montgomery form with R = 2^260, below the modulus. */
struct Limbs {
  u64 l[5];
};

struct Program {
  u32 wireCount, outputCount, publicInputCount, privateInputCount;
  /** Montgomery form with R = 2^256; the first two are 1 and -1. */
  std::vector<Words> constants;
  /** The same for lanes. Empty where the processor has none. */
  std::vector<Limbs> limbs;
  std::vector<u32> code;
  u32 portCount() const { return outputCount + publicInputCount; }
  u32 inputCount() const { return publicInputCount + privateInputCount; }
  u32 ownCount() const { return wireCount - 1 - portCount(); }
};

/** A wire's values of all groups of copies, and its factor. */
template <class Unit, class Constant>
struct Term {
  const Unit* wire;
  const Constant* factor;
};

/** Copies of a part, one behind the other: 32 bytes a value, ports and other wires apart. */
struct Copies {
  size_t count;
  const unsigned char* inputs;
  unsigned char* ports;
  unsigned char* own;
};

/** Reads code word by word; each wire and constant is checked to be one. */
struct Reader {
  const Program& program;
  size_t at = 0;
  bool isDone() const { return at >= program.code.size(); }
  u32 next() {
    if (isDone()) throw std::runtime_error("the steps end within a step");
    return program.code[at++];
  }
  u32 wire() {
    const u32 out = next();
    if (out >= program.wireCount) throw std::runtime_error("a step names no wire");
    return out;
  }
  u32 constant() {
    const u32 out = next();
    if (out >= program.constants.size()) throw std::runtime_error("a step names no constant");
    return out;
  }
};

/** Eight copies at once on AVX-512 IFMA, which the processor must have; null where this program was built without it. */
using RunLanes = i64 (*)(const Program& program, const Copies& copies);
RunLanes ifmaSteps();
/** Those of `ifmaSteps` if this processor can run them; null otherwise. */
RunLanes availableLanes();

}  // namespace steps
