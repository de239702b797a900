// ECDSA over secp256k1 (SEC 2) of eight digests at once, with RFC 6979's nonces and the low s. To be included where the lanes'
// instructions are allowed. No branch and no address depends on the secret, a nonce or what is made of them.
//
// 2^260 > 15.9 m for both moduli: a sum of products of s m and t m comes out below (1 + the sum of s t / 15.9) m.
#pragma once
#include "lanes.h"
#include "sha256-lanes.h"

namespace {

struct Secp256k1Modulus {
  static constexpr Words value{{0xfffffffefffffc2f, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff}};
};
struct Secp256k1Order {
  static constexpr Words value{{0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
};

/** m less a small number. */
constexpr Words below(Words m, u64 by) {
  m.w[0] -= by;
  return m;
}

struct LaneSigner {
  using P = ifma::Lanes<Secp256k1Modulus>;
  using N = ifma::Lanes<Secp256k1Order>;
  /** Projective: the affine point is x / z, y / z. */
  struct Point {
    F5 x, y, z;
  };

  static F5 sum(const F5& a, const F5& b) { return ifma::carry(ifma::addLazy(a, b)); }
  /** a b + c d */
  static F5 products(const F5& a, const F5& b, const F5& c, const F5& d) {
    ifma::Wide w = ifma::wideZero();
    ifma::multiplyInto(w, a, b);
    ifma::multiplyInto(w, c, d);
    return P::reduce(w);
  }

  /** p + (x, y) for every p, by Renes, Costello, Batina 2015, algorithm 8. @param p below 3 m, @param x below m, @param y below 2 m */
  static __attribute__((noinline)) Point plus(const Point& p, const F5& x, const F5& y) {
    // 21 in Montgomery form: 2^260 = 16 (2^32 + 977) modulo m.
    const F5 b3 = P::splatWords(Words{{21 * 16 * 0x1000003d1, 0, 0, 0}});
    const F5 xx = P::mul(p.x, x), yy = P::mul(p.y, y), zz = P::mul(b3, p.z);
    const F5 xy = products(p.x, y, p.y, x), yz = sum(P::mul(y, p.z), p.y), xz = P::mul(b3, sum(P::mul(x, p.z), p.x));
    const F5 less = P::sub(yy, zz), more = sum(yy, zz), triple = P::triple(xx);
    // Below 1.9 m, 1.9 m and 2.1 m.
    return {products(xy, less, yz, P::sub(P::zero(), xz)), products(less, more, xz, triple), products(more, yz, triple, xy)};
  }

  /** k times the base point, by 64 digits of -15 to 15, all odd. @param k below the order */
  static Point timesBase(const Ecdsa& signer, const F5& k) {
    // The bits of h = (k + 2^256 - 1) / 2, each taken for 1 or -1, make 2 h - (2^256 - 1) = k.
    static constexpr Words ones = below(powerOfTwo(256, Secp256k1Order::value), 1), half = powerOfTwo(259, Secp256k1Order::value);
    const F5 bits = N::canonical(N::mul(sum(k, N::splatWords(ones)), N::splatWords(half)));
    Point out{P::zero(), P::one(), P::zero()};
    const Limbs* entry = signer.multiples.data();
    for (int window = 0; window < 64; window++) {
      const V digit = _mm512_srli_epi64(bits.l[window / 13], static_cast<unsigned>(4 * (window % 13)));
      const __mmask8 minus = _mm512_testn_epi64_mask(digit, ifma::splat(8));
      const V place = _mm512_and_si512(_mm512_mask_xor_epi64(digit, minus, digit, ifma::splat(7)), ifma::splat(7));
      // All entries are read, whichever it is.
      F5 x, y;
      for (u64 i = 0; i < ecdsaEntries; i++, entry += 2) {
        const __mmask8 isIt = _mm512_cmpeq_epi64_mask(place, ifma::splat(i));
        for (int j = 0; j < 5; j++) {
          x.l[j] = i == 0 ? ifma::splat(entry[0].l[j]) : _mm512_mask_mov_epi64(x.l[j], isIt, ifma::splat(entry[0].l[j]));
          y.l[j] = i == 0 ? ifma::splat(entry[1].l[j]) : _mm512_mask_mov_epi64(y.l[j], isIt, ifma::splat(entry[1].l[j]));
        }
      }
      out = plus(out, x, ifma::carry(P::negateIf(minus, y)));
    }
    return out;
  }

  /** Both to the power of their modulus less 2, side by side: neither waits for its own last step. */
  static void invert(F5& ofModulus, F5& ofOrder) {
    static constexpr Words a = below(Secp256k1Modulus::value, 2), b = below(Secp256k1Order::value, 2);
    F5 first[16] = {P::one(), ofModulus}, second[16] = {N::one(), ofOrder};
    for (int i = 2; i < 16; i++) first[i] = P::mul(first[i - 1], ofModulus), second[i] = N::mul(second[i - 1], ofOrder);
    ofModulus = first[15], ofOrder = second[15];
    for (int digit = 62; digit >= 0; digit--) {
      for (int i = 0; i < 4; i++) ofModulus = P::sqr(ofModulus), ofOrder = N::sqr(ofOrder);
      ofModulus = P::mul(ofModulus, first[a.w[digit / 16] >> (4 * (digit % 16)) & 15]);
      ofOrder = N::mul(ofOrder, second[b.w[digit / 16] >> (4 * (digit % 16)) & 15]);
    }
  }

  static F5 gather(const Words* words) {
    return P::gather([&](int lane) { return static_cast<const void*>(words + lane); });
  }
  static void scatter(const F5& a, Words* words) {
    P::scatter([&](int lane) { return static_cast<void*>(words + lane); }, a);
  }
  /** Whether it is in [1, n). @param a below 4 n */
  static __mmask8 isScalar(const F5& a) { return N::isEqual(N::canonical(a), a) & static_cast<__mmask8>(~N::isZero(a)); }

  /** @param digests of eight lanes, @param r, s, isOdd of each. @returns which lanes have a signature */
  static unsigned eight(const Ecdsa& signer, const Words* digests, Words* r, Words* s, unsigned& isOdd) {
    alignas(32) u32 words[8][8];
    sha256::Word digest[8], nonce[8];
    for (int i = 0; i < 8; i++)
      for (int lane = 0; lane < 8; lane++)
        digest[i][lane] = static_cast<u32>(digests[lane].w[3 - i / 2] >> (i % 2 == 0 ? 32 : 0));
    sha256::nonces(signer.secretWords, digest, nonce);
    std::memcpy(words, nonce, sizeof words);
    Words k[8];
    for (int lane = 0; lane < 8; lane++)
      for (int i = 0; i < 4; i++) k[lane].w[i] = words[7 - 2 * i][lane] | static_cast<u64>(words[6 - 2 * i][lane]) << 32;
    const F5 plainK = gather(k), unit = P::splatWords(Words{{1, 0, 0, 0}});
    static constexpr Words squareOfOrder = powerOfTwo(520, Secp256k1Order::value);
    const Point point = timesBase(signer, plainK);
    F5 overZ = point.z, overK = N::mul(plainK, N::splatWords(squareOfOrder));
    invert(overZ, overK);
    const F5 x = P::canonical(P::mul(P::mul(point.x, overZ), unit)), y = P::canonical(P::mul(P::mul(point.y, overZ), unit));
    // s = (z + r d) / k
    const F5 secret = N::mul(N::splatWords(signer.secret), N::splatWords(squareOfOrder)), t = sum(gather(digests), N::mul(x, secret));
    const F5 first = N::canonical(N::mul(t, overK));
    F5 other = ifma::carry(ifma::subLazy(N::splatWords(Secp256k1Order::value), first));
    const __mmask8 isHigh = _mm512_movepi64_mask(ifma::carry(ifma::subLazy(other, first)).l[4]);
    scatter(x, r);
    scatter(N::select(isHigh, other, first), s);
    isOdd = _mm512_test_epi64_mask(y.l[0], ifma::splat(1)) ^ isHigh;
    return isScalar(plainK) & isScalar(x) & static_cast<__mmask8>(~N::isZero(first));
  }

  /** Of what was called before, no nonce and no secret stays in registers, nor on the stack: it had 21 of these 32 KiB. */
  static __attribute__((noipa)) void wipe() {
    // First these: where memset is linked at its first call, the linker saves them to the stack.
    asm volatile("vzeroall\n\t.irp i,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\tvpxorq %zmm\\i,%zmm\\i,%zmm\\i\n\t.endr");
    unsigned char stack[1 << 15];
    std::memset(stack, 0, sizeof stack);
    asm volatile("" : : "r"(stack) : "memory");
  }

  /** @returns whether all have a signature: nobody has ever met a digest that has none */
  static bool all(const Ecdsa& signer, const Words* digests, RecoverableSignature* out, size_t count) {
    bool isWhole = true;
    for (size_t from = 0; from < count; from += 8) {
      Words own[8], r[8], s[8];
      unsigned isOdd;
      for (size_t lane = 0; lane < 8; lane++) own[lane] = digests[from + lane < count ? from + lane : count - 1];
      isWhole &= eight(signer, own, r, s, isOdd) == 0xff;
      for (size_t lane = 0; lane < 8 && from + lane < count; lane++) out[from + lane] = {r[lane], s[lane], (isOdd >> lane & 1) != 0};
    }
    wipe();
    return isWhole;
  }
};

}  // namespace
