// Many points, each times a scalar of its own: what prover/ceremony/scale-points.ts does, for the setups that Node runs.
#pragma once
#include "msm.h"

class PointScaler {
 public:
  PointScaler(const Kernels& kernels, bool isG2) : kernels_(kernels), isG2_(isG2) {}

  /** points[i] = scalars[i] points[i], as a zkey has them. At most maxPairs. */
  void scale(unsigned char* points, const Words* scalars, size_t count);
  /** a[i] + scalars[i] b[i] into a, and a[i] - scalars[i] b[i] into b. */
  void combine(unsigned char* a, unsigned char* b, const Words* scalars, size_t count);

 private:
  size_t pointBytes() const { return isG2_ ? 128 : 64; }
  /** Into refs_: 0 for infinity. */
  void multiply(const unsigned char* points, const Words* scalars, size_t count);
  void add(PointRef a, PointRef b, char* out);
  void flush();
  void write(const std::vector<PointRef>& refs, unsigned char* out) const;

  static constexpr unsigned windowBits = 4;
  static constexpr size_t multiples = size_t{1} << (windowBits - 1);

  const Kernels& kernels_;
  const bool isG2_;
  PointTable table_;
  /** Multiples 2 and on of each point and of its phi; the sums. */
  Buffer more_, sums_;
  std::vector<PointRef> refs_, a_, b_;
  std::vector<u64*> out_;
  PairScratch scratch_;
};
