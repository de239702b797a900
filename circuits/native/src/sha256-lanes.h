// HMAC-SHA-256 of eight messages at once (FIPS 180-4, RFC 2104), and the nonces that RFC 6979 makes by it. To be included where the
// lanes' instructions are allowed. No branch and no address depends on what is hashed.
#pragma once
#include "../../../prover/native/src/modulus.h"

namespace sha256 {

/** A word of each lane. */
typedef u32 Word __attribute__((vector_size(32)));
inline Word splat(u32 a) { return Word{} + a; }
inline Word turn(Word x, int by) { return x >> by | x << (32 - by); }

struct Hash {
  Word h[8];
};

inline Hash begin() {
  static constexpr u32 first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  Hash out;
  for (int i = 0; i < 8; i++) out.h[i] = splat(first[i]);
  return out;
}

inline void absorb(Hash& hash, const Word* block) {
  static constexpr u32 constants[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
      0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
      0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
      0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
      0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
      0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
  Word w[16], s[8];
  for (int i = 0; i < 16; i++) w[i] = block[i];
  for (int i = 0; i < 8; i++) s[i] = hash.h[i];
#pragma GCC unroll 64
  for (int i = 0; i < 64; i++) {
    Word& next = w[i % 16];
    if (i >= 16) {
      const Word early = w[(i + 1) % 16], late = w[(i + 14) % 16];
      next += (turn(early, 7) ^ turn(early, 18) ^ early >> 3) + w[(i + 9) % 16] + (turn(late, 17) ^ turn(late, 19) ^ late >> 10);
    }
    const Word chosen = s[6] ^ (s[4] & (s[5] ^ s[6])), most = (s[0] & s[1]) | (s[2] & (s[0] | s[1]));
    const Word sum = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + chosen + constants[i] + next;
    const Word first = sum + (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + most;
    for (int j = 7; j > 0; j--) s[j] = s[j - 1];
    s[4] += sum, s[0] = first;
  }
  for (int i = 0; i < 8; i++) hash.h[i] += s[i];
}

/** @param message whole blocks: with its padding, for a block before it */
inline void hmac(const Word* key, const Word* message, int blocks, Word* out) {
  const auto keyed = [&](u32 pad) {
    Word block[16];
    for (int i = 0; i < 16; i++) block[i] = splat(pad) ^ (i < 8 ? key[i] : Word{});
    Hash hash = begin();
    absorb(hash, block);
    return hash;
  };
  Hash inner = keyed(0x36363636), outer = keyed(0x5c5c5c5c);
  for (int i = 0; i < blocks; i++) absorb(inner, message + 16 * i);
  Word block[16] = {};
  for (int i = 0; i < 8; i++) block[i] = inner.h[i];
  block[8] = splat(0x80000000), block[15] = splat(8 * 96);
  absorb(outer, block);
  for (int i = 0; i < 8; i++) out[i] = outer.h[i];
}

/** RFC 6979, 3.2: the first candidate of each lane, most significant word first. @param secret the same in all lanes */
inline void nonces(const u32* secret, const Word* digest, Word* out) {
  Word key[8] = {}, value[16] = {};
  for (int i = 0; i < 8; i++) value[i] = splat(0x01010101);
  value[8] = splat(0x80000000), value[15] = splat(8 * 96);
  for (u32 round = 0; round < 2; round++) {
    // The value, the round as a byte, the secret and the digest: 97 bytes.
    Word message[32] = {}, before = splat(round);
    for (int i = 0; i < 24; i++) {
      const Word word = i < 8 ? value[i] : i < 16 ? splat(secret[i - 8]) : digest[i - 16];
      message[i] = i < 8 ? word : before << 24 | word >> 8;
      if (i >= 8) before = word;
    }
    message[24] = before << 24 | 0x800000u, message[31] = splat(8 * 161);
    hmac(key, message, 2, key);
    hmac(key, value, 1, value);
  }
  hmac(key, value, 1, out);
}

}  // namespace sha256
