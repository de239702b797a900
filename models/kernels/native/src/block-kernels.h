// Products with int8 weights in blocks of 32 with a scale each. Included by lane-kernels.h.
//
// Sums within a block are of integers, exact in any order. A block adds (float)sum · (scale of x · scale of the weight) to its
// output, blocks in their order, never fused. So the bytes do not depend on the set of kernels, on threads or on other rows.

typedef short Shorts __attribute__((vector_size(LANES * 4)));
typedef unsigned Sums __attribute__((vector_size(LANES * 4)));
typedef int SignedSums __attribute__((vector_size(LANES * 4)));
typedef short ShortLanes __attribute__((vector_size(32)));
typedef signed char EightBytes __attribute__((vector_size(8)));
typedef signed char ByteLanes __attribute__((vector_size(16)));
typedef char ByteOct __attribute__((vector_size(32)));
typedef unsigned SumOct __attribute__((vector_size(32)));
typedef int SignedOct __attribute__((vector_size(32)));

constexpr long BLOCK = 32, PANEL = 16, PARTS = PANEL / LANES, MOST_ROWS = 96 / TILE_ROWS * TILE_ROWS;
/** Words of a block of a quantised row: pairs of 16-bit integers, fours of 8-bit ones. */
constexpr long PAIRS_OF = BLOCK / 2, FOURS_OF = BLOCK / 4;
constexpr long PANEL_BYTES = BLOCK * PANEL;
/** Rows that do not repay the widening of weights. */
constexpr long FEW_ROWS = 3;

/** A row becomes integers up to 127 in size, as pairs and as fours, then a scale for each block; what a last block lacks is 0. */
void quantise(long rows, long width, const float* x, float* to, long stride) {
  const long blocks = (width + BLOCK - 1) / BLOCK;
  for (long t = 0; t < rows; t++, x += width, to += stride)
    for (long b = 0; b < blocks; b++) {
      Oct parts[4] = {}, most = {};
      for (int i = 0; i < (b * BLOCK + 16 < width ? 4 : 2); i++) {
        parts[i] = loadOct(x + b * BLOCK + 8 * i);
        most = __builtin_ia32_maxps256(parts[i] < 0.f ? -parts[i] : parts[i], most);
      }
      most = __builtin_ia32_maxps256(__builtin_shuffle(most, SignedOct{4, 5, 6, 7, 0, 1, 2, 3}), most);
      most = __builtin_ia32_maxps256(__builtin_shuffle(most, SignedOct{2, 3, 0, 1, 6, 7, 4, 5}), most);
      most = __builtin_ia32_maxps256(__builtin_shuffle(most, SignedOct{1, 0, 3, 2, 5, 4, 7, 6}), most);
      const float factor = most[0] > 0.f ? 127.f / most[0] : 0.f;
      for (int i = 0; i < 4; i++) {
        // Adding 1.5 · 2^23 rounds to the nearest integer, of two equally near the even one, in the lowest bits.
        const SumOct rounded = (SumOct)(parts[i] * factor + 12582912.f);
        const HalfOct pairs = __builtin_convertvector(rounded, HalfOct);
        const EightBytes fours = __builtin_convertvector(pairs, EightBytes);
        __builtin_memcpy(to + b * PAIRS_OF + 4 * i, &pairs, sizeof pairs);
        __builtin_memcpy(to + blocks * PAIRS_OF + b * FOURS_OF + 2 * i, &fours, sizeof fours);
      }
      to[blocks * (PAIRS_OF + FOURS_OF) + b] = most[0] / 127.f;
    }
}

template <class Register>
inline Register loadAs(const void* p) {
  Register r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}

inline Oct octOf(const unsigned short* halves) {
  return __builtin_ia32_vcvtph2ps256(loadAs<HalfOct>(halves));
}

/** Adds all blocks to a panel's outputs of R rows, whose words and scales lie `stride` floats apart. */
template <int R>
inline void panelOfFew(const BlockCall& c, const char* weights, const unsigned short* halves, const float* x, float* y) {
  const long few = c.blocks * PAIRS_OF, scales = few + c.blocks * FOURS_OF;
  const ShortLanes one = ShortLanes{} + 1;
  Oct out[R][2] = {};
  if (c.accumulate)
    for (int i = 0; i < R; i++)
      for (int half = 0; half < 2; half++) out[i][half] = loadOct(y + i * c.strideY + 8 * half);
  for (long b = 0; b < c.blocks; b++, weights += PANEL_BYTES, halves += PANEL) {
    SumOct sums[R][2] = {};
#pragma GCC unroll 8
    for (long four = 0; four < FOURS_OF; four++) {
      const char* own = weights + four * 4 * PANEL;
      const ByteOct right[2] = {loadAs<ByteOct>(own), loadAs<ByteOct>(own + 32)};
#pragma GCC unroll 3
      for (int i = 0; i < R; i++) {
        const ByteOct left = (ByteOct)spreadOct(x[i * c.strideX + few + b * FOURS_OF + four]);
        const ByteOct size = __builtin_ia32_pabsb256(left);
        for (int half = 0; half < 2; half++)
          // At most 2 · 127², so nothing is cut off.
          sums[i][half] += (SumOct)__builtin_ia32_pmaddwd256(
              __builtin_ia32_pmaddubsw256(size, __builtin_ia32_psignb256(right[half], left)), one);
      }
    }
    for (int half = 0; half < 2; half++) {
      const Oct scale = octOf(halves + 8 * half);
      for (int i = 0; i < R; i++)
        out[i][half] = out[i][half] + __builtin_convertvector((SignedOct)sums[i][half], Oct) *
                                          (scale * spreadOct(x[i * c.strideX + scales + b]));
    }
  }
  for (int i = 0; i < R; i++)
    for (int half = 0; half < 2; half++) storeOct(y + i * c.strideY + 8 * half, out[i][half]);
}

/** A block's integers become pairs of 16-bit ones: of each two inputs those of all outputs. */
inline void widen(const char* weights, short* to) {
  for (long i = 0; i < 2 * FOURS_OF; i++) {
    // Of eight outputs' fours the first pairs, then the second ones.
    const ByteOct bytes = __builtin_shuffle(loadAs<ByteOct>(weights + 32 * i), ByteOct{0, 1, 4, 5, 8,  9,  12, 13, 16, 17, 20, 21, 24, 25, 28, 29,
                                             2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31});
    ByteLanes halves[2];
    __builtin_memcpy(halves, &bytes, sizeof halves);
    for (int pair = 0; pair < 2; pair++) {
      const ShortLanes wide = __builtin_convertvector(halves[pair], ShortLanes);
      __builtin_memcpy(to + 2 * ((i / 2 * 2 + pair) * PANEL + i % 2 * 8), &wide, sizeof wide);
    }
  }
}

/** Adds a block to R rows of a panel's outputs. */
template <int R>
inline void blockTile(const short* weights, const Vector* scales, const float* x, const float* scaleX, long stride, float* y,
                      long strideY, bool first) {
  Sums sums[R][PARTS] = {};
#pragma GCC unroll 4
  for (long pair = 0; pair < PAIRS_OF; pair++) {
    Shorts right[PARTS];
    for (int part = 0; part < PARTS; part++) right[part] = loadAs<Shorts>(weights + 2 * (pair * PANEL + part * LANES));
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const Shorts left = (Shorts)spread(x[i * stride + pair]);
      for (int part = 0; part < PARTS; part++) sums[i][part] += (Sums)PAIRS(left, right[part]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
    for (int part = 0; part < PARTS; part++) {
      float* to = y + i * strideY + part * LANES;
      const Vector before = first ? Vector{} : loadVector(to);
      const Vector sum = __builtin_convertvector((SignedSums)sums[i][part], Vector);
      storeVector(to, before + sum * (scales[part] * spread(scaleX[i * stride])));
    }
}

template <int R>
inline void blockTileOf(long rows, const short* weights, const Vector* scales, const float* x, const float* scaleX, long stride,
                        float* y, long strideY, bool first) {
  if (rows == R) return blockTile<R>(weights, scales, x, scaleX, stride, y, strideY, first);
  if constexpr (R > 1) blockTileOf<R - 1>(rows, weights, scales, x, scaleX, stride, y, strideY, first);
}

/** Outputs of the panels `from` … `to`. */
void multiplyBlocks(const BlockCall& c, long from, long to) {
  const char* integers = reinterpret_cast<const char*>(c.weights);
  const unsigned short* halves = reinterpret_cast<const unsigned short*>(integers + c.panels * c.blocks * PANEL_BYTES);
  for (long m = 0; m < c.rows; m += MOST_ROWS) {
    const long held = c.rows - m < MOST_ROWS ? c.rows - m : MOST_ROWS;
    for (long panel = from; panel < to; panel++) {
      const char* weights = integers + panel * c.blocks * PANEL_BYTES;
      const unsigned short* own = halves + panel * c.blocks * PANEL;
      const float* x = c.x + m * c.strideX;
      float* y = c.y + m * c.strideY + panel * PANEL;
      if (held == 1) panelOfFew<1>(c, weights, own, x, y);
      if (held == 2) panelOfFew<2>(c, weights, own, x, y);
      if (held == 3) panelOfFew<3>(c, weights, own, x, y);
      if (held <= FEW_ROWS) continue;
      const float* scaleX = x + c.blocks * (PAIRS_OF + FOURS_OF);
      for (long b = 0; b < c.blocks; b++, weights += PANEL_BYTES, own += PANEL) {
        alignas(64) short wide[BLOCK * PANEL];
        widen(weights, wide);
        Vector scales[PARTS];
        const Oct both[2] = {octOf(own), octOf(own + 8)};
        __builtin_memcpy(scales, both, sizeof scales);
        for (long i = 0; i < held; i += TILE_ROWS)
          blockTileOf<TILE_ROWS>(held - i < TILE_ROWS ? held - i : TILE_ROWS, wide, scales, x + i * c.strideX + b * PAIRS_OF,
                                 scaleX + i * c.strideX + b, c.strideX, y + i * c.strideY, c.strideY, b == 0 && !c.accumulate);
      }
    }
  }
}
