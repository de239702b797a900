// What the paths, IFMA, AVX2 and portable, implement. Each keeps field elements in 32 bytes in a form of its
// own: 4 x 64 bits, Montgomery with R = 2^260, points below 5/2 m (IFMA) or 2 m (AVX2), or R = 2^256 below m (portable).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "../buffer.h"
#include "../modulus.h"
#include "digits.h"

/** A point to add: its address, 32-byte aligned, and in the lowest bit whether its negative is meant. */
using PointRef = uintptr_t;
constexpr PointRef negatedFlag = 1;

/**
 * Points that a later batch will read: fetched into the second-level cache while this one computes, since the table is larger
 * than the caches. An entry is 2 * place in the table + sign.
 */
struct Upcoming {
  const u32* entries = nullptr;
  size_t count = 0;
  const char* table = nullptr;
  size_t pointBytes = 0;

  void fetch(size_t from, size_t to) const {
    for (size_t i = from; i < to && i < count; i++) {
      const char* const point = table + (entries[i] >> 1) * pointBytes;
      for (size_t line = 0; line < pointBytes; line += 64) __builtin_prefetch(point + line, 0, 2);
    }
  }
};

/**
 * Independent additions a[i] + b[i] -> out[i]. out[i] may be a[i] or b[i]. Operands are not the point at
 * infinity; a result that is comes out as zeros. Arrays have room for 16 more.
 */
struct PairBatch {
  PointRef* a;
  PointRef* b;
  u64** out;
  size_t count;
  Upcoming upcoming;
};

constexpr size_t maxPairs = 4096;

/** Memory for one thread's batches. */
struct PairScratch {
  Buffer bytes{(2 * maxPairs + 64) * 64};
};

/** Runs body(part) for part < count on all threads; returns when all are done. */
using ParallelFor = std::function<void(size_t count, const std::function<void(size_t)>& body)>;

/** The coefficients of one matrix of the QAP, prepared for one path. */
struct SparseMatrix;

struct QuotientPlan {
  virtual ~QuotientPlan() = default;
  /** Bytes of one vector of the domain's size, in this path's form. */
  virtual size_t vectorBytes() const = 0;
  /**
   * The scalars for the H points, plain integers: (A B - C)(x) at the odd 2n-th roots of unity, for the
   * polynomials that have the values a, b and a b at the n-th roots. a and b come in divided by n, and are
   * overwritten; c is scratch.
   */
  virtual void quotient(u64* a, u64* b, u64* c, Words* out, const ParallelFor& parallel) const = 0;
};

/** One matrix in the form of the zkey: rows' entries one after another. */
struct MatrixRows {
  size_t domainSize;
  /** domainSize + 1 positions. */
  const u32* starts;
  const u32* wires;
  /** Which of `values`. */
  const u32* valueIndexes;
  size_t valueCount;
  /** Coefficients times 2^512 mod r, as the zkey has them. */
  const Words* values;
};

struct MatrixPlan {
  virtual ~MatrixPlan() = default;
  /** out[row] = sum of coefficient times witness value, divided by n, in the plan's form. */
  virtual void evaluate(const Words* witness, u64* out, const ParallelFor& parallel) const = 0;
  virtual size_t byteCount() const = 0;
};

struct Kernels {
  const char* name;
  /** Returns whether a point at infinity is among the results. */
  bool (*addPairsG1)(const PairBatch&, PairScratch&);
  bool (*addPairsG2)(const PairBatch&, PairScratch&);
  /** Base field elements from the zkey's form (R = 2^256) to this path's, below q. In place allowed. */
  void (*importBase)(const Words* in, Words* out, size_t count);
  /** The way back, to below q. */
  void (*exportBase)(const Words* in, Words* out, size_t count);
  /** out[i] = in[i] * factor, this path's form, below q. */
  void (*scaleBase)(const Words* in, const Words& factor, Words* out, size_t count);
  /** For tests: out = a b of plain integers, in the base field or the scalar field. */
  void (*multiplyBase)(const Words* a, const Words* b, Words* out, size_t count);
  void (*multiplyScalar)(const Words* a, const Words* b, Words* out, size_t count);
  /** A window's digits that are not zero, of halves whose scalar has a point; returns how many. `out` has room for eight more. */
  size_t (*cutHalves)(const HalvesView&, const DigitWindow&, Digit* out);
  QuotientPlan* (*planQuotient)(unsigned domainPower);
  MatrixPlan* (*planMatrix)(const MatrixRows&);
};

const Kernels& portableKernels();
/** AVX-512 IFMA. Null where this program was built for another processor family; whether the processor has it is processor.h's. */
const Kernels* ifmaKernels();
/** AVX2 with fused multiply-add; null as well. */
const Kernels* avx2Kernels();
/** What this program and this processor have, the fastest first. */
std::vector<const Kernels*> allKernels();
