// The kernels, included once for each instruction set with LANES (4, 8 or 16 floats a register), TILE_ROWS and FUSED.
//
// The rules that make every set give the same bytes:
// - an output of a product is one chain of fused multiply-adds in the order of the index, starting from 0 or from C;
// - a reduction has 16 lanes (element i goes to lane i mod 16) and ends in the tree of `total`;
// - exp and log are the polynomials below, in plain multiplications and additions that are never fused;
// - everything else is +, −, ×, ÷ and √, which IEEE 754 fixes. The build has -ffp-contract=off and no -ffast-math.
// lanes.h has what sets do in their own ways, ../wasm.cpp is the set for WebAssembly. models/engine/kernels/kernel-shapes.test.ts
// compares all sets byte by byte.
#include "kernel-table.h"

namespace {

#include "lanes.h"

/** Numbers that a kernel has on their way while it computes: another thread's come from its cache, one after the other if nobody asks. */
constexpr long AHEAD = 512;

/** Fetches `count` numbers. */
inline void fetch(const float* p, long count) {
  for (long i = 0; i < count; i += 16) PREFETCH(p + i, 0, 2);
}

/** e^x, relative error below 2e-7; x is held within −87 … 88. Not of Lanes, whose comparisons AVX2 makes one by one. */
inline Vector exponential(Vector x) {
  x = within(x, -87.f, 88.f);
  // Adding 1.5 · 2^23 rounds to an integer, which is then in the lowest bits.
  Vector n = x * 1.44269504f + 12582912.f;
  const Words exponent = ((Words)n) << 23;
  n = n - 12582912.f;
  Vector f = x - n * 0.693359375f;
  f = f - n * -2.12194440e-4f;
  Vector p = f * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * f + 8.3334519073e-3f;
  p = p * f + 4.1665795894e-2f;
  p = p * f + 1.6666665459e-1f;
  p = p * f + 5.0000001201e-1f;
  p = p * f * f + f + 1.f;
  return (Vector)((Words)p + exponent);
}

/** ln x of a normal number. */
inline float logarithm(float x) {
  int bits;
  __builtin_memcpy(&bits, &x, 4);
  int exponent = ((bits >> 23) & 255) - 127;
  bits = (bits & 0x7fffff) | 0x3f800000;
  float m;
  __builtin_memcpy(&m, &bits, 4);
  if (m > 1.41421356f) {
    m = m * 0.5f;
    exponent++;
  }
  const float s = (m - 1.f) / (m + 1.f), z = s * s;
  const float series = z * 0.111111111f + 0.142857143f;
  return (float)exponent * 0.69314718f + (s + s) * (((series * z + 0.2f) * z + 0.33333333f) * z + 1.f);
}

inline Vector sigmoid(Vector x) { return 1.f / (exponential(-x) + 1.f); }

constexpr long TILE_COLUMNS = 2 * LANES, DEPTH = 384, BLOCK_ROWS = 240 / TILE_ROWS * TILE_ROWS;

/** R rows by V registers of columns of C. A is packed (TILE_ROWS numbers a step), B has rows of STRIDE, or of `strideB` if that is 0. */
template <int R, int V, long STRIDE = 0>
INNER void tile(long depth, const float* a, const float* b, long strideB, float* c, long strideC, long columns, bool first) {
  const long stride = STRIDE == 0 ? strideB : STRIDE;
  Vector sums[R][V];
  float edge[V * LANES];
  for (int i = 0; i < R; i++) {
    const float* from = c + i * strideC;
    if (!first && columns < V * LANES) {
      for (long j = 0; j < V * LANES; j++) edge[j] = j < columns ? from[j] : 0.f;
      from = edge;
    }
    for (int v = 0; v < V; v++) sums[i][v] = first ? Vector{} : loadVector(from + v * LANES);
  }
#if LANES == 4
#pragma clang loop unroll_count(4)
#endif
  for (long k = 0; k < depth; k++) {
    Vector right[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) right[v] = loadVector(b + k * stride + v * LANES);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const Vector left = spread(a[k * TILE_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < V; v++) sums[i][v] = FUSED(left, right[v], sums[i][v]);
    }
  }
  for (int i = 0; i < R; i++) {
    float* to = columns < V * LANES ? edge : c + i * strideC;
    for (int v = 0; v < V; v++) storeVector(to + v * LANES, sums[i][v]);
    if (to == edge)
      for (long j = 0; j < columns; j++) c[i * strideC + j] = edge[j];
  }
}

template <int R>
inline void tileOf(long rows, long depth, const float* a, const float* b, long strideB, float* c, long strideC, long columns,
                   bool first) {
  if (rows == R) {
    // Four registers' loops gain from constant distances.
    if (LANES == 4 && columns > LANES && strideB == TILE_COLUMNS) return tile<R, 2, LANES == 4 ? TILE_COLUMNS : 0>(depth, a, b, strideB, c, strideC, columns, first);
    return columns <= LANES ? tile<R, 1>(depth, a, b, strideB, c, strideC, columns, first)
                            : tile<R, 2>(depth, a, b, strideB, c, strideC, columns, first);
  }
  if constexpr (R > 1) tileOf<R - 1>(rows, depth, a, b, strideB, c, strideC, columns, first);
}

/** Four steps of four rows that lie `stride` apart, turned: `to` has a step's four numbers every `gap`. */
inline void turnQuads(const float* from, long stride, float* to, long gap) {
  const Quad a = loadQuad(from), b = loadQuad(from + stride), c = loadQuad(from + 2 * stride), d = loadQuad(from + 3 * stride);
  const Quad ab = SHUFFLE(QuadIndexes, a, b, 0, 4, 1, 5), cd = SHUFFLE(QuadIndexes, c, d, 0, 4, 1, 5);
  const Quad ef = SHUFFLE(QuadIndexes, a, b, 2, 6, 3, 7), gh = SHUFFLE(QuadIndexes, c, d, 2, 6, 3, 7);
  const Quad out[4] = {SHUFFLE(QuadIndexes, ab, cd, 0, 1, 4, 5), SHUFFLE(QuadIndexes, ab, cd, 2, 3, 6, 7),
                       SHUFFLE(QuadIndexes, ef, gh, 0, 1, 4, 5), SHUFFLE(QuadIndexes, ef, gh, 2, 3, 6, 7)};
  for (int i = 0; i < 4; i++) __builtin_memcpy(to + i * gap, &out[i], sizeof out[i]);
}

/**
 * `count` rows that lie `stride` apart, as steps of them side by side: `to` has a step every `gap`. By sixteen steps, a line of
 * the cache: rows that lie a multiple of a page apart push each other's lines out. Lines that lie `ahead` are fetched meanwhile.
 */
INNER void packTurned(long steps, long count, const float* from, long stride, float* to, long gap, long ahead) {
  const long quads = count & ~3L, line = LANES == 4 ? steps : 16;
  for (long k0 = 0; k0 < steps; k0 += line) {
    const long end = steps - k0 < line ? steps : k0 + line;
    for (long i = 0; i < count; i++) PREFETCH(from + i * stride + k0 + ahead, 0, 2);
    for (long i = 0; i < quads; i += 4) {
      long k = k0;
      for (; k + 4 <= end; k += 4) turnQuads(from + i * stride + k, stride, to + k * gap + i, gap);
      for (; k < end; k++)
        for (long j = i; j < i + 4; j++) to[k * gap + j] = from[j * stride + k];
    }
    for (long i = quads; i < count; i++)
      for (long k = k0; k < end; k++) to[k * gap + i] = from[i * stride + k];
  }
}

void multiply(long rows, long columns, long depth, Matrix a, Matrix b, float* c, long strideC, bool accumulate,
              float* scratch) {
  float* packedA = scratch;
  float* packedB = scratch + DEPTH * BLOCK_ROWS;
  for (long k0 = 0; k0 < depth; k0 += DEPTH) {
    const long steps = depth - k0 < DEPTH ? depth - k0 : DEPTH;
    const bool first = !accumulate && k0 == 0;
    for (long m0 = 0; m0 < rows; m0 += BLOCK_ROWS) {
      const long block = rows - m0 < BLOCK_ROWS ? rows - m0 : BLOCK_ROWS;
      // Tiles of about equal height.
      const long tiles = (block + TILE_ROWS - 1) / TILE_ROWS, height = (block + tiles - 1) / tiles;
      for (long m = 0; m < block; m += height) {
        const long held = block - m < height ? block - m : height;
        const float* from = a.data + k0 * a.columnStride + (m0 + m) * a.rowStride;
        float* to = packedA + m / height * steps * TILE_ROWS;
        if (a.columnStride == 1) {
          packTurned(steps, held, from, a.rowStride, to, TILE_ROWS, DEPTH);
        } else if (a.rowStride == 1 && held == TILE_ROWS) {
          for (long k = 0; k < steps; k++) __builtin_memcpy(to + k * TILE_ROWS, from + k * a.columnStride, TILE_ROWS * 4);
        } else if (a.rowStride == 1 && held >= 8) {
          // By two registers of eight, which may overlap.
          for (long k = 0; k < steps; k++) {
            __builtin_memcpy(to + k * TILE_ROWS, from + k * a.columnStride, 32);
            __builtin_memcpy(to + k * TILE_ROWS + held - 8, from + k * a.columnStride + held - 8, 32);
          }
        } else {
          for (long k = 0; k < steps; k++)
            for (long i = 0; i < held; i++) to[k * TILE_ROWS + i] = from[k * a.columnStride + i * a.rowStride];
        }
      }
      for (long n = 0; n < columns; n += TILE_COLUMNS) {
        const long width = columns - n < TILE_COLUMNS ? columns - n : TILE_COLUMNS;
        const long packed = width <= LANES ? LANES : TILE_COLUMNS;
        const float* from = b.data + k0 * b.rowStride + n * b.columnStride;
        const float* right = from;
        long strideB = b.rowStride;
        // A few rows do not repay the packing, where B is right already.
        if (b.columnStride != 1 || width != packed || block > TILE_ROWS) {
          right = packedB;
          strideB = packed;
          if (b.columnStride == 1 && width == TILE_COLUMNS) {
            // Where rows lie far apart, the next panel's lines are fetched meanwhile.
            const long next = columns - n >= 2 * TILE_COLUMNS ? TILE_COLUMNS : 0;
            for (long k = 0; k < steps; k++) {
              __builtin_memcpy(packedB + k * TILE_COLUMNS, from + k * b.rowStride, TILE_COLUMNS * 4);
              for (long i = 0; i < TILE_COLUMNS; i += 16) PREFETCH(from + k * b.rowStride + next + i, 0, 2);
            }
          } else if (b.rowStride == 1) {
            // The next panel, or of the next steps the first.
            packTurned(steps, width, from, b.columnStride, packedB, packed,
                       columns - n > packed ? packed * b.columnStride : DEPTH - n * b.columnStride);
            for (long k = 0; width < packed && k < steps; k++)
              for (long j = width; j < packed; j++) packedB[k * packed + j] = 0.f;
          } else {
            for (long k = 0; k < steps; k++)
              for (long j = 0; j < packed; j++)
                packedB[k * packed + j] = j < width ? from[k * b.rowStride + j * b.columnStride] : 0.f;
          }
        }
        for (long m = 0; m < block; m += height)
          tileOf<TILE_ROWS>(block - m < height ? block - m : height, steps, packedA + m / height * steps * TILE_ROWS, right,
                            strideB, c + (m0 + m) * strideC + n, strideC, width, first);
      }
    }
  }
}

void normalise(long rows, long width, const float* x, const float* weight, const float* bias, float* y, float* stats,
               float epsilon, bool isCentred) {
  const float size = (float)width;
  fetch(x, width);
  for (long t = 0; t < rows; t++, x += width, y += width, stats += 2) {
    if (t + 1 < rows) fetch(x + width, width);
    float mean = 0.f;
    if (isCentred) {
      Lanes sum = {};
      for (long i = 0; i < width; i += 16) sum += load(x + i);
      mean = total(sum) / size;
    }
    Lanes squares = {};
    for (long i = 0; i < width; i += 16) {
      const Lanes d = load(x + i) - mean;
      squares += d * d;
    }
    const float factor = 1.f / __builtin_sqrtf(total(squares) / size + epsilon);
    stats[0] = mean;
    stats[1] = factor;
    for (long i = 0; i < width; i += 16) {
      Lanes out = (load(x + i) - mean) * factor * load(weight + i);
      if (bias != nullptr) out = out + load(bias + i);
      store(y + i, out);
    }
  }
}

void normaliseBack(long rows, long width, const float* x, const float* weight, const float* stats, const float* dy, float* dx,
                   float* dWeight, float* dBias, bool isCentred) {
  const float size = (float)width;
  for (long t = 0; t < rows; t++, x += width, dy += width, dx += width, stats += 2) {
    const float mean = stats[0], factor = stats[1];
    Lanes plain = {}, along = {};
    for (long i = 0; i < width; i += 16) {
      const Lanes g = load(dy + i) * load(weight + i);
      plain += g;
      along += g * ((load(x + i) - mean) * factor);
    }
    const float meanPlain = isCentred ? total(plain) / size : 0.f, meanAlong = total(along) / size;
    for (long i = 0; i < width; i += 16) {
      const Lanes d = load(dy + i), unit = (load(x + i) - mean) * factor;
      store(dx + i, load(dx + i) + (d * load(weight + i) - meanPlain - unit * meanAlong) * factor);
      if (dWeight != nullptr) store(dWeight + i, load(dWeight + i) + d * unit);
      if (dBias != nullptr) store(dBias + i, load(dBias + i) + d);
    }
  }
}

void rotate(long rows, long heads, long headSize, float* x, long rowStride, const float* table, float sign) {
  const long half = headSize / 2;
  for (long t = 0; t < rows; t++, x += rowStride, table += headSize)
    for (long h = 0; h < heads; h++) {
      float* p = x + h * headSize;
#if LANES == 4
      // By hand: the compiler does not know that a head's halves and the table lie apart, nor that halves have eights of numbers.
      for (long eight = 0; eight < half; eight += 8)
#pragma GCC unroll 2
        for (long i = eight; i < eight + 8; i += LANES) {
          const Vector cosine = loadVector(table + i), sine = loadVector(table + half + i) * sign;
          const Vector a = loadVector(p + i), b = loadVector(p + half + i);
          storeVector(p + i, a * cosine - b * sine);
          storeVector(p + half + i, b * cosine + a * sine);
        }
#else
      for (long i = 0; i < half; i++) {
        const float cosine = table[i], sine = table[half + i] * sign, a = p[i], b = p[i + half];
        p[i] = a * cosine - b * sine;
        p[i + half] = b * cosine + a * sine;
      }
#endif
    }
}

/** The first `held` numbers of v, and `other` behind them. */
inline Vector first(Vector v, long held, float other) { return COUNTING < Indexes{} + (int)held ? v : spread(other); }

/** Row t keeps its first `first` + t + 1 numbers; the others become 0. */
void softmax(long rows, float* x, long rowStride, long firstCount, float scale) {
  for (long t = 0; t < rows; t++, x += rowStride) {
    const long valid = firstCount + t + 1, end = (valid + 15) & ~15L;
    const float lowest = -3e38f;
    Vector maxima = spread(lowest);
    for (long j = 0; j < end; j += LANES) {
      Vector scaled = loadVector(x + j) * scale;
      if (j + LANES > valid) scaled = first(scaled, valid - j, lowest);
      maxima = largerOf(scaled, maxima);
      storeVector(x + j, scaled);
    }
    const float max = largest(maxima);
    Lanes sum = {};
    for (long j = 0; j < end; j += 16) {
      for (long i = j; i < j + 16; i += LANES) {
        Vector power = exponential(loadVector(x + i) - max);
        if (i + LANES > valid) power = first(power, valid - i, 0.f);
        storeVector(x + i, power);
      }
      sum += load(x + j);
    }
    for (long j = end; j < rowStride; j++) x[j] = 0.f;
    const float factor = 1.f / total(sum);
    for (long j = 0; j < end; j += 16) store(x + j, load(x + j) * factor);
  }
}

void softmaxBack(long rows, const float* p, float* dp, long rowStride, long first, float scale) {
  for (long t = 0; t < rows; t++, p += rowStride, dp += rowStride) {
    const long valid = first + t + 1, end = (valid + 15) & ~15L;
    for (long j = valid; j < rowStride; j++) dp[j] = 0.f;
    Lanes sum = {};
    for (long j = 0; j < end; j += 16) sum += load(dp + j) * load(p + j);
    const float mean = total(sum);
    for (long j = 0; j < end; j += 16) store(dp + j, (load(dp + j) - mean) * load(p + j) * scale);
  }
}

void gate(long count, const float* a, const float* b, float* y) {
  fetch(a, count < AHEAD ? count : AHEAD);
  fetch(b, count < AHEAD ? count : AHEAD);
  for (long i = 0; i < count; i += LANES) {
    PREFETCH(a + i + AHEAD, 0, 2);
    PREFETCH(b + i + AHEAD, 0, 2);
    const Vector x = loadVector(a + i);
    storeVector(y + i, x * sigmoid(x) * loadVector(b + i));
  }
}

void gateBack(long count, const float* a, const float* b, const float* dy, float* da, float* db) {
  for (long i = 0; i < count; i += LANES) {
    const Vector x = loadVector(a + i), y = loadVector(b + i), d = loadVector(dy + i), s = sigmoid(x);
    storeVector(db + i, d * (x * s));
    storeVector(da + i, d * y * (s * (x * (1.f - s) + 1.f)));
  }
}

/** 2 √(2/π) (x + 0.044715 x³), in the form of tanh's approximation of GELU: gelu(x) = x · sigmoid of this. */
inline Vector geluInner(Vector x) { return x * (x * x * 0.0713548162726f + 1.5957691216057f); }

void gelu(long count, const float* a, float* y) {
  for (long i = 0; i < count; i += LANES) {
    const Vector x = loadVector(a + i);
    storeVector(y + i, x * sigmoid(geluInner(x)));
  }
}

void geluBack(long count, const float* a, const float* dy, float* da) {
  for (long i = 0; i < count; i += LANES) {
    const Vector x = loadVector(a + i), s = sigmoid(geluInner(x));
    const Vector slope = x * x * 0.2140644488178f + 1.5957691216057f;
    storeVector(da + i, loadVector(dy + i) * (s * (x * (1.f - s) * slope + 1.f)));
  }
}

void addRow(long rows, long width, float* y, const float* bias) {
  for (long t = 0; t < rows; t++, y += width)
    for (long i = 0; i < width; i += NUMBERS) storeNumbers(y + i, loadNumbers(y + i) + loadNumbers(bias + i));
}

void sumRows(long rows, long width, const float* dy, float* dBias) {
  for (long t = 0; t < rows; t++, dy += width)
    for (long i = 0; i < width; i += NUMBERS) storeNumbers(dBias + i, loadNumbers(dBias + i) + loadNumbers(dy + i));
}

void add(long count, float* y, const float* x) {
  for (long i = 0; i < count; i += NUMBERS) storeNumbers(y + i, loadNumbers(y + i) + loadNumbers(x + i));
}

void scale(long count, float* x, float factor) {
  for (long i = 0; i < count; i += NUMBERS) storeNumbers(x + i, loadNumbers(x + i) * factor);
}

/** Logits become the gradient of weight × loss. A row whose target is below 0 has neither loss nor gradient. */
void crossEntropy(long rows, long size, long rowStride, float* logits, const float* targets, float* losses, float weight) {
  for (long t = 0; t < rows; t++, logits += rowStride) {
    const long target = (long)targets[t], end = (size + 15) & ~15L;
    if (target < 0 || target >= size) {
      for (long j = 0; j < rowStride; j++) logits[j] = 0.f;
      losses[t] = 0.f;
      continue;
    }
    const float wanted = logits[target];
    const float lowest = -3e38f;
    Vector maxima = spread(lowest);
    for (long j = 0; j < end; j += LANES) {
      const Vector own = first(loadVector(logits + j), size - j, lowest);
      maxima = largerOf(own, maxima);
    }
    const float max = largest(maxima);
    for (long j = 0; j < end; j += LANES) storeVector(logits + j, exponential(loadVector(logits + j) - max));
    for (long j = size; j < rowStride; j++) logits[j] = 0.f;
    Lanes sum = {};
    for (long j = 0; j < end; j += 16) sum += load(logits + j);
    const float all = total(sum), factor = weight / all;
    losses[t] = logarithm(all) + max - wanted;
    for (long j = 0; j < end; j += 16) store(logits + j, load(logits + j) * factor);
    logits[target] = logits[target] - weight;
  }
}

/** `settings`: rate, β₁, 1 − β₁, β₂, 1 − β₂, 1 / (1 − β₁ᵗ), 1 / (1 − β₂ᵗ), ε, rate × decay, gradient's factor. */
void adam(long count, float* p, const float* g, float* m, float* v, const float* s) {
  for (long i = 0; i < count; i += NUMBERS) {
    const Numbers slope = loadNumbers(g + i) * s[9];
    const Numbers first = loadNumbers(m + i) * s[1] + slope * s[2], second = loadNumbers(v + i) * s[3] + slope * slope * s[4];
    storeNumbers(m + i, first);
    storeNumbers(v + i, second);
    const Numbers root = rootsOf(second * s[6]);
    const Numbers old = loadNumbers(p + i);
    storeNumbers(p + i, old - old * s[8] - first * s[5] / (root + s[7]) * s[0]);
  }
}

/** A change dg of the slope moves dm and dv as `adam` moves m and v, with ds for each square, and dp by both. */
void adamTangent(long count, float* dp, const float* dg, float* dm, float* dv, const float* ds, const float* ofMean,
                 const float* ofSquare, const float* s) {
  for (long i = 0; i < count; i += NUMBERS) {
    const Numbers change = loadNumbers(dg + i), old = loadNumbers(dp + i);
    const Numbers first = loadNumbers(dm + i) * s[1] + change * s[2], second = loadNumbers(dv + i) * s[3] + change * loadNumbers(ds + i);
    storeNumbers(dm + i, first);
    storeNumbers(dv + i, second);
    storeNumbers(dp + i, old - old * s[8] - (first * loadNumbers(ofMean + i) - second * loadNumbers(ofSquare + i)));
  }
}

#include "serving-kernels.h"
#include "block-kernels.h"

const KernelTable table = {KERNELS_NAME, multiply,    DEPTH * (BLOCK_ROWS + TILE_COLUMNS), multiplyRounded,
                           normalise,    normaliseBack, rotate,
                           softmax,      softmaxBack, gate,
                           gateBack,     gelu,        geluBack,
                           addRow,       sumRows,     add,
                           scale,        crossEntropy, adam,        adamTangent,
                           applyAdapters, keepPages,   attendPages, scoreParts,  softmaxParts, weighParts,
                           quantise,     unpack,      multiplyBlocks, multiplyBack};

}  // namespace
