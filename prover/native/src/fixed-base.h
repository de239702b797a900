// Multiples of one group's generator by many scalars: the points of a development key.
#pragma once
#include <vector>

#include "buffer.h"
#include "kernels/kernels.h"

/**
 * The generator's multiples in tables, one for each window of a scalar's bits: a scalar's signed digits name one entry of
 * each, which batches of affine additions sum up. 2^(windowBits - 1) entries a window.
 */
class FixedBase {
 public:
  /** windowBits: 2 to 16. */
  FixedBase(const Kernels& kernels, bool isG2, unsigned windowBits);

  /** Points as a zkey has them, affine, R = 2^256, zeros for infinity, of scalars below r. */
  void multiply(const Words* scalars, size_t count, unsigned char* out);
  size_t pointBytes() const { return isG2_ ? 128 : 64; }

 private:
  void buildTables();
  void addWindow(size_t window, const Words* scalars, size_t count);
  void emit(PointRef a, PointRef b, char* out);
  void flush();
  char* entryAt(size_t window, size_t index) const {
    return tables_.as<char>() + (window * entryCount_ + index) * pointBytes();
  }
  char* sumAt(size_t index) const { return sums_.as<char>() + index * pointBytes(); }

  const Kernels& kernels_;
  const bool isG2_;
  const unsigned windowBits_;
  const size_t windowCount_, entryCount_;
  Buffer tables_, sums_;
  /** By scalar of the batch: its sum so far, in its own place or still an entry; 0 for none. */
  std::vector<PointRef> refs_;
  std::vector<u32> carries_;
  std::vector<PointRef> a_, b_;
  std::vector<u64*> out_;
  size_t pairCount_ = 0;
  PairScratch scratch_;
};
