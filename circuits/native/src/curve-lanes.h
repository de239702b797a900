// The equations of eight signatures at once: curve.h in lanes, by digits of fixed places, since the lanes take every step together.
// To be included where the lanes' instructions are allowed.
//
// What a product gives is below 2 m, a sum or a difference of two such below 4 m, and 6 m with a doubled Z: all in bounds.
#pragma once
#include "lanes.h"

namespace {

/** @param L the field's lanes, @param S their sums */
template <class L, class S>
struct LaneCheck {
  using F = typename L::F;
  struct Point {
    F x, y, z, t;
  };
  /** Digits of a key's factor: -8 to 8, four bits each. */
  static constexpr size_t keyEntries = 9, maxDigits = 65;

  const LaneCurve& curve;
  const F one = L::one(), scale = L::splatWords(curve.scale), d2 = L::splatWords(curve.d2);
  alignas(64) Words multiples[keyEntries][8][4];

  explicit LaneCheck(const LaneCurve& curve) : curve(curve) {}

  static F times(const F& a, const F& b) { return L::mul(a, b); }

  static __attribute__((noinline)) Point twice(const Point& p, bool needsT) {
    const F a = L::sqrLazily(p.x), b = L::sqrLazily(p.y), zz = L::sqrLazily(p.z), xy = L::mulLazily(p.x, p.y);
    F g = S::subLazy(b, a), f = S::subLazy(S::addLazy(zz, zz), g);
    // g + 2 m, and 2 Z^2 - g + 2 m.
    g = S::plusTwo(g), f = S::plusTwo(f);
    const F e = S::plus(xy, xy), h = S::plus(a, b);
    return {L::mul(e, f), L::mul(g, h), L::mul(f, g), needsT ? L::mul(e, h) : p.t};
  }

  /** p + q. @param z2 2 Z of both, multiplied */
  static __attribute__((noinline)) Point sumOf(const Point& p, const F& sum, const F& difference, const F& t2d, const F& z2, bool needsT) {
    const F a = L::mulLazily(L::sub(p.y, p.x), difference), b = L::mulLazily(S::plus(p.y, p.x), sum), c = L::mulLazily(p.t, t2d);
    const F e = L::sub(b, a), h = S::plus(a, b), f = L::sub(z2, c), g = S::plus(z2, c);
    return {L::mul(e, f), L::mul(g, h), L::mul(f, g), needsT ? L::mul(e, h) : p.t};
  }

  template <class Address>
  static F from(const Address& address, size_t place) {
    return L::gather([&](int lane) { return static_cast<const void*>(address(lane) + place); });
  }
  /** p + or - an entry of each lane: Y + X, Y - X, 2 d T, and 2 Z where it is not 2. */
  template <class Address>
  static Point plusEntry(const Point& p, const Address& address, unsigned minus, bool isAffine, bool needsT) {
    const auto mask = S::maskOf(minus);
    const F sum = from(address, 0), difference = from(address, 1), t2d = S::carry(L::negateIf(mask, from(address, 2)));
    const F z2 = isAffine ? S::plus(p.z, p.z) : L::mul(p.z, from(address, 3));
    return sumOf(p, L::select(mask, difference, sum), L::select(mask, sum, difference), t2d, z2, needsT);
  }

  F plain(const Equation* const* equations, Words Equation::*part) const {
    static constexpr Words r2 = powerOfTwo(520, ScalarModulus::value);
    const F words = L::gather([&](int lane) { return static_cast<const void*>(&(equations[lane]->*part)); });
    return L::mul(words, L::splatWords(r2));
  }

  void keep(size_t entry, const F& sum, const F& difference, const F& t2d, const F& z2) {
    const F parts[4] = {sum, difference, t2d, z2};
    for (int part = 0; part < 4; part++)
      L::scatter([&](int lane) { return static_cast<void*>(&multiples[entry][lane][part]); }, parts[part]);
  }

  /** Digits of `bits` bits, at most half of their base either way, from the lowest on. @returns how many there are */
  static size_t digitsOf(const Words& value, int bits, signed char* digits, size_t max) {
    int carry = 0;
    size_t count = 0;
    for (size_t i = 0; i < max; i++) {
      const size_t bit = i * static_cast<size_t>(bits);
      int digit = carry + (bit < 256 ? static_cast<int>(value.w[bit / 64] >> (bit % 64) & ((1u << bits) - 1)) : 0);
      carry = digit > 1 << (bits - 1);
      digit -= carry << bits;
      digits[i] = static_cast<signed char>(digit);
      if (digit != 0) count = i + 1;
    }
    return count;
  }

  /** -u A */
  Point timesKey(const Equation* const* equations) {
    const F x = L::mul(plain(equations, &Equation::keyX), scale), y = plain(equations, &Equation::keyY);
    Point multiple{x, y, one, L::mul(x, y)};
    keep(0, one, one, L::zero(), S::plus(one, one));
    for (size_t entry = 1;; entry++) {
      const F sum = S::plus(multiple.y, multiple.x), difference = L::sub(multiple.y, multiple.x);
      keep(entry, sum, difference, L::mul(multiple.t, d2), S::plus(multiple.z, multiple.z));
      if (entry + 1 == keyEntries) break;
      multiple = plusEntry(multiple, [&](int lane) { return multiples[1][lane]; }, 0, false, true);
    }
    signed char digits[8][maxDigits];
    size_t count = 0;
    for (int lane = 0; lane < 8; lane++) {
      const size_t ofLane = digitsOf(equations[lane]->factor, 4, digits[lane], maxDigits);
      if (ofLane > count) count = ofLane;
    }
    Point sum{L::zero(), one, one, L::zero()};
    for (size_t i = count; i-- > 0;) {
      if (i + 1 < count)
        for (int bit = 0; bit < 4; bit++) sum = twice(sum, bit == 3);
      unsigned minus = 0;
      for (int lane = 0; lane < 8; lane++) minus |= static_cast<unsigned>(digits[lane][i] > 0) << lane;
      const auto entry = [&](int lane) { return multiples[digits[lane][i] < 0 ? -digits[lane][i] : digits[lane][i]][lane]; };
      sum = plusEntry(sum, entry, minus, false, i == 0);
    }
    return sum;
  }

  void addBase(Point& sum, const Equation* const* equations) const {
    // A digit of 128 is -128 here, and is taken for its negative below.
    signed char digits[8][baseWindows];
    for (int lane = 0; lane < 8; lane++) digitsOf(equations[lane]->s, 8, digits[lane], baseWindows);
    for (size_t window = 0; window < baseWindows; window++) {
      unsigned minus = 0;
      const Words* entries[8];
      for (int lane = 0; lane < 8; lane++) {
        const int digit = digits[lane][window];
        const bool isMinus = digit < 0 && digit != -128;
        const size_t size = static_cast<size_t>(digit < 0 ? -digit : digit);
        minus |= static_cast<unsigned>(isMinus) << lane;
        entries[lane] = curve.base.data() + 3 * (size == 0 ? baseWindows * baseEntries : window * baseEntries + size - 1);
      }
      sum = plusEntry(sum, [&](int lane) { return entries[lane]; }, minus, true, window + 1 < baseWindows);
    }
  }

  auto holds(const Equation* const* equations) {
    Point sum = timesKey(equations);
    addBase(sum, equations);
    const F x = L::mul(L::mul(plain(equations, &Equation::r8X), scale), sum.z), y = L::mul(plain(equations, &Equation::r8Y), sum.z);
    return L::isEqual(L::canonical(sum.x), L::canonical(x)) & L::isEqual(L::canonical(sum.y), L::canonical(y));
  }

  static void all(const LaneCurve& curve, const Equation* in, bool* out, size_t count) {
    [[maybe_unused]] const typename S::Scope scope;
    LaneCheck check(curve);
    for (size_t first = 0; first < count; first += 8) {
      const Equation* equations[8];
      for (size_t lane = 0; lane < 8; lane++) equations[lane] = in + (first + lane < count ? first + lane : count - 1);
      const unsigned held = S::bitsOf(check.holds(equations));
      for (size_t lane = 0; lane < 8 && first + lane < count; lane++) out[first + lane] = held >> lane & 1;
    }
  }
};

}  // namespace
