// Keccak-256 as Ethereum takes it (the Keccak team's reference, version 3.0): rate 136 bytes, padding 0x01.
#pragma once
#include <cstring>

#include "../../../prover/native/src/modulus.h"

inline void keccakPermute(u64 (&a)[25]) {
  static constexpr u64 constants[24] = {
      0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
      0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
      0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
      0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
  // The lanes in the order in which rho and pi move them, and how far each turns.
  static constexpr int lanes[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
  static constexpr int turns[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
  const auto turn = [](u64 x, int by) { return x << by | x >> (64 - by); };
  for (const u64 constant : constants) {
    u64 c[5];
    for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int x = 0; x < 5; x++) {
      const u64 d = c[(x + 4) % 5] ^ turn(c[(x + 1) % 5], 1);
      for (int y = 0; y < 25; y += 5) a[x + y] ^= d;
    }
    u64 moved = a[1];
    for (int i = 0; i < 24; i++) {
      const u64 kept = a[lanes[i]];
      a[lanes[i]] = turn(moved, turns[i]);
      moved = kept;
    }
    for (int y = 0; y < 25; y += 5) {
      u64 row[5];
      std::memcpy(row, a + y, sizeof row);
      for (int x = 0; x < 5; x++) a[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
    a[0] ^= constant;
  }
}

/** @param out 32 bytes */
inline void keccak256(const unsigned char* data, size_t size, unsigned char* out) {
  constexpr size_t rate = 136;
  u64 state[25] = {};
  const auto absorb = [&](const unsigned char* block) {
    for (size_t i = 0; i < rate / 8; i++) {
      u64 lane;
      std::memcpy(&lane, block + 8 * i, 8);
      state[i] ^= lane;
    }
    keccakPermute(state);
  };
  for (; size >= rate; data += rate, size -= rate) absorb(data);
  unsigned char last[rate] = {};
  if (size > 0) std::memcpy(last, data, size);
  last[size] = 1;
  last[rate - 1] |= 0x80;
  absorb(last);
  std::memcpy(out, state, 32);
}
