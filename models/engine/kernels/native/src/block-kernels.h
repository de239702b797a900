// Products with int8 weights in blocks of 32 with a scale each. Included by lane-kernels.h.
//
// Sums within a block are of integers, exact in any order. A block adds (float)sum · (scale of x · scale of the weight) to its
// output, blocks in their order, never fused. So the bytes do not depend on the set of kernels, on threads or on other rows.
//
// Bytes are multiplied as sizes of x, 0 … 127, by signed weights: for an x below 0 a weight w is −w − 1, its bits flipped.
// That lacks the sum of the block's sizes below 0, from which sums start. Two products are at most 2 · 127 · 128: none is cut off.
// With ADD_FOURS a weight is w + 128, one flipped bit for all rows, and x is signed. That has 128 Σ x too many, which sums start without.

typedef char Bytes __attribute__((vector_size(LANES * 4)));
typedef short Shorts __attribute__((vector_size(LANES * 4)));
typedef unsigned Sums __attribute__((vector_size(LANES * 4)));
typedef int SignedSums __attribute__((vector_size(LANES * 4)));
typedef signed char EightBytes __attribute__((vector_size(8)));
typedef unsigned SumOct __attribute__((vector_size(32)));
typedef int SignedOct __attribute__((vector_size(32)));

constexpr long BLOCK = 32, FOURS = BLOCK / 4, PANEL = 16, PARTS = PANEL / LANES, PANEL_BYTES = BLOCK * PANEL;
#ifdef ADD_FOURS
/** Words of a block of a quantised row: fours of numbers, the scale, −128 times their sum. */
constexpr long SCALE = FOURS, START = SCALE + 1, WORDS = START + 1;
/** Of weights, which makes them w + 128. */
const Bytes FLIPPED = (Bytes)(Sums{} + 0x80808080u);

inline Sums addFours(Sums sums, Bytes weights, Bytes numbers, Bytes) { return ADD_FOURS(sums, weights, numbers); }
#else
/** Words of a block of a quantised row: fours of sizes, fours of signs, the scale, the sum of sizes below 0. */
constexpr long SCALE = 2 * FOURS, START = SCALE + 1, WORDS = START + 1;
const Bytes FLIPPED = {};

inline Sums addFours(Sums sums, Bytes weights, Bytes sizes, Bytes signs) {
  return sums + (Sums)PAIRS(BYTE_PAIRS(sizes, weights ^ signs), Shorts{} + 1);
}
#endif

/** A row becomes integers up to 127 in size with a scale for each block; what a last block lacks is 0. */
void quantise(long rows, long width, const float* x, float* to, long stride) {
  for (long t = 0; t < rows; t++, x += width, to += stride)
    for (long k = 0; k < width; k += BLOCK) {
      float* block = to + k / BLOCK * WORDS;
      Oct parts[4] = {}, max = {};
      for (int i = 0; i < (k + 16 < width ? 4 : 2); i++) {
        parts[i] = loadOct(x + k + 8 * i);
        max = __builtin_ia32_maxps256(parts[i] < 0.f ? -parts[i] : parts[i], max);
      }
      max = __builtin_ia32_maxps256(__builtin_shuffle(max, SignedOct{4, 5, 6, 7, 0, 1, 2, 3}), max);
      max = __builtin_ia32_maxps256(__builtin_shuffle(max, SignedOct{2, 3, 0, 1, 6, 7, 4, 5}), max);
      max = __builtin_ia32_maxps256(__builtin_shuffle(max, SignedOct{1, 0, 3, 2, 5, 4, 7, 6}), max);
      const float factor = max[0] > 0.f ? 127.f / max[0] : 0.f;
      SumOct start = {};
      for (int i = 0; i < 4; i++) {
        // Adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one, in the lowest bits.
        const SumOct rounded = (SumOct)(parts[i] * factor + 12582912.f);
        const EightBytes bytes = __builtin_convertvector(__builtin_convertvector(rounded, HalfOct), EightBytes);
#ifdef ADD_FOURS
        start -= 128 * __builtin_convertvector(bytes, SumOct);
        __builtin_memcpy(block + 2 * i, &bytes, sizeof bytes);
#else
        const EightBytes signs = bytes < 0, sizes = (bytes ^ signs) - signs;
        start += __builtin_convertvector(sizes & signs, SumOct);
        __builtin_memcpy(block + 2 * i, &sizes, sizeof sizes);
        __builtin_memcpy(block + FOURS + 2 * i, &signs, sizeof signs);
#endif
      }
      block[SCALE] = max[0] / 127.f;
      unsigned sum = 0;
      for (int i = 0; i < 8; i++) sum += start[i];
      __builtin_memcpy(block + START, &sum, sizeof sum);
    }
}

template <class Register>
inline Register loadAs(const void* p) {
  Register r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}

/** Outputs of R rows and of P panels from `panel` on. */
template <int R, int P>
inline void blockTile(const BlockCall& c, long panel, const float* x, float* y) {
  constexpr int N = P * PARTS;
  const char* all = reinterpret_cast<const char*>(c.weights);
  const char* weights = all + panel * c.blocks * PANEL_BYTES;
  const char* halves = all + c.blocks * (c.panels * PANEL_BYTES + panel * PANEL * 2);
  Vector out[R][N] = {};
  if (c.accumulate)
    for (int i = 0; i < R; i++)
      for (int n = 0; n < N; n++) out[i][n] = loadVector(y + i * c.strideY + n * LANES);
  for (long b = 0; b < c.blocks; b++, x += WORDS, weights += PANEL_BYTES, halves += 2 * PANEL) {
    Sums sums[R][N];
#pragma GCC unroll 4
    for (int i = 0; i < R; i++)
#pragma GCC unroll 4
      for (int n = 0; n < N; n++) sums[i][n] = (Sums)spread(x[i * c.strideX + START]);
    // Not unrolled: the compiler adds integers in another order, for which there are too few registers.
#pragma GCC unroll 1
    for (long four = 0; four < FOURS; four++) {
      Bytes right[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; n++)
        right[n] = loadAs<Bytes>(weights + n / PARTS * c.blocks * PANEL_BYTES + 4 * (four * PANEL + n % PARTS * LANES)) ^ FLIPPED;
#pragma GCC unroll 4
      for (int i = 0; i < R; i++) {
        const float* left = x + i * c.strideX + four;
        const Bytes own = (Bytes)spread(left[0]), sign = (Bytes)spread(left[FOURS]);
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sums[i][n] = addFours(sums[i][n], right[n], own, sign);
      }
    }
#pragma GCC unroll 4
    for (int p = 0; p < P; p++) {
      const char* own = halves + p * c.blocks * PANEL * 2;
      const Oct both[2] = {__builtin_ia32_vcvtph2ps256(loadAs<HalfOct>(own)), __builtin_ia32_vcvtph2ps256(loadAs<HalfOct>(own + 16))};
#pragma GCC unroll 4
      for (int part = 0; part < PARTS; part++)
#pragma GCC unroll 4
        for (int i = 0; i < R; i++) {
          const int n = p * PARTS + part;
          const Vector scale = loadAs<Vector>(reinterpret_cast<const float*>(both) + part * LANES) * spread(x[i * c.strideX + SCALE]);
          out[i][n] = out[i][n] + __builtin_convertvector((SignedSums)sums[i][n], Vector) * scale;
        }
    }
  }
  for (int i = 0; i < R; i++)
    for (int n = 0; n < N; n++) storeVector(y + i * c.strideY + n * LANES, out[i][n]);
}

template <int R, int P>
inline void blockRows(const BlockCall& c, long panel, long first) {
  for (; first + R <= c.rows; first += R)
    blockTile<R, P>(c, panel, c.x + first * c.strideX, c.y + first * c.strideY + panel * PANEL);
  if constexpr (R > 1) blockRows<R / 2, P>(c, panel, first);
}

/** Outputs `first` … as rows of floats: scale · integer, which is exact. */
void unpack(long first, long count, long inputs, long panels, const float* weights, float* to) {
  const long blocks = (inputs + BLOCK - 1) / BLOCK;
  const char* all = reinterpret_cast<const char*>(weights);
  for (long o = first; o < first + count; o++, to += inputs)
    for (long k = 0, at = o / PANEL * blocks; k < inputs; k += BLOCK, at++) {
      const char* own = all + at * PANEL_BYTES + o % PANEL * 4;
      HalfOct half = {};
      __builtin_memcpy(&half, all + panels * blocks * PANEL_BYTES + (at * PANEL + o % PANEL) * 2, 2);
      const Oct scale = spreadOct(__builtin_ia32_vcvtph2ps256(half)[0]);
      for (long i = 0; i < BLOCK && k + i < inputs; i += 8, own += 8 * PANEL) {
        EightBytes bytes;
        __builtin_memcpy(&bytes, own, 4);
        __builtin_memcpy(reinterpret_cast<char*>(&bytes) + 4, own + 4 * PANEL, 4);
        storeOct(to + k + i, __builtin_convertvector(bytes, Oct) * scale);
      }
    }
}

/** Outputs of the panels `from` … `to`. */
void multiplyBlocks(const BlockCall& c, long from, long to) {
  for (; from + 2 <= to; from += 2) blockRows<LANES / 4, 2>(c, from, 0);
  if (from < to) blockRows<LANES / 4, 1>(c, from, 0);
}
