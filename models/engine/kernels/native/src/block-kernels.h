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

/** Rows of a tile, by two panels: as many as there are registers. */
constexpr int BLOCK_TILE_ROWS = LANES == 16 ? 6 : 2;
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

#if LANES == 16
typedef short Halves __attribute__((vector_size(32)));
/** Scales of a panel's lanes. Not by two registers of eight, which would go through memory. */
inline Vector widen(const char* halves) { return __builtin_ia32_vcvtph2ps512_mask(loadAs<Halves>(halves), Vector{}, -1, 4); }
#else
inline Vector widen(const char* halves) { return __builtin_ia32_vcvtph2ps256(loadAs<HalfOct>(halves)); }
#endif

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
#pragma GCC unroll 8
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
#pragma GCC unroll 8
      for (int i = 0; i < R; i++) {
        const float* left = x + i * c.strideX + four;
        const Bytes own = (Bytes)spread(left[0]), sign = (Bytes)spread(left[FOURS]);
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sums[i][n] = addFours(sums[i][n], right[n], own, sign);
      }
    }
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) {
      const Vector own = widen(halves + n / PARTS * c.blocks * PANEL * 2 + 2 * (n % PARTS) * LANES);
#pragma GCC unroll 8
      for (int i = 0; i < R; i++)
        out[i][n] = out[i][n] + __builtin_convertvector((SignedSums)sums[i][n], Vector) * (own * spread(x[i * c.strideX + SCALE]));
    }
  }
  for (int i = 0; i < R; i++)
    for (int n = 0; n < N; n++) storeVector(y + i * c.strideY + n * LANES, out[i][n]);
}

/**
 * Outputs of one row and one panel. All weights are read for this row alone, so memory bounds it: they come in one stream,
 * which the processor fetches ahead. Two chains of sums hide the latency of one.
 */
inline void blockLine(const BlockCall& c, long panel, float* y) {
  constexpr int CHAINS = 2;
  const char* all = reinterpret_cast<const char*>(c.weights);
  const char* weights = all + panel * c.blocks * PANEL_BYTES;
  const char* halves = all + c.blocks * (c.panels * PANEL_BYTES + panel * PANEL * 2);
  const float* x = c.x;
  Vector out[PARTS] = {};
  if (c.accumulate)
    for (int n = 0; n < PARTS; n++) out[n] = loadVector(y + n * LANES);
  for (long b = 0; b < c.blocks; b++, x += WORDS, weights += PANEL_BYTES, halves += 2 * PANEL) {
    Sums sums[CHAINS][PARTS] = {};
    for (int n = 0; n < PARTS; n++) sums[0][n] = (Sums)spread(x[START]);
#pragma GCC unroll 8
    for (long four = 0; four < FOURS; four++) {
      const Bytes own = (Bytes)spread(x[four]), sign = (Bytes)spread(x[four + FOURS]);
#pragma GCC unroll 4
      for (int n = 0; n < PARTS; n++)
        sums[four % CHAINS][n] = addFours(sums[four % CHAINS][n], loadAs<Bytes>(weights + 4 * (four * PANEL + n * LANES)) ^ FLIPPED, own, sign);
    }
    for (int n = 0; n < PARTS; n++)
      out[n] = out[n] + __builtin_convertvector((SignedSums)(sums[0][n] + sums[1][n]), Vector) * (widen(halves + 2 * n * LANES) * spread(x[SCALE]));
  }
  for (int n = 0; n < PARTS; n++) storeVector(y + n * LANES, out[n]);
}

template <int R, int P>
inline void blockRows(const BlockCall& c, long panel, long first) {
  for (; first + R <= c.rows; first += R)
    blockTile<R, P>(c, panel, c.x + first * c.strideX, c.y + first * c.strideY + panel * PANEL);
  if constexpr (R > 1) blockRows<(R > 2 ? R - 2 : 1), P>(c, panel, first);
}

typedef signed char SixteenBytes __attribute__((vector_size(16)));
typedef char PlainBytes __attribute__((vector_size(16)));

/** Sixteen integers · scale, which is exact. Not by __builtin_convertvector, which takes bytes one by one. */
inline void storeScaled(float* to, SixteenBytes bytes, float scale) {
#if LANES == 16
  const SignedSums words = (SignedSums)__builtin_ia32_pmovsxbd512_mask((PlainBytes)bytes, SignedSums{}, -1);
  storeVector(to, __builtin_convertvector(words, Vector) * scale);
#else
  const SixteenBytes upper = __builtin_shuffle(bytes, SixteenBytes{8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15});
  storeVector(to, __builtin_convertvector((SignedSums)__builtin_ia32_pmovsxbd256((PlainBytes)bytes), Vector) * scale);
  storeVector(to + LANES, __builtin_convertvector((SignedSums)__builtin_ia32_pmovsxbd256((PlainBytes)upper), Vector) * scale);
#endif
}

/** Four outputs by sixteen inputs, from four fours that lie PANEL fours apart. */
inline void unpackQuad(const char* from, const float* scales, float* to, long stride) {
  const Quad a = loadAs<Quad>(from), b = loadAs<Quad>(from + 4 * PANEL), c = loadAs<Quad>(from + 8 * PANEL), d = loadAs<Quad>(from + 12 * PANEL);
  const Quad ab = __builtin_shuffle(a, b, QuadIndexes{0, 4, 1, 5}), cd = __builtin_shuffle(c, d, QuadIndexes{0, 4, 1, 5});
  const Quad ef = __builtin_shuffle(a, b, QuadIndexes{2, 6, 3, 7}), gh = __builtin_shuffle(c, d, QuadIndexes{2, 6, 3, 7});
  const Quad out[4] = {__builtin_shuffle(ab, cd, QuadIndexes{0, 1, 4, 5}), __builtin_shuffle(ab, cd, QuadIndexes{2, 3, 6, 7}),
                       __builtin_shuffle(ef, gh, QuadIndexes{0, 1, 4, 5}), __builtin_shuffle(ef, gh, QuadIndexes{2, 3, 6, 7})};
  for (int i = 0; i < 4; i++) storeScaled(to + i * stride, (SixteenBytes)out[i], scales[i]);
}

/** Outputs `first` … as rows of floats: scale · integer, which is exact. */
void unpack(long first, long count, long inputs, long panels, const float* weights, float* to) {
  const long blocks = (inputs + BLOCK - 1) / BLOCK;
  const char* all = reinterpret_cast<const char*>(weights);
  for (long o = first; o < first + count;) {
    const long four = o % 4 == 0 && o + 4 <= first + count ? 4 : 1;
    for (long k = 0, at = o / PANEL * blocks; k < inputs; k += BLOCK, at++) {
      const char* own = all + at * PANEL_BYTES + o % PANEL * 4;
      HalfOct halves = {};
      __builtin_memcpy(&halves, all + panels * blocks * PANEL_BYTES + (at * PANEL + o % PANEL) * 2, four == 4 ? 8 : 2);
      float scales[8];
      storeOct(scales, __builtin_ia32_vcvtph2ps256(halves));
      for (long i = 0; i < BLOCK && k + i < inputs; i += 16, own += 16 * PANEL)
        if (four == 4) {
          unpackQuad(own, scales, to + k + i, inputs);
        } else {
          int words[4];
          for (int j = 0; j < 4; j++) __builtin_memcpy(&words[j], own + 4 * PANEL * j, 4);
          storeScaled(to + k + i, (SixteenBytes)(QuadIndexes{words[0], words[1], words[2], words[3]}), scales[0]);
        }
    }
    o += four;
    to += four * inputs;
  }
}

/** Outputs that go back together: sums of their products, 128 · 32,767 · 128 at most, fit into 32 bits. */
constexpr long BACK_OUTPUTS = 128, BACK_PAIRS = BACK_OUTPUTS / 2, BACK_PANELS = BACK_OUTPUTS / PANEL;
/** Rows for which weights are turned once, and those of a tile. */
constexpr long BACK_ROWS = 128, BACK_TILE_ROWS = LANES == 16 ? 12 : 4;
/** Largest size of an integer of a slope. */
constexpr float BACK_UNITS = 32767.f;

#ifdef ADD_PAIRS
inline Sums addPairs(Sums sums, Shorts a, Shorts b) { return ADD_PAIRS(sums, a, b); }
#else
inline Sums addPairs(Sums sums, Shorts a, Shorts b) { return sums + (Sums)PAIRS(a, b); }
#endif

/** What one thread needs for the way back. */
struct BackScratch {
  /** Slopes of rows, as parts of the row's largest. */
  float parts[BACK_ROWS][BACK_OUTPUTS], largest[BACK_ROWS];
  /** Of a block of inputs each output's scale, such that the largest is BACK_UNITS. */
  float scales[BACK_OUTPUTS];
  /** Weights: of each pair of outputs, which lie a panel apart, 32 inputs. */
  int weights[BACK_PAIRS][BLOCK];
};

typedef short EightShorts __attribute__((vector_size(16)));
typedef short SixteenShorts __attribute__((vector_size(32)));

/** Two panels' weights of a block as pairs; `second` is null where there is no such panel. */
inline void pairPanels(const char* first, const char* second, int (*to)[BLOCK]) {
  for (long four = 0; four < FOURS; four++)
    for (long lane = 0; lane < PANEL; lane += 4) {
      const long at = 4 * (four * PANEL + lane);
      const PlainBytes a = loadAs<PlainBytes>(first + at), b = second == nullptr ? PlainBytes{} : loadAs<PlainBytes>(second + at);
      const PlainBytes low = __builtin_shuffle(a, b, PlainBytes{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23});
      const PlainBytes high = __builtin_shuffle(a, b, PlainBytes{8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31});
      const SixteenShorts words[2] = {__builtin_ia32_pmovsxbw256(low), __builtin_ia32_pmovsxbw256(high)};
      for (long i = 0; i < 4; i++) __builtin_memcpy(to[lane + i] + 4 * four, (const char*)words + 16 * i, 16);
    }
}

/** The largest of sixteen-fold many numbers' sizes. */
inline float largestSize(const float* from, long count) {
  Vector max = {};
  for (long i = 0; i < count; i += LANES) {
    const Vector x = loadVector(from + i), size = x < 0.f ? -x : x;
    max = size > max ? size : max;
  }
  return largest(max);
}

/** R rows of slopes by one block's weights, added to the first `held` of its inputs. */
template <int R>
inline void backTile(const BackScratch& s, long row, long pairs, float unit, float* dx, long strideDx, long held, bool isFirst) {
  float slopes[R][BACK_PAIRS];
  for (int i = 0; i < R; i++)
    for (long o = 0; o < 2 * pairs; o += 2 * PANEL)
      for (long lane = 0; lane < PANEL; lane += LANES) {
        // Adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one, in the lowest bits.
        const float *part = s.parts[row + i] + o + lane, *scale = s.scales + o + lane;
        const Words a = (Words)FUSED(loadVector(part), loadVector(scale), spread(12582912.f));
        const Words b = (Words)FUSED(loadVector(part + PANEL), loadVector(scale + PANEL), spread(12582912.f));
        const Words both = (a & 0xffff) | b << 16;
        __builtin_memcpy(&slopes[i][o / 2 + lane], &both, sizeof both);
      }
  for (long half = 0; half < held; half += 2 * LANES) {
    Sums sums[R][2] = {};
    for (long k = 0; k < pairs; k++) {
      Shorts right[2];
#pragma GCC unroll 2
      for (int n = 0; n < 2; n++) right[n] = loadAs<Shorts>(s.weights[k] + half + n * LANES);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        const Shorts left = (Shorts)spread(slopes[i][k]);
#pragma GCC unroll 2
        for (int n = 0; n < 2; n++) sums[i][n] = addPairs(sums[i][n], left, right[n]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const Vector factor = spread(s.largest[row + i] * unit);
      float* to = dx + i * strideDx + half;
#pragma GCC unroll 2
      for (int n = 0; n < 2; n++)
        if (half + n * LANES < held) {
          const Vector sum = __builtin_convertvector((SignedSums)sums[i][n], Vector);
          storeVector(to + n * LANES, FUSED(sum, factor, isFirst ? Vector{} : loadVector(to + n * LANES)));
        }
    }
  }
}

template <int R>
inline void backRows(const BackScratch& s, long row, long rows, long pairs, float unit, float* dx, long strideDx, long held, bool isFirst) {
  for (; row + R <= rows; row += R) backTile<R>(s, row, pairs, unit, dx + row * strideDx, strideDx, held, isFirst);
  if constexpr (R > 1) backRows<(R > 4 ? 4 : 1)>(s, row, rows, pairs, unit, dx, strideDx, held, isFirst);
}

/**
 * dx = dy Wᵀ, or dx += dy Wᵀ. Slopes of 128 outputs are integers up to 32,767 in size, anew for each block of inputs: the part
 * that a slope is of the largest, times the part that its scale is of the largest. Integers add up exactly, and each sum is
 * fused to its number, sums in the order of the outputs.
 */
void multiplyBack(const BackCall& c) {
  // On the stack: its 75 KB are warm from the last call.
  BackScratch s;
  const char* all = reinterpret_cast<const char*>(c.weights);
  const long blocks = (c.inputs + BLOCK - 1) / BLOCK;
  for (long t0 = 0; t0 < c.rows; t0 += BACK_ROWS) {
    const long rows = c.rows - t0 < BACK_ROWS ? c.rows - t0 : BACK_ROWS;
    for (long p0 = 0; p0 < c.panels; p0 += BACK_PANELS) {
      const long panels = c.panels - p0 < BACK_PANELS ? c.panels - p0 : BACK_PANELS, pairs = (panels + 1) / 2 * PANEL;
      for (long t = 0; t < rows; t++) {
        const float* from = c.dy + (t0 + t) * c.strideDy + p0 * PANEL;
        const float size = largestSize(from, panels * PANEL);
        // Below that it counts as 0: its inverse would be none.
        const float inverse = size > 1e-30f ? 1.f / size : 0.f;
        s.largest[t] = size;
        for (long o = 0; o < 2 * pairs; o += LANES)
          storeVector(s.parts[t] + o, o < panels * PANEL ? loadVector(from + o) * inverse : Vector{});
      }
      for (long b = 0; b < blocks; b++) {
        for (long p = 0; p < 2 * pairs / PANEL; p++)
          for (long lane = 0; lane < PANEL; lane += 8) {
            Oct scales = {};
            if (p < panels)
              scales = __builtin_ia32_vcvtph2ps256(loadAs<HalfOct>(all + c.panels * blocks * PANEL_BYTES + (((p0 + p) * blocks + b) * PANEL + lane) * 2));
            storeOct(s.scales + p * PANEL + lane, scales);
          }
        const float size = largestSize(s.scales, 2 * pairs), factor = size > 0.f ? BACK_UNITS / size : 0.f;
        for (long o = 0; o < 2 * pairs; o += LANES) storeVector(s.scales + o, loadVector(s.scales + o) * factor);
        for (long p = 0; p < panels; p += 2) {
          const char* first = all + ((p0 + p) * blocks + b) * PANEL_BYTES;
          pairPanels(first, p + 1 < panels ? first + blocks * PANEL_BYTES : nullptr, s.weights + p / 2 * PANEL);
        }
        const long held = c.inputs - b * BLOCK < BLOCK ? c.inputs - b * BLOCK : BLOCK;
        backRows<BACK_TILE_ROWS>(s, 0, rows, pairs, size / BACK_UNITS, c.dx + t0 * c.inputs + b * BLOCK, c.inputs, held,
                                 !c.accumulate && p0 == 0);
      }
    }
  }
}

/** Outputs of the panels `from` … `to`. */
void multiplyBlocks(const BlockCall& c, long from, long to) {
  if (c.rows == 1) {
    for (; from < to; from++) blockLine(c, from, c.y + from * PANEL);
    return;
  }
  for (; from + 2 <= to; from += 2) blockRows<BLOCK_TILE_ROWS, 2>(c, from, 0);
  if (from < to) blockRows<BLOCK_TILE_ROWS, 1>(c, from, 0);
}
