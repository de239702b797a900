// Products with int8 weights in blocks of 32 with a scale each. Included by lane-kernels.h.
//
// Sums within a block are of integers, exact in any order. A block adds (float)sum · (scale of x · scale of the weight) to its
// output, blocks in their order, never fused. So the bytes do not depend on the set of kernels, on threads or on other rows.
//
// Bytes are multiplied as sizes of x, 0 … 127, by signed weights: for an x below 0 a weight w is −w − 1, its bits flipped.
// That lacks the sum of the block's sizes below 0, from which sums start. Two products are at most 2 · 127 · 128: none is cut off.
// With ADD_FOURS a weight is w + 128, one flipped bit for all rows, and x is signed. That has 128 Σ x too many, which sums start without.

/** Rows of a tile, by two panels: as many as there are registers. */
constexpr int BLOCK_TILE_ROWS = LANES == 16 ? 6 : 2;
constexpr long BLOCK = 32, FOURS = BLOCK / 4, PANEL = 16, PARTS = PANEL / LANES, PANEL_BYTES = BLOCK * PANEL;
#ifdef ADD_FOURS
/** Words of a block of a quantised row: fours of numbers, the scale, −128 times their sum. */
constexpr long SCALE = FOURS, START = SCALE + 1, WORDS = START + 1;
/** Of weights, which makes them w + 128. */
const Bytes FLIPPED = (Bytes)(Sums{} + 0x80808080u);

inline Sums addFours(Sums sums, Bytes weights, const float* x) {
  ADD_FOURS(sums, weights, *x);
  return sums;
}
#else
/** Words of a block of a quantised row: fours of sizes, fours of signs, the scale, the sum of sizes below 0. */
constexpr long SCALE = 2 * FOURS, START = SCALE + 1, WORDS = START + 1;
const Bytes FLIPPED = {};

inline Sums addFours(Sums sums, Bytes weights, const float* x) {
  const Bytes sizes = (Bytes)spread(x[0]), signs = (Bytes)spread(x[FOURS]);
  return sums + addNeighbours(BYTE_PAIRS(sizes, weights ^ signs));
}
#endif

/** A row becomes integers up to 127 in size with a scale for each block; what a last block lacks is 0. */
void quantise(long rows, long width, const float* x, float* to, long stride) {
  fetch(x, rows * width < AHEAD ? rows * width : AHEAD);
  for (long t = 0; t < rows; t++, x += width, to += stride)
    for (long k = 0; k < width; k += BLOCK) {
      float* block = to + k / BLOCK * WORDS;
      fetch(x + k + AHEAD, BLOCK);
      Oct parts[4] = {}, max = {};
      FOR_UP_TO(i, k + 16 < width ? 4 : 2, 4) {
        parts[i] = loadOct(x + k + 8 * i);
        max = largerSize(parts[i], max);
      }
      const float size = largestOct(max), factor = size > 0.f ? 127.f / size : 0.f;
#if LANES == 4
      const unsigned sum = storeSizes(parts, factor, block, block + FOURS);
#else
      SumOct start = {};
      for (int i = 0; i < 4; i++) {
        // Adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one, in the lowest bits.
        const SumOct rounded = (SumOct)(parts[i] * factor + 12582912.f);
        const EightBytes bytes = lowBytes(rounded);
#ifdef ADD_FOURS
        start -= 128 * widenEight(bytes);
        __builtin_memcpy(block + 2 * i, &bytes, sizeof bytes);
#else
        const EightBytes signs = bytes < 0, sizes = (bytes ^ signs) - signs;
        start += widenEight(sizes & signs);
        __builtin_memcpy(block + 2 * i, &sizes, sizeof sizes);
        __builtin_memcpy(block + FOURS + 2 * i, &signs, sizeof signs);
#endif
      }
      const unsigned sum = totalOct(start);
#endif
      block[SCALE] = size / 127.f;
      __builtin_memcpy(block + START, &sum, sizeof sum);
    }
}

/** Weights of a panel's blocks and their scales, and how far away those of the next panel lie. */
struct Panels {
  const char *weights, *scales;
  long gap, scaleGap;
};

inline Panels panelsOf(const BlockCall& c, long panel, long block) {
  const char* all = reinterpret_cast<const char*>(c.weights);
  const long at = panel * c.blocks + block;
  return {all + at * PANEL_BYTES, all + c.blocks * c.panels * PANEL_BYTES + at * PANEL * 2, c.blocks * PANEL_BYTES, c.blocks * PANEL * 2};
}

/** Outputs of R rows and of P panels by `count` blocks. Near panels are flipped already, and have scales of 32 bits. */
template <int R, int P, bool isNear>
INNER void blockTile(const BlockCall& c, const Panels& from, long count, const float* x, float* y, bool isFirst, const char* ahead) {
  constexpr int N = P * PARTS;
  const char *weights = from.weights, *scales = from.scales;
  if (isNear)
    for (int i = 0; i < R; i++)
      for (int p = 0; p < P; p++) PREFETCH(y + (R + i) * c.strideY + p * PANEL, 1);
  Vector out[R][N] = {};
  if (!isFirst)
    for (int i = 0; i < R; i++)
      for (int n = 0; n < N; n++) out[i][n] = loadVector(y + i * c.strideY + n * LANES);
  for (long b = 0; b < count; b++, x += WORDS, weights += PANEL_BYTES, scales += (isNear ? 4 : 2) * PANEL) {
    if (isNear)
      for (int p = 0; p < P; p++) PREFETCH(ahead + (p * c.blocks + b) * PANEL_BYTES);
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
      for (int n = 0; n < N; n++) {
        right[n] = loadAs<Bytes>(weights + n / PARTS * from.gap + 4 * (four * PANEL + n % PARTS * LANES));
        if (!isNear) right[n] ^= FLIPPED;
      }
#pragma GCC unroll 8
      for (int i = 0; i < R; i++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sums[i][n] = addFours(sums[i][n], right[n], x + i * c.strideX + four);
    }
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) {
      const char* at = scales + n / PARTS * from.scaleGap + (isNear ? 4 : 2) * (n % PARTS) * LANES;
      const Vector own = isNear ? loadAs<Vector>(at) : widen(at);
#pragma GCC unroll 8
      for (int i = 0; i < R; i++)
        out[i][n] = out[i][n] + __builtin_convertvector((SignedSums)sums[i][n], Vector) * (own * spread(x[i * c.strideX + SCALE]));
    }
  }
  for (int i = 0; i < R; i++)
    for (int n = 0; n < N; n++) storeVector(y + i * c.strideY + n * LANES, out[i][n]);
}

/** How far ahead weights of a single row are fetched: the processor's own fetching ends at each page of 4 KB. */
constexpr long AHEAD_BYTES = 2048;

/**
 * Outputs of one row and one panel. All weights are read for this row alone, so memory bounds it: they come in one stream. Two
 * chains of sums hide the latency of one.
 */
INNER void blockLine(const BlockCall& c, long panel, float* y) {
  constexpr int CHAINS = 2;
  auto [weights, halves, gap, scaleGap] = panelsOf(c, panel, 0);
  const float* x = c.x;
  Vector out[PARTS] = {};
  if (c.accumulate)
    for (int n = 0; n < PARTS; n++) out[n] = loadVector(y + n * LANES);
  for (long b = 0; b < c.blocks; b++, x += WORDS, weights += PANEL_BYTES, halves += 2 * PANEL) {
    // Into the second cache: the nearest one awaits fewer lines at a time.
    for (long i = 0; i < PANEL_BYTES; i += 64) PREFETCH(weights + AHEAD_BYTES + i, 0, 2);
    Sums sums[CHAINS][PARTS] = {};
    for (int n = 0; n < PARTS; n++) sums[0][n] = (Sums)spread(x[START]);
#pragma GCC unroll 8
    for (long four = 0; four < FOURS; four++)
#pragma GCC unroll 4
      for (int n = 0; n < PARTS; n++)
        sums[four % CHAINS][n] = addFours(sums[four % CHAINS][n], loadAs<Bytes>(weights + 4 * (four * PANEL + n * LANES)) ^ FLIPPED, x + four);
    for (int n = 0; n < PARTS; n++)
      out[n] = out[n] + __builtin_convertvector((SignedSums)(sums[0][n] + sums[1][n]), Vector) * (widen(halves + 2 * n * LANES) * spread(x[SCALE]));
  }
  for (int n = 0; n < PARTS; n++) storeVector(y + n * LANES, out[n]);
}

/** Rows from `row` on. Each of the first eight tiles of near panels fetches an eighth of the blocks `ahead`. */
template <int R, int P, bool isNear>
inline void blockRows(const BlockCall& c, const Panels& from, long count, long row, const float* x, float* y, bool isFirst, const char* ahead) {
  for (; row + R <= c.rows; row += R, ahead += row <= 8 * R ? PANEL_BYTES / 8 : 0)
    blockTile<R, P, isNear>(c, from, count, x + row * c.strideX, y + row * c.strideY, isFirst, ahead);
  if constexpr (R > 1) blockRows<(R > 2 ? R - 2 : 1), P, isNear>(c, from, count, row, x, y, isFirst, ahead);
}

/** Rows that repay it to bring weights near, and blocks that stay in the nearest cache while all rows take them. */
constexpr long NEAR_ROWS = 32, NEAR_BLOCKS = 24;

/** Outputs of P panels of all rows. */
template <int P>
inline void blockPanels(const BlockCall& c, long panel) {
  float* y = c.y + panel * PANEL;
  if (c.rows < NEAR_ROWS || c.blocks == 0) return blockRows<BLOCK_TILE_ROWS, P, false>(c, panelsOf(c, panel, 0), c.blocks, 0, c.x, y, !c.accumulate, nullptr);
  Bytes weights[P][NEAR_BLOCKS][FOURS * PARTS];
  Vector scales[P][NEAR_BLOCKS][PARTS];
  const Panels near = {(const char*)weights, (const char*)scales, sizeof weights[0], sizeof scales[0]};
  const long parts = (c.blocks + NEAR_BLOCKS - 1) / NEAR_BLOCKS, each = (c.blocks + parts - 1) / parts;
  for (long block = 0; block < c.blocks; block += each) {
    const long count = c.blocks - block < each ? c.blocks - block : each;
    for (int p = 0; p < P; p++) {
      const Panels from = panelsOf(c, panel + p, block);
      for (long b = 0; b < count; b++) {
#pragma GCC unroll 16
        for (int i = 0; i < FOURS * PARTS; i++) weights[p][b][i] = loadAs<Bytes>(from.weights + b * PANEL_BYTES + 4 * i * LANES) ^ FLIPPED;
        for (int n = 0; n < PARTS; n++) scales[p][b][n] = widen(from.scales + 2 * (b * PANEL + n * LANES));
      }
    }
    const Panels next = block + each < c.blocks ? panelsOf(c, panel, block + each) : panelsOf(c, panel + P, 0);
    blockRows<BLOCK_TILE_ROWS, P, true>(c, near, count, 0, c.x + block * WORDS, y, !c.accumulate && block == 0, next.weights);
  }
}

/** Four outputs by sixteen inputs, from four fours that lie PANEL fours apart. */
inline void unpackQuad(const char* from, const float* scales, float* to, long stride) {
  const Quad a = loadAs<Quad>(from), b = loadAs<Quad>(from + 4 * PANEL), c = loadAs<Quad>(from + 8 * PANEL), d = loadAs<Quad>(from + 12 * PANEL);
  const Quad ab = SHUFFLE(QuadIndexes, a, b, 0, 4, 1, 5), cd = SHUFFLE(QuadIndexes, c, d, 0, 4, 1, 5);
  const Quad ef = SHUFFLE(QuadIndexes, a, b, 2, 6, 3, 7), gh = SHUFFLE(QuadIndexes, c, d, 2, 6, 3, 7);
  const Quad out[4] = {SHUFFLE(QuadIndexes, ab, cd, 0, 1, 4, 5), SHUFFLE(QuadIndexes, ab, cd, 2, 3, 6, 7),
                       SHUFFLE(QuadIndexes, ef, gh, 0, 1, 4, 5), SHUFFLE(QuadIndexes, ef, gh, 2, 3, 6, 7)};
#pragma GCC unroll 4
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
      const char* from = all + panels * blocks * PANEL_BYTES + (at * PANEL + o % PANEL) * 2;
      if (four == 4) __builtin_memcpy(&halves, from, 8);
      else __builtin_memcpy(&halves, from, 2);
      float scales[8];
      storeOct(scales, widenOct(halves));
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

#include "pair-kernels.h"

/** Outputs of the panels `from` … `to`. */
void multiplyBlocks(const BlockCall& c, long from, long to) {
  if (c.rows == 1) {
    for (; from < to; from++) blockLine(c, from, c.y + from * PANEL);
    return;
  }
  for (; from + 2 <= to; from += 2) blockPanels<2>(c, from);
  if (from < to) blockPanels<1>(c, from);
}
