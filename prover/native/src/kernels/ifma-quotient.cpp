// The quotient's transforms, eight wide.
//
// A vector of the domain's size n is in groups of eight elements: five rows of one limb of each. Two kinds
// of steps, which need no bit reversal between them and leave the coset's shift to the second one's factors:
//
// values to coefficients (times n): x mod X^2h - z^2 splits into x mod X^h - z and x mod X^h + z, from h =
//   n/2 down to 1; the factor z is the same for a whole block. Natural order in, bit-reversed out.
// coefficients to values at the odd 2n-th roots: even and odd coefficients together, from h = 1 up to n/2;
//   the factor of position j is w^(2j+1) for a primitive 4h-th root w. Bit-reversed in, natural out.
//
// Both use one butterfly: (a, b) -> (a + z b, a - z b). z is below m and b carried, so z b is below 2 m, and
// a value grows by at most 2 m in each level: from 4 m to 60 m after 28 levels, within the 84 m that a product
// takes. Between the two kinds of steps values go back to 4 m.
#include "ifma-quotient.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "../field.h"
#include "../roots.h"

#if defined(__x86_64__) && defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma,bmi2,adx")
#include "ifma-transpose.h"

namespace {

using L = ifma::Lanes<ScalarModulus>;
using ifma::addLazy;
using ifma::carry;

constexpr size_t groupWords = 40;
// A block of 2^12 elements is 160 KiB, which stays in the second-level cache.
constexpr unsigned maxBlockPower = 12;
// Below, a vector has less than one tile of 64, which the last levels work on.
constexpr unsigned minPower = 6;
// 2^9 elements are 20 KiB and stay in the first-level cache.
constexpr size_t leafGroups = 64;

IFMA_INLINE F5 loadGroup(const u64* at) {
  F5 out;
  for (int i = 0; i < 5; i++) out.l[i] = _mm512_loadu_si512(at + 8 * i);
  return out;
}
IFMA_INLINE void storeGroup(u64* at, const F5& a) {
  for (int i = 0; i < 5; i++) _mm512_storeu_si512(at + 8 * i, a.l[i]);
}
IFMA_INLINE F5 splatRoot(const u64* at) {
  F5 out;
  for (int i = 0; i < 5; i++) out.l[i] = ifma::splat(at[i]);
  return out;
}

/** Limbs are stored as they come, signed and not carried: each level adds less than 2^53 to one. */
IFMA_INLINE void combine(F5& a, F5& b, const F5& root) {
  const F5 t = L::mul(root, carry(b));
  b = ifma::subLazy(a, t);
  for (int i = 0; i < 5; i++) b.l[i] = _mm512_add_epi64(b.l[i], L::modulusLimb(i, 1));
  a = addLazy(a, t);
}
IFMA_INLINE void combineAt(u64* a, u64* b, const F5& root) {
  F5 x = loadGroup(a), y = loadGroup(b);
  combine(x, y, root);
  storeGroup(a, x);
  storeGroup(b, y);
}

void writeLimbs(u64* out, size_t stride, const Words& value) {
  for (int i = 0; i < 5; i++) out[static_cast<size_t>(i) * stride] = limb52(value, i);
}

/** From R = 2^256 to 2^260. */
Words toIfma(const Words& a) {
  Words out = a;
  for (int i = 0; i < 4; i++) out = doubleModulo(out, ScalarModulus::value);
  return out;
}

class IfmaQuotient final : public QuotientPlan {
 public:
  explicit IfmaQuotient(unsigned power)
      : power_(power), size_(size_t{1} << power), blockPower_(std::min(power, maxBlockPower)),
        blockRoots_(size_ / 16 * 5 * 8), tileRoots_(size_ / 64 * 7 * groupWords * 8), cosetRoots_(size_ / 8 * groupWords * 8) {
    const Words inverseRoot = Fr::inv(rootOfUnity(power));
    std::vector<Words> roots(size_ / 2);
    Words root = Fr::one;
    for (size_t i = 0; i < size_ / 2; i++) {
      roots[reverseBits(i, power - 1)] = toIfma(root);
      root = Fr::mul(root, inverseRoot);
    }
    for (size_t i = 0; i < size_ / 16; i++) writeLimbs(blockRoots_.as<u64>() + 5 * i, 1, roots[i]);
    u64* tile = tileRoots_.as<u64>();
    for (size_t i = 0; i < size_ / 64; i++) {
      for (const size_t width : {1, 2, 4}) {
        for (size_t part = 0; part < width; part++, tile += groupWords)
          for (size_t lane = 0; lane < 8; lane++) writeLimbs(tile + lane, 8, roots[(8 * i + lane) * width + part]);
      }
    }
    for (unsigned level = 0; level < power; level++) {
      const Words base = rootOfUnity(level + 2), step = Fr::sqr(base);
      const size_t half = size_t{1} << level;
      Words t = base;
      for (size_t j = 0; j < half; j++) {
        u64* const at = half < 8 ? smallCosetRoots_[half + j] : cosetGroup(half) + j / 8 * groupWords + j % 8;
        writeLimbs(at, half < 8 ? 1 : 8, toIfma(t));
        t = Fr::mul(t, step);
      }
    }
    scale_ = toIfma(Fr::toMontgomery(Words{{size_, 0, 0, 0}}));
  }

  size_t vectorBytes() const override { return size_ * 40; }

  void quotient(u64* a, u64* b, u64* c, Words* out, const ParallelFor& parallel) const override {
    u64* const vectors[3] = {a, b, c};
    const size_t groups = size_ / 8;
    if (power_ == blockPower_) {
      parallel(1, [&](size_t) { multiplyGroups(a, b, c, 0, groups); });
      parallel(3, [&](size_t i) { transformBlock(vectors[i], groups, 0); });
      parallel(1, [&](size_t) {
        for (size_t i = 0; i < groups; i++)
          join(loadGroup(a + i * groupWords), loadGroup(b + i * groupWords), loadGroup(c + i * groupWords), out + 8 * i);
      });
      return;
    }
    const size_t blockGroups = size_t{1} << (blockPower_ - 3), blockCount = groups / blockGroups;
    // Neighbouring columns share pages and prefetches.
    const size_t columnsPerPart = std::min<size_t>(8, blockGroups);
    parallel(blockGroups / columnsPerPart, [&](size_t part) {
      Buffer& scratch = columnScratch(blockCount);
      for (size_t column = part * columnsPerPart; column < (part + 1) * columnsPerPart; column++) {
        for (size_t k = 0; k < blockCount; k++) {
          const size_t at = (k * blockGroups + column) * groupWords;
          storeGroup(c + at, product(loadGroup(a + at), loadGroup(b + at)));
        }
        for (u64* const vector : vectors) splitColumn(vector, column, blockGroups, blockCount, scratch.as<u64>());
      }
    });
    parallel(3 * blockCount, [&](size_t task) {
      const size_t block = task % blockCount;
      transformBlock(vectors[task / blockCount] + block * blockGroups * groupWords, blockGroups, block);
    });
    parallel(blockGroups / columnsPerPart, [&](size_t part) {
      Buffer& scratch = columnScratch(blockCount);
      for (size_t column = part * columnsPerPart; column < (part + 1) * columnsPerPart; column++) {
        u64* const rows = scratch.as<u64>();
        for (int i = 0; i < 3; i++)
          joinColumn(vectors[i], column, blockGroups, blockCount, rows + static_cast<size_t>(i) * blockCount * groupWords);
        for (size_t k = 0; k < blockCount; k++) {
          const u64* const at = rows + k * groupWords;
          join(loadGroup(at), loadGroup(at + blockCount * groupWords), loadGroup(at + 2 * blockCount * groupWords),
               out + 8 * (k * blockGroups + column));
        }
      }
    });
  }

 private:
  static Buffer& columnScratch(size_t blockCount) {
    thread_local Buffer scratch;
    scratch.reserve(3 * blockCount * groupWords * 8);
    return scratch;
  }

  /** c n for a and b over n. */
  F5 product(const F5& a, const F5& b) const { return L::mul(L::mul(a, b), L::splatWords(scale_)); }
  void multiplyGroups(const u64* a, const u64* b, u64* c, size_t from, size_t to) const {
    for (size_t i = from * groupWords; i < to * groupWords; i += groupWords)
      storeGroup(c + i, product(loadGroup(a + i), loadGroup(b + i)));
  }

  /** The plain integers a b - c; inputs below 84 m, not carried. */
  static void join(const F5& a, const F5& b, const F5& c, Words* out) {
    // b and c go through a product first, which leaves them below 2 m; a b is then below (60 * 2 / 84 + 1) m.
    const F5 one = L::one(), plain = L::splatWords(Words{{1, 0, 0, 0}});
    const F5 ab = L::mul(carry(a), L::mul(carry(b), one));
    const F5 h = L::mul(L::sub(ab, L::mul(carry(c), one)), plain);
    L::scatter([&](int lane) { return static_cast<void*>(out + lane); }, L::canonical(h));
  }

  /** The first levels, on one column: the groups at the same place of every block. */
  void splitColumn(u64* vector, size_t column, size_t blockGroups, size_t blockCount, u64* scratch) const {
    for (size_t k = 0; k < blockCount; k++)
      storeGroup(scratch + k * groupWords, loadGroup(vector + (k * blockGroups + column) * groupWords));
    for (size_t half = blockCount / 2, blocks = 1; half > 0; half /= 2, blocks *= 2) {
      for (size_t i = 0; i < blocks; i++) {
        const F5 root = splatRoot(blockRoots_.as<u64>() + 5 * i);
        u64* const at = scratch + 2 * half * i * groupWords;
        for (size_t j = 0; j < half; j++) combineAt(at + j * groupWords, at + (half + j) * groupWords, root);
      }
    }
    for (size_t k = 0; k < blockCount; k++)
      storeGroup(vector + (k * blockGroups + column) * groupWords, loadGroup(scratch + k * groupWords));
  }

  /** The last levels, on one column, into scratch. */
  void joinColumn(const u64* vector, size_t column, size_t blockGroups, size_t blockCount, u64* scratch) const {
    for (size_t k = 0; k < blockCount; k++)
      storeGroup(scratch + k * groupWords, loadGroup(vector + (k * blockGroups + column) * groupWords));
    for (size_t half = 1; half < blockCount; half *= 2) {
      const u64* const roots = cosetGroup(half * blockGroups * 8);
      for (size_t j = 0; j < half; j++) {
        const F5 root = loadGroup(roots + (j * blockGroups + column) * groupWords);
        for (size_t i = j; i < blockCount; i += 2 * half)
          combineAt(scratch + i * groupWords, scratch + (i + half) * groupWords, root);
      }
    }
  }

  /** All levels within a block, down and up again, halves first so that they stay in the nearest cache. */
  void transformBlock(u64* at, size_t groups, size_t block) const {
    if (groups > leafGroups) {
      const size_t half = groups / 2 * groupWords;
      const F5 root = splatRoot(blockRoots_.as<u64>() + 5 * block);
      for (size_t j = 0; j < half; j += groupWords) combineAt(at + j, at + half + j, root);
      transformBlock(at, groups / 2, 2 * block);
      transformBlock(at + half, groups / 2, 2 * block + 1);
      const u64* const roots = cosetGroup(groups * 4);
      for (size_t j = 0; j < half; j += groupWords) combineAt(at + j, at + half + j, loadGroup(roots + j));
      return;
    }
    for (size_t half = groups / 2, blocks = 1; half > 0; half /= 2, blocks *= 2) {
      for (size_t i = 0; i < blocks; i++) {
        const F5 root = splatRoot(blockRoots_.as<u64>() + 5 * (block * blocks + i));
        u64* const a = at + 2 * half * i * groupWords;
        for (size_t j = 0; j < half * groupWords; j += groupWords) combineAt(a + j, a + half * groupWords + j, root);
      }
    }
    const size_t tileCount = groups / 8;
    for (size_t tile = 0; tile < tileCount; tile++)
      transformTile(at + tile * 8 * groupWords, tileRoots_.as<u64>() + (block * tileCount + tile) * 7 * groupWords);
    for (size_t half = 1; half < groups; half *= 2) {
      const u64* const roots = cosetGroup(half * 8);
      for (size_t i = 0; i < groups; i += 2 * half) {
        u64* const a = at + i * groupWords;
        for (size_t j = 0; j < half * groupWords; j += groupWords)
          combineAt(a + j, a + half * groupWords + j, loadGroup(roots + j));
      }
    }
  }

  /** h = 4, 2, 1 down and 1, 2, 4 up, where a group's lanes meet each other: on the transposed tile. */
  void transformTile(u64* at, const u64* roots) const {
    alignas(64) u64 tile[8 * groupWords];
    transposeTile(at, tile);
    for (size_t half = 4, blocks = 1; half > 0; half /= 2, blocks *= 2) {
      for (size_t i = 0; i < blocks; i++, roots += groupWords) {
        const F5 root = loadGroup(roots);
        u64* const a = tile + 2 * half * i * groupWords;
        for (size_t j = 0; j < half * groupWords; j += groupWords) combineAt(a + j, a + half * groupWords + j, root);
      }
    }
    for (size_t i = 0; i < 8 * groupWords; i += groupWords) storeGroup(tile + i, L::reduceLoosely(loadGroup(tile + i)));
    for (size_t half = 1; half < 8; half *= 2) {
      for (size_t j = 0; j < half; j++) {
        const F5 root = splatRoot(smallCosetRoots_[half + j]);
        for (size_t i = j; i < 8; i += 2 * half) combineAt(tile + i * groupWords, tile + (i + half) * groupWords, root);
      }
    }
    transposeTile(tile, at);
  }

  /** The factors of the level with this half, in groups. */
  u64* cosetGroup(size_t half) const { return cosetRoots_.as<u64>() + (half / 8 - 1) * groupWords; }

  unsigned power_;
  size_t size_;
  unsigned blockPower_;
  Buffer blockRoots_, tileRoots_, cosetRoots_;
  u64 smallCosetRoots_[8][5] = {};
  Words scale_;
};

}  // namespace

#pragma GCC pop_options

QuotientPlan* planIfmaQuotient(unsigned domainPower) {
  return domainPower < minPower ? nullptr : new IfmaQuotient(domainPower);
}
#endif
