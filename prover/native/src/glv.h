// The endomorphism phi(x, y) = (beta x, y) of both groups, and scalars split along it (Gallant, Lambert,
// Vanstone 2001). beta is a cube root of 1 mod q; on the group of order r phi multiplies with the cube root
// of 1 mod r called lambda, on the twist with beta^2 in beta's place. Recomputed in msm.test.ts.
#pragma once
#include "modulus.h"

namespace glv {

// beta of G1, and its square for G2; plain integers.
constexpr Words betaG1{{0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0}};
constexpr Words betaG2{{0xe4bd44e5607cfd48, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029}};

// A reduced basis of the lattice of (k1, k2) with k1 + lambda k2 = 0 mod r: (a1, s) and (s, -b2).
constexpr u128 u128Of(u64 high, u64 low) { return static_cast<u128>(high) << 64 | low; }
constexpr u128 a1 = u128Of(0x6f4d8248eeb859fd, 0x0be4e1541221250b);
constexpr u128 b2 = u128Of(0x6f4d8248eeb859fc, 0x8211bbeb7d4f1128);
constexpr u64 s = 0x89d3256894d213e3;

/** floor(2^320 n / r) for n < r, by long division. */
constexpr Words scaledQuotient(u128 n) {
  const Words& r = ScalarModulus::value;
  Words rest{{static_cast<u64>(n), static_cast<u64>(n >> 64), 0, 0}}, out{};
  for (int i = 0; i < 320; i++) {
    for (int k = 3; k >= 0; k--) rest.w[k] = rest.w[k] << 1 | (k > 0 ? rest.w[k - 1] >> 63 : 0);
    for (int k = 3; k >= 0; k--) out.w[k] = out.w[k] << 1 | (k > 0 ? out.w[k - 1] >> 63 : 0);
    if (!isBelow(rest, r)) {
      rest = subtract(rest, r);
      out.w[0] |= 1;
    }
  }
  return out;
}
constexpr Words g1 = scaledQuotient(b2);
constexpr Words g2 = scaledQuotient(s);

/** round(k g / 2^320), at most 128 bits. */
inline u128 roundedHigh(const Words& k, const Words& g) {
  u64 t[8] = {};
  for (int i = 0; i < 4; i++) {
    u64 carry = 0;
    for (int j = 0; j < 4; j++) {
      const u128 p = static_cast<u128>(k.w[i]) * g.w[j] + t[i + j] + carry;
      t[i + j] = static_cast<u64>(p);
      carry = static_cast<u64>(p >> 64);
    }
    t[i + 4] = carry;
  }
  return u128Of(t[6], t[5]) + (t[4] >> 63);
}

/** Every half has an absolute value below 2^126: half the sum of the basis' coordinates is 2^125.8. */
constexpr unsigned halfBits = 126;

struct Halves {
  /** In two's complement. */
  u128 k1, k2;
};

/** k = k1 + lambda k2 mod r, for k < r. k - r small gives a small negative k1 and k2 = 0. */
inline Halves split(const Words& k) {
  const u128 c1 = roundedHigh(k, g1), c2 = roundedHigh(k, g2);
  return {u128Of(k.w[1], k.w[0]) - c1 * a1 - c2 * s, c2 * b2 - c1 * s};
}

}  // namespace glv
