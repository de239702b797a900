// Runs a program's steps for all copies of a part: a step's divisions share one inversion. To be included where an arithmetic's
// instructions are allowed.
#pragma once
#include "program.h"

namespace {

using namespace steps;

/**
 * @param E the arithmetic of `lanes` copies at once: F an element of each, Unit its form in memory, Constant a number for all;
 *   sums and differences are F that `product`, `difference` and `quotientParts` take
 */
template <class E>
class Run {
  using F = typename E::F;
  using Unit = typename E::Unit;
  using Constant = typename E::Constant;
  static constexpr size_t lanes = E::lanes;

 public:
  Run(const Program& program, const Copies& copies)
      : program_(program), copies_(copies), groups_((copies.count + lanes - 1) / lanes), values_(program.wireCount * groups_),
        above_(groups_), below_(groups_), before_(groups_), isZero_(groups_) {}

  /** The index of a row that some copy breaks, or -1. */
  i64 all() {
    readInputs();
    Reader reader{program_};
    while (!reader.isDone()) {
      const u32 step = reader.next();
      if (step == product) {
        Unit* const out = of(reader.wire());
        const Constant& scale = constant(reader);
        readSides(reader);
        for (size_t g = 0; g < groups_; g++) E::store(out[g], E::product(sum(a_, g), sum(b_, g), sum(c_, g), scale));
      } else if (step == quotient) {
        Unit* const out = of(reader.wire());
        const Constant& factor = constant(reader);
        const Constant& own = constant(reader);
        readSides(reader);
        for (size_t g = 0; g < groups_; g++) {
          const F b = sum(b_, g);
          E::store(above_[g], E::difference(sum(c_, g), sum(a_, g), b));
          E::store(below_[g], E::scaledLess(b, factor, own));
        }
        if (!divide(out)) return 0;
      } else if (step == bits) {
        bitsOf(reader);
      } else if (step == basePoints) {
        points(reader);
      } else if (step == challenge) {
        signs(reader);
      } else if (step == check) {
        const u32 row = reader.next();
        readSides(reader);
        for (size_t g = 0; g < groups_; g++)
          if (!E::isAllZero(E::difference(sum(c_, g), sum(a_, g), sum(b_, g)))) return row;
      } else {
        throw std::runtime_error("there is no such step");
      }
    }
    writeValues();
    return -1;
  }

 private:
  const Program& program_;
  const Copies& copies_;
  const size_t groups_;
  std::vector<Unit> values_, above_, below_, before_;
  std::vector<typename E::Mask> isZero_;
  using Terms = std::vector<Term<Unit, Constant>>;
  Terms a_, b_, c_;

  Unit* of(u32 wire) { return values_.data() + wire * groups_; }
  const Constant& constant(Reader& reader) { return E::constants(program_)[reader.constant()]; }
  void readTerms(Reader& reader, Terms& out) {
    out.clear();
    for (u32 count = reader.next(); count > 0; count--) {
      const Unit* const wire = of(reader.wire());
      out.push_back({wire, &constant(reader)});
    }
  }
  void readSides(Reader& reader) { readTerms(reader, a_), readTerms(reader, b_), readTerms(reader, c_); }
  F sum(const Terms& terms, size_t group) { return E::sum(terms.data(), terms.size(), group, E::constants(program_)); }
  /** The last group's spare lanes repeat the last copy. */
  size_t copyOf(size_t group, size_t lane) const { return std::min(group * lanes + lane, copies_.count - 1); }

  void readInputs() {
    const size_t width = size_t{32} * program_.inputCount();
    for (size_t g = 0; g < groups_; g++) {
      E::store(of(0)[g], E::one());
      for (u32 k = 0; k < program_.inputCount(); k++) {
        Words plain[lanes];
        for (size_t lane = 0; lane < lanes; lane++) {
          std::memcpy(&plain[lane], copies_.inputs + copyOf(g, lane) * width + size_t{32} * k, sizeof(Words));
          if (!isBelow(plain[lane], Fr::modulus)) throw std::runtime_error("an input is not below the field's order");
        }
        E::store(of(1 + program_.outputCount + k)[g], E::fromPlain(plain));
      }
    }
  }

  void writeValues() {
    const u32 portCount = program_.portCount(), ownCount = program_.ownCount();
    for (size_t g = 0; g < groups_; g++)
      for (u32 wire = 1; wire < program_.wireCount; wire++) {
        Words plain[lanes];
        E::toPlain(E::load(of(wire)[g]), plain);
        for (size_t lane = 0; lane < lanes && g * lanes + lane < copies_.count; lane++) {
          const size_t copy = g * lanes + lane, k = wire - 1;
          unsigned char* const to =
              k < portCount ? copies_.ports + (copy * portCount + k) * 32 : copies_.own + (copy * ownCount + k - portCount) * 32;
          std::memcpy(to, &plain[lane], sizeof(Words));
        }
      }
  }

  /** out = above / below by one inversion (Montgomery's trick); 0 / 0 = 0, as in circom. False for a division of another value by 0. */
  bool divide(Unit* out) {
    F all = E::one();
    for (size_t g = 0; g < groups_; g++) {
      E::store(before_[g], all);
      F below = E::load(below_[g]);
      isZero_[g] = E::zeros(below);
      if (!E::isAllZeroWhere(isZero_[g], E::load(above_[g]))) return false;
      below = E::oneWhere(isZero_[g], below);
      E::store(below_[g], below);
      all = E::mul(all, below);
    }
    F inverse = E::inverse(all);
    for (size_t g = groups_; g-- > 0;) {
      E::store(out[g], E::zeroWhere(isZero_[g], E::mul(E::load(above_[g]), E::mul(inverse, E::load(before_[g])))));
      inverse = E::mul(inverse, E::load(below_[g]));
    }
    return true;
  }

  static u64 bitsAt(const Words& value, u32 from, u64 mask) {
    if (from >= 256) return 0;
    u64 out = value.w[from / 64] >> (from % 64);
    if (from % 64 > 61 && from < 192) out |= value.w[from / 64 + 1] << (64 - from % 64);
    return out & mask;
  }
  /** By lane whether a bit is set. */
  static unsigned bitOf(const Words* plain, u32 index) {
    unsigned out = 0;
    for (size_t lane = 0; lane < lanes; lane++) out |= static_cast<unsigned>(bitsAt(plain[lane], index, 1)) << lane;
    return out;
  }
  /** The scaled sum of each copy as a plain integer. */
  std::vector<Words> plainSums(const Constant& scale) {
    std::vector<Words> out(groups_ * lanes);
    for (size_t g = 0; g < groups_; g++) E::toPlain(E::scaled(sum(a_, g), scale), &out[g * lanes]);
    return out;
  }

  void bitsOf(Reader& reader) {
    const Constant& scale = constant(reader);
    readTerms(reader, a_);
    const std::vector<Words> plain = plainSums(scale);
    for (u32 count = reader.next(); count > 0; count--) {
      Unit* const out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t g = 0; g < groups_; g++) E::store(out[g], E::flags(bitOf(&plain[g * lanes], index)));
    }
  }

  /** What BasePoints looks up for each four bits of a scalar. */
  void points(Reader& reader) {
    const Unit* const scalar = of(reader.wire());
    std::vector<Words> plain(groups_ * lanes);
    for (size_t g = 0; g < groups_; g++) E::toPlain(E::load(scalar[g]), &plain[g * lanes]);
    const u32 count = reader.next();
    for (u32 window = 0; window < count; window++) {
      Unit* const u = of(reader.wire());
      Unit* const v = of(reader.wire());
      const Constant* table[16];
      for (const Constant*& entry : table) entry = &constant(reader);
      for (size_t g = 0; g < groups_; g++) {
        const Constant* ofU[lanes];
        const Constant* ofV[lanes];
        unsigned isNegative = 0;
        for (size_t lane = 0; lane < lanes; lane++) {
          const u64 digit = window < 64 ? bitsAt(plain[g * lanes + lane], 4 * window, 15) : 0;
          const u64 at = digit < 8 ? 2 * (7 - digit) : 2 * (digit - 8);
          ofU[lane] = table[at], ofV[lane] = table[at + 1];
          isNegative |= static_cast<unsigned>(digit < 8) << lane;
        }
        E::store(u[g], E::gather(ofU));
        E::store(v[g], E::negatedWhere(isNegative, E::gather(ofV)));
      }
    }
  }

  /** What NegatedChallengeMul shows of a hash: its bits from 128 on, and v or -v for each bit below. */
  void signs(Reader& reader) {
    const Constant& scale = constant(reader);
    const Unit* const v = of(reader.wire());
    readTerms(reader, a_);
    const std::vector<Words> plain = plainSums(scale);
    for (u32 count = reader.next(); count > 0; count--) {
      Unit* const out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t g = 0; g < groups_; g++)
        E::store(out[g], E::flags(index < 128 ? bitOf(&plain[g * lanes], 128 + index) : 0));
    }
    for (u32 count = reader.next(); count > 0; count--) {
      Unit* const out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t g = 0; g < groups_; g++)
        E::store(out[g], E::negatedWhere(~bitOf(&plain[g * lanes], index), E::load(v[g])));
    }
  }
};

}  // namespace
