#pragma once
#include "ifma-field.h"

/** Eight groups of eight elements: element (group, lane) changes place with element (lane, group). */
static inline void transposeTile(const u64* in, u64* out) {
  constexpr size_t group = 40;
  for (size_t limb = 0; limb < 5; limb++) {
    V r[8], s[8];
    for (size_t i = 0; i < 8; i++) r[i] = _mm512_loadu_si512(in + i * group + 8 * limb);
    // Pairs of rows, then quarters, then halves.
    for (int i = 0; i < 8; i += 2) {
      s[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
      s[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
    }
    const V even = ifma::Lanes<ScalarModulus>::evenPairs(), odd = ifma::Lanes<ScalarModulus>::oddPairs();
    for (int i = 0; i < 8; i += 4) {
      for (int k = 0; k < 2; k++) {
        r[i + k] = _mm512_permutex2var_epi64(s[i + k], even, s[i + k + 2]);
        r[i + k + 2] = _mm512_permutex2var_epi64(s[i + k], odd, s[i + k + 2]);
      }
    }
    for (size_t i = 0; i < 4; i++) {
      _mm512_storeu_si512(out + i * group + 8 * limb, _mm512_shuffle_i64x2(r[i], r[i + 4], 0x44));
      _mm512_storeu_si512(out + (i + 4) * group + 8 * limb, _mm512_shuffle_i64x2(r[i], r[i + 4], 0xee));
    }
  }
}
