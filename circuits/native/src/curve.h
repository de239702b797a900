// BabyJubJub in the form -x^2 + y^2 = 1 + d x^2 y^2, whose addition has no exceptions: -1 is a square in the field and d is none
// (Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited"; extended coordinates, T = X Y / Z).
#pragma once
#include <vector>

#include "lanes.h"

namespace edwards {

/** Arithmetic on elements below twice the modulus: a product of two such is one again, without a last subtraction. */
constexpr Words twice(const Words& a) {
  Words out{};
  for (int i = 0; i < 4; i++) out.w[i] = a.w[i] << 1 | (i > 0 ? a.w[i - 1] >> 63 : 0);
  return out;
}
constexpr Words twiceModulus = twice(ScalarModulus::value);

inline Words mul(const Words& a, const Words& b) {
#ifdef PROVER_HAS_ADX
  if (hasAdx) {
    Words out;
    adxProduct(a.w, b.w, Fr::modulus.w, Fr::inverse64, out.w);
    return out;
  }
#endif
  return Fr::mul(a, b);
}
inline Words add(const Words& a, const Words& b) {
  Words sum, out;
  bool carry = false, borrow = false;
  for (int i = 0; i < 4; i++) sum.w[i] = addCarry(a.w[i], b.w[i], carry);
  for (int i = 0; i < 4; i++) out.w[i] = subtractBorrow(sum.w[i], twiceModulus.w[i], borrow);
  const u64 keep = 0 - static_cast<u64>(borrow);
  for (int i = 0; i < 4; i++) out.w[i] = (sum.w[i] & keep) | (out.w[i] & ~keep);
  return out;
}
inline Words sub(const Words& a, const Words& b) {
  Words out;
  bool borrow = false, carry = false;
  for (int i = 0; i < 4; i++) out.w[i] = subtractBorrow(a.w[i], b.w[i], borrow);
  const u64 mask = 0 - static_cast<u64>(borrow);
  for (int i = 0; i < 4; i++) out.w[i] = addCarry(out.w[i], twiceModulus.w[i] & mask, carry);
  return out;
}
inline bool isSame(const Words& a, const Words& b) {
  const Words x = Fr::reduceOnce(a), y = Fr::reduceOnce(b);
  return std::memcmp(&x, &y, sizeof x) == 0;
}

struct Point {
  Words x, y, z, t;
};
/** Y + X, Y - X, 2 Z and 2 d T; an affine one has no Z. */
struct Cached {
  Words sum, difference, z2, t2d;
};
struct CachedAffine {
  Words sum, difference, t2d;
};
constexpr Point identity{{}, Fr::one, Fr::one, {}};

inline Point twice(const Point& p, bool needsT) {
  const Words a = mul(p.x, p.x), b = mul(p.y, p.y), zz = mul(p.z, p.z), xy = mul(p.x, p.y);
  const Words e = add(xy, xy), g = sub(b, a), f = sub(add(zz, zz), g), h = add(a, b);
  return {mul(e, f), mul(g, h), mul(f, g), needsT ? mul(e, h) : Words{}};
}

/** p + q, or p - q. @param z2 2 Z of both, multiplied */
inline Point sumOf(const Point& p, const Words& sum, const Words& difference, const Words& t2d, const Words& z2, bool isMinus) {
  const Words a = mul(sub(p.y, p.x), isMinus ? sum : difference), b = mul(add(p.y, p.x), isMinus ? difference : sum);
  const Words c = mul(p.t, t2d);
  const Words e = sub(b, a), h = add(b, a);
  const Words f = isMinus ? add(z2, c) : sub(z2, c), g = isMinus ? sub(z2, c) : add(z2, c);
  return {mul(e, f), mul(g, h), mul(f, g), mul(e, h)};
}
inline Point add(const Point& p, const Cached& q, bool isMinus) {
  return sumOf(p, q.sum, q.difference, q.t2d, mul(p.z, q.z2), isMinus);
}
inline Point add(const Point& p, const CachedAffine& q, bool isMinus) {
  return sumOf(p, q.sum, q.difference, q.t2d, add(p.z, p.z), isMinus);
}

class Curve {
 public:
  /** @param scale from BabyJubJub's x to this form's, @param d of this form, @param x, y the base point's: plain integers; @param kernels null: one by one */
  Curve(const Words& scale, const Words& d, const Words& x, const Words& y, const LaneKernels* kernels)
      : kernels(kernels), scale(Fr::toMontgomery(scale)), d2(add(Fr::toMontgomery(d), Fr::toMontgomery(d))), base(windows * entries) {
    Point first = point(x, y);
    std::vector<Point> all;
    for (size_t window = 0; window < windows; window++) {
      const Cached step = cached(first);
      Point sum = first;
      for (size_t i = 0; i < entries; i++, sum = add(sum, step, false)) all.push_back(sum);
      // The last entry is 128 times the first.
      first = twice(all.back(), true);
    }
    // One inversion for all (Montgomery's trick).
    std::vector<Words> before;
    Words product = Fr::one;
    for (const Point& p : all) before.push_back(product), product = Fr::mul(product, Fr::reduceOnce(p.z));
    Words inverse = Fr::inv(product);
    for (size_t i = all.size(); i-- > 0;) {
      const Words z = Fr::mul(inverse, before[i]);
      inverse = Fr::mul(inverse, Fr::reduceOnce(all[i].z));
      const Words ax = mul(all[i].x, z), ay = mul(all[i].y, z);
      base[i] = {add(ay, ax), sub(ay, ax), mul(mul(ax, ay), d2)};
    }
    if (kernels != nullptr) layOutLanes();
  }

  void holdAll(const Equation* equations, bool* out, size_t count) const {
    size_t i = countInLanes(kernels, count);
    if (i > 0) kernels->holds(forLanes, equations, out, i);
    for (; i < count; i++) out[i] = holds(equations[i]);
  }

  bool holds(const Equation& equation) const {
    Point sum = timesKey(equation);
    addBase(sum, equation.s);
    const Words r8x = mul(mul(Fr::toMontgomery(equation.r8X), scale), sum.z);
    return isSame(sum.x, r8x) && isSame(sum.y, mul(Fr::toMontgomery(equation.r8Y), sum.z));
  }

 private:
  static constexpr size_t windows = baseWindows, entries = baseEntries, keyEntries = 8, maxDigits = 258;
  const LaneKernels* const kernels;
  const Words scale, d2;
  /** 1 to 128 times 256^i B. Digits are -127 to 128. */
  std::vector<CachedAffine> base;
  LaneCurve forLanes;

  void layOutLanes() {
    forLanes.scale = toLaneForm(scale), forLanes.d2 = toLaneForm(d2);
    const auto put = [&](const CachedAffine& entry) {
      for (const Words& part : {entry.sum, entry.difference, entry.t2d}) forLanes.base.push_back(toLaneForm(part));
    };
    for (const CachedAffine& entry : base) put(entry);
    put({Fr::one, Fr::one, Words{}});
  }

  Point point(const Words& x, const Words& y) const {
    const Words sx = mul(Fr::toMontgomery(x), scale), my = Fr::toMontgomery(y);
    return {sx, my, Fr::one, mul(sx, my)};
  }
  Cached cached(const Point& p) const { return {add(p.y, p.x), sub(p.y, p.x), add(p.z, p.z), mul(p.t, d2)}; }

  /** -u A, u by digits that are 0 or odd and below 16, at least four 0 between two others (wNAF). */
  Point timesKey(const Equation& equation) const {
    signed char digits[maxDigits] = {};
    u64 k[5] = {equation.factor.w[0], equation.factor.w[1], equation.factor.w[2], equation.factor.w[3], 0};
    int count = 0;
    for (int bit = 0; bit < 257;) {
      const int word = bit / 64, shift = bit % 64;
      u64 low = k[word] >> shift;
      if (low == 0 && shift == 0) {
        bit += 64;
        continue;
      }
      if ((low & 1) == 0) {
        bit++;
        continue;
      }
      if (shift > 59 && word < 4) low |= k[word + 1] << (64 - shift);
      int digit = low & 31;
      if (digit > 16) digit -= 32;
      // k -= digit at this place: the low five bits are then 0.
      if (digit < 0) addAt(k, bit, -digit);
      digits[bit] = static_cast<signed char>(digit);
      count = bit + 1;
      bit += 5;
    }
    Point sum = identity;
    if (count == 0) return sum;
    Cached odd[keyEntries];
    Point multiple = point(equation.keyX, equation.keyY);
    odd[0] = cached(multiple);
    const Cached two = cached(twice(multiple, true));
    for (size_t i = 1; i < keyEntries; i++) odd[i] = cached(multiple = add(multiple, two, false));
    for (int bit = count - 1; bit >= 0; bit--) {
      const int digit = digits[bit];
      sum = twice(sum, digit != 0 || bit == 0);
      if (digit != 0) sum = add(sum, odd[(digit < 0 ? -digit : digit) / 2], digit > 0);
    }
    return sum;
  }

  static void addAt(u64 (&k)[5], int bit, u64 value) {
    int word = bit / 64;
    const int shift = bit % 64;
    u128 carry = static_cast<u128>(value) << shift;
    for (; word < 5 && carry != 0; word++) {
      const u128 s = static_cast<u128>(k[word]) + static_cast<u64>(carry);
      k[word] = static_cast<u64>(s);
      carry = (carry >> 64) + (s >> 64);
    }
  }

  /** sum += s B */
  void addBase(Point& sum, const Words& s) const {
    int carry = 0;
    for (size_t window = 0; window < windows; window++) {
      int digit = carry + (window < 32 ? static_cast<int>(s.w[window / 8] >> (8 * (window % 8)) & 255) : 0);
      carry = digit > 128;
      digit -= carry * 256;
      if (digit != 0) sum = add(sum, base[window * entries + (digit < 0 ? -digit : digit) - 1], digit < 0);
    }
  }
};

}  // namespace edwards
