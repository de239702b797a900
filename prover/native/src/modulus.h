// The two prime fields of bn254 and what follows from their moduli at compile time.
#pragma once
#include <cstdint>

using u32 = uint32_t;
using u64 = uint64_t;
using i64 = int64_t;
using u128 = unsigned __int128;

#if defined(__x86_64__)
// GCC has what is not of vectors in a header of its own; all of immintrin.h costs half a second of each compilation.
#if !defined(__clang__) && __has_include(<x86gprintrin.h>)
#include <x86gprintrin.h>
#else
#include <immintrin.h>
#endif
#endif

/** a + b + carry, and the next carry. */
inline u64 addCarry(u64 a, u64 b, bool& carry) {
#if defined(__x86_64__)
  unsigned long long out;
  carry = _addcarry_u64(carry, a, b, &out);
  return out;
#else
  const u128 t = static_cast<u128>(a) + b + carry;
  carry = (t >> 64) != 0;
  return static_cast<u64>(t);
#endif
}

/** a - b - borrow, and the next borrow. */
inline u64 subtractBorrow(u64 a, u64 b, bool& borrow) {
#if defined(__x86_64__)
  unsigned long long out;
  borrow = _subborrow_u64(borrow, a, b, &out);
  return out;
#else
  const u128 t = static_cast<u128>(a) - b - borrow;
  borrow = (t >> 64) != 0;
  return static_cast<u64>(t);
#endif
}

/** 256 bits, least significant word first. */
struct Words {
  u64 w[4];
};

/** q: coordinates of points. EIP-196. */
struct BaseModulus {
  static constexpr Words value{{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
};
/** r: scalars, witness values. EIP-196. */
struct ScalarModulus {
  static constexpr Words value{{0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};
};

constexpr bool isBelow(const Words& a, const Words& b) {
  for (int i = 3; i >= 0; i--)
    if (a.w[i] != b.w[i]) return a.w[i] < b.w[i];
  return false;
}

constexpr bool isZero(const Words& a) { return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0; }

constexpr Words subtract(const Words& a, const Words& b) {
  Words out{};
  u64 borrow = 0;
  for (int i = 0; i < 4; i++) {
    const u128 t = static_cast<u128>(a.w[i]) - b.w[i] - borrow;
    out.w[i] = static_cast<u64>(t);
    borrow = static_cast<u64>(t >> 64) & 1;
  }
  return out;
}

/** 2a mod m for a < m. */
constexpr Words doubleModulo(const Words& a, const Words& m) {
  Words out{};
  for (int i = 0; i < 4; i++) out.w[i] = a.w[i] << 1 | (i > 0 ? a.w[i - 1] >> 63 : 0);
  return a.w[3] >> 63 == 0 && isBelow(out, m) ? out : subtract(out, m);
}

/** 2^exponent mod m. */
constexpr Words powerOfTwo(int exponent, const Words& m) {
  Words out{{1, 0, 0, 0}};
  for (int i = 0; i < exponent; i++) out = doubleModulo(out, m);
  return out;
}

/** -1/m mod 2^64, by Newton's iteration. */
constexpr u64 negativeInverse(u64 m) {
  u64 x = 1;
  for (int i = 0; i < 6; i++) x *= 2 - m * x;
  return ~x + 1;
}

/** The 52-bit limb of index i. */
constexpr u64 limb52(const Words& a, int i) {
  const int bit = 52 * i, word = bit / 64, shift = bit % 64;
  u64 out = a.w[word] >> shift;
  if (shift > 12 && word < 3) out |= a.w[word + 1] << (64 - shift);
  return out & ((u64{1} << 52) - 1);
}
