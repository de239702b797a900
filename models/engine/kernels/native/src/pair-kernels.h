// Products of integers of 16 bits in pairs: the way back through int8 weights, and products of floats that are rounded to integers.
// Included by block-kernels.h.
//
// Of 128 products each sum is of integers, exact in any order, and is fused to its output times a unit of the row and one of the
// column; sums go in their order. So the bytes do not depend on the set of kernels, on threads or on other rows.

/** Products of a sum: 128 · 32,767 · 128 on the way back and 128 · 4,095 · 4,095 otherwise fit into 32 bits. */
constexpr long SUM_STEPS = 128, SUM_PAIRS = SUM_STEPS / 2, SUM_PANELS = SUM_STEPS / PANEL;
/** Rows for which the right side is packed once, those of a tile, and its columns. */
constexpr long AHEAD_ROWS = 4, PAIR_ROWS = 128, PAIR_TILE_ROWS = LANES == 16 ? 12 : 4, PAIR_COLUMNS = 32;
/** Largest sizes of integers: of a slope that goes back, and of a rounded float. */
constexpr float BACK_UNITS = 32767.f, ROUND_UNITS = 4095.f;
/** What is not larger counts as 0: its inverse would be none. */
constexpr float SMALLEST = 1e-30f;

#ifdef ADD_PAIRS
inline Sums addPairs(Sums sums, Shorts a, Shorts b) { return ADD_PAIRS(sums, a, b); }
#else
inline Sums addPairs(Sums sums, Shorts a, Shorts b) { return sums + (Sums)PAIRS(a, b); }
#endif

/** Rows of pairs of integers, of which a pair's two lie sixteen steps apart. */
typedef float PairRow[SUM_PAIRS];

/** Right sides of products: of each pair of steps 32 columns. */
struct PairPanel {
  int pairs[SUM_PAIRS][PAIR_COLUMNS];
  float units[PAIR_COLUMNS];
};

/** a · factor and b · factor as a pair: adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one. */
inline Words roundPair(Vector a, Vector factorA, Vector b, Vector factorB) {
  const Vector shift = spread(12582912.f);
  return ((Words)FUSED(a, factorA, shift) & 0xffff) | (Words)FUSED(b, factorB, shift) << 16;
}

/** The largest size among numbers, a multiple of sixteen. */
inline float largestSize(const float* from, long count) {
  Vector max = {};
  for (long i = 0; i < count; i += LANES) max = largerOf(sizeOf(loadVector(from + i)), max);
  return largest(max);
}

/** `held` of R rows' outputs in 32 columns. */
template <int R>
__attribute__((noinline)) void pairTile(const PairRow* rows, const float* units, const PairPanel& right, long pairs, float* to, long stride, long held,
                     bool isFirst) {
  for (long half = 0; half < held; half += 2 * LANES) {
    Sums sums[R][2] = {};
    for (long k = 0; k < pairs; k++) {
      Shorts own[2];
#pragma GCC unroll 2
      for (int n = 0; n < 2; n++) own[n] = loadAs<Shorts>(right.pairs[k] + half + n * LANES);
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        const Shorts left = (Shorts)spread(rows[i][k]);
#pragma GCC unroll 2
        for (int n = 0; n < 2; n++) sums[i][n] = addPairs(sums[i][n], left, own[n]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < R; i++)
#pragma GCC unroll 2
      for (int n = 0; n < 2; n++)
        if (half + n * LANES < held) {
          const Vector unit = spread(units[i]) * loadVector(right.units + half + n * LANES);
          float* out = to + i * stride + half + n * LANES;
          const Vector sum = __builtin_convertvector((SignedSums)sums[i][n], Vector);
          storeVector(out, FUSED(sum, unit, isFirst ? Vector{} : loadVector(out)));
        }
  }
}

template <int R>
inline void pairRows(long count, const PairRow* rows, const float* units, const PairPanel& right, long pairs, float* to, long stride,
                     long held, bool isFirst) {
  for (; count >= R; count -= R, rows += R, units += R, to += R * stride)
    pairTile<R>(rows, units, right, pairs, to, stride, held, isFirst);
  if constexpr (R > 1) pairRows<(R > 4 ? 4 : 1)>(count, rows, units, right, pairs, to, stride, held, isFirst);
}

/** Two panels' weights of a block as pairs; `second` is null where there is no such panel. Those of the next block are fetched meanwhile. */
INNER void pairPanels(const char* first, const char* second, int (*to)[PAIR_COLUMNS]) {
  for (long four = 0; four < FOURS; four++) {
    PREFETCH(first + PANEL_BYTES + 4 * four * PANEL);
    if (second != nullptr) PREFETCH(second + PANEL_BYTES + 4 * four * PANEL);
    for (long lane = 0; lane < PANEL; lane += 4) {
      const long at = 4 * (four * PANEL + lane);
      const PlainBytes a = loadAs<PlainBytes>(first + at), b = second == nullptr ? PlainBytes{} : loadAs<PlainBytes>(second + at);
      const PlainBytes low = SHUFFLE(PlainBytes, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const PlainBytes high = SHUFFLE(PlainBytes, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const SixteenShorts words[2] = {widenBytes(low), widenBytes(high)};
      for (long i = 0; i < 4; i++) __builtin_memcpy(to[lane + i] + 4 * four, (const char*)words + 16 * i, 16);
    }
  }
}

/**
 * dx = dy Wᵀ, or dx += dy Wᵀ. Slopes of 128 outputs are integers up to 32,767 in size, anew for each block of inputs: the part
 * that a slope is of the largest, times the part that its scale is of the largest.
 */
void multiplyBack(const BackCall& c) {
  float parts[PAIR_ROWS][SUM_STEPS], sizes[PAIR_ROWS], scales[SUM_STEPS];
  PairRow slopes[PAIR_TILE_ROWS];
  PairPanel right;
  const char* all = reinterpret_cast<const char*>(c.weights);
  const long blocks = (c.inputs + BLOCK - 1) / BLOCK;
  for (long t0 = 0; t0 < c.rows; t0 += PAIR_ROWS) {
    const long rows = c.rows - t0 < PAIR_ROWS ? c.rows - t0 : PAIR_ROWS;
    for (long p0 = 0; p0 < c.panels; p0 += SUM_PANELS) {
      const long panels = c.panels - p0 < SUM_PANELS ? c.panels - p0 : SUM_PANELS, outputs = panels * PANEL;
      const long pairs = (panels + 1) / 2 * PANEL;
      for (long t = 0; t < rows; t++) {
        const float* from = c.dy + (t0 + t) * c.strideDy + p0 * PANEL;
        for (long o = 0; o < outputs; o += 16) PREFETCH(from + AHEAD_ROWS * c.strideDy + o);
        sizes[t] = largestSize(from, outputs);
        const float inverse = sizes[t] > SMALLEST ? 1.f / sizes[t] : 0.f;
        for (long o = 0; o < 2 * pairs; o += LANES) storeVector(parts[t] + o, o < outputs ? loadVector(from + o) * inverse : Vector{});
      }
      for (long b = 0; b < blocks; b++) {
        const char* halves = all + (c.panels * blocks * BLOCK + (p0 * blocks + b) * 2) * PANEL;
        for (long o = 0; o < 2 * pairs; o += 8)
          storeOct(scales + o, o < outputs ? widenOct(loadAs<HalfOct>(halves + (o / PANEL * blocks * PANEL + o % PANEL) * 2)) : Oct{});
        const float size = largestSize(scales, 2 * pairs), factor = size > 0.f ? BACK_UNITS / size : 0.f;
        for (long o = 0; o < 2 * pairs; o += LANES) storeVector(scales + o, loadVector(scales + o) * factor);
        for (long p = 0; p < panels; p += 2) {
          const char* first = all + ((p0 + p) * blocks + b) * PANEL_BYTES;
          pairPanels(first, p + 1 < panels ? first + blocks * PANEL_BYTES : nullptr, right.pairs + p / 2 * PANEL);
        }
        for (long i = 0; i < PAIR_COLUMNS; i += LANES) storeVector(right.units + i, spread(size / BACK_UNITS));
        const long held = c.inputs - b * BLOCK < BLOCK ? c.inputs - b * BLOCK : BLOCK;
        float* to = c.dx + t0 * c.inputs + b * BLOCK;
        for (long t = 0; t < rows; t += PAIR_TILE_ROWS) {
          const long count = rows - t < PAIR_TILE_ROWS ? rows - t : PAIR_TILE_ROWS;
          for (long i = 0; i < count; i++)
            for (long o = 0; o < 2 * pairs; o += 2 * PANEL)
              for (long lane = o; lane < o + PANEL; lane += LANES) {
                const float *part = parts[t + i] + lane, *scale = scales + lane;
                storeVector(slopes[i] + lane - o / 2, (Vector)roundPair(loadVector(part), loadVector(scale), loadVector(part + PANEL), loadVector(scale + PANEL)));
              }
          pairRows<PAIR_TILE_ROWS>(count, slopes, sizes + t, right, pairs, to + t * c.inputs, c.inputs, held, !c.accumulate && p0 == 0);
        }
      }
    }
  }
}

/** Up to 128 numbers of a row as integers up to 4,095 in size. @returns the row's unit */
INNER float roundRow(const float* from, long steps, float* pairs) {
  float own[SUM_STEPS];
  const long end = (steps + 31) & ~31L;
  // Rows may lie far apart: meanwhile the next steps are fetched.
  for (long k = 0; k < SUM_STEPS; k += 16) PREFETCH(from + SUM_STEPS + k, 0, 2);
  if (end > steps) {
    for (long k = 0; k < end; k++) own[k] = k < steps ? from[k] : 0.f;
    from = own;
  }
  const float size = largestSize(from, end), factor = size > SMALLEST ? ROUND_UNITS / size : 0.f;
  const Vector by = spread(factor);
  for (long k = 0; k < end; k += 2 * PANEL)
    for (long lane = k; lane < k + PANEL; lane += LANES)
      storeVector(pairs + lane - k / 2, (Vector)roundPair(loadVector(from + lane), by, loadVector(from + lane + PANEL), by));
  return size / ROUND_UNITS;
}

/** Columns whose steps lie side by side, as rows of A do. */
INNER void roundFlipped(const Matrix& b, long steps, long columns, PairPanel& to) {
  PairRow rows[PAIR_COLUMNS];
  for (long j = 0; j < PAIR_COLUMNS; j++) {
    if (j >= columns) __builtin_memset(rows[j], 0, sizeof rows[j]);
    to.units[j] = j < columns ? roundRow(b.data + j * b.columnStride, steps, rows[j]) : 0.f;
  }
  packTurned((steps + 31) / 32 * PANEL, PAIR_COLUMNS, rows[0], SUM_PAIRS, (float*)to.pairs[0], PAIR_COLUMNS, 0);
}

/** Columns that lie side by side. Steps that lie a multiple of a page apart push each other out of the cache: they are copied. */
INNER void roundColumns(const Matrix& b, long steps, long columns, PairPanel& to) {
  constexpr long REGISTERS = PAIR_COLUMNS / LANES;
  float own[SUM_STEPS][PAIR_COLUMNS];
  const long end = (steps + 31) & ~31L;
  Vector sizes[REGISTERS] = {};
  for (long k = 0; k < end; k++) {
    const float* from = b.data + k * b.rowStride;
    if (k < steps && columns == PAIR_COLUMNS) {
      for (long j = 0; j < PAIR_COLUMNS; j += 16) PREFETCH(from + PAIR_COLUMNS + j, 0, 2);
      __builtin_memcpy(own[k], from, sizeof own[k]);
    } else {
      for (long j = 0; j < PAIR_COLUMNS; j++) own[k][j] = k < steps && j < columns ? from[j] : 0.f;
    }
#pragma GCC unroll 4
    for (long n = 0; n < REGISTERS; n++) sizes[n] = largerOf(sizeOf(loadVector(own[k] + n * LANES)), sizes[n]);
  }
  for (long n = 0; n < REGISTERS; n++) {
    const Vector factor = sizes[n] > SMALLEST ? ROUND_UNITS / sizes[n] : Vector{};
    storeVector(to.units + n * LANES, sizes[n] / ROUND_UNITS);
    for (long k = 0; k < end; k += 2 * PANEL)
      for (long i = k; i < k + PANEL; i++)
        storeVector((float*)to.pairs[i - k / 2] + n * LANES,
                    (Vector)roundPair(loadVector(own[i] + n * LANES), factor, loadVector(own[i + PANEL] + n * LANES), factor));
  }
}

/**
 * C (+)= A B, of which numbers are rounded: those of a row of A, or of a column of B, in 128 steps, to integers up to 4,095 in
 * size. Steps of A lie side by side; so do the steps or the columns of B. Rows of C have room for columns up to a multiple of 16.
 */
void multiplyRounded(long rows, long columns, long depth, Matrix a, Matrix b, float* c, long strideC, bool accumulate) {
  constexpr long SUMS = 4;
  PairRow left[SUMS][PAIR_ROWS];
  float units[SUMS][PAIR_ROWS];
  PairPanel right;
  for (long m0 = 0; m0 < rows; m0 += PAIR_ROWS)
    for (long k0 = 0; k0 < depth; k0 += SUMS * SUM_STEPS) {
      const long held = rows - m0 < PAIR_ROWS ? rows - m0 : PAIR_ROWS, end = depth - k0 < SUMS * SUM_STEPS ? depth : k0 + SUMS * SUM_STEPS;
      for (long k = k0; k < end; k += SUM_STEPS)
        for (long i = 0; i < held; i++)
          units[(k - k0) / SUM_STEPS][i] = roundRow(a.data + (m0 + i) * a.rowStride + k, end - k < SUM_STEPS ? end - k : SUM_STEPS, left[(k - k0) / SUM_STEPS][i]);
      for (long n = 0; n < columns; n += PAIR_COLUMNS)
        for (long k = k0; k < end; k += SUM_STEPS) {
          const long width = columns - n < PAIR_COLUMNS ? columns - n : PAIR_COLUMNS, steps = end - k < SUM_STEPS ? end - k : SUM_STEPS;
          const Matrix own = {b.data + k * b.rowStride + n * b.columnStride, b.rowStride, b.columnStride};
          if (b.columnStride == 1) roundColumns(own, steps, width, right);
          else roundFlipped(own, steps, width, right);
          const long at = (k - k0) / SUM_STEPS;
          pairRows<PAIR_TILE_ROWS>(held, left[at], units[at], right, (steps + 31) / 32 * PANEL, c + m0 * strideC + n, strideC, (width + 15) & ~15L,
                                   !accumulate && k == 0);
        }
    }
}
