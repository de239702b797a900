// Roots of unity of the scalar field.
#pragma once
#include "field.h"

constexpr unsigned twoAdicity = 28;

/**
 * The primitive 2^power-th root that snarkjs' keys use, Montgomery form: 5^((r - 1) / 2^28), squared down.
 * 5 is the least number that is no square mod r.
 */
inline Words rootOfUnity(unsigned power) {
  Words odd = ScalarModulus::value;
  odd.w[0] -= 1;
  for (unsigned i = 0; i < twoAdicity; i++)
    for (int k = 0; k < 4; k++) odd.w[k] = odd.w[k] >> 1 | (k < 3 ? odd.w[k + 1] << 63 : 0);
  Words root = Fr::pow(Fr::toMontgomery(Words{{5, 0, 0, 0}}), odd);
  for (unsigned i = power; i < twoAdicity; i++) root = Fr::sqr(root);
  return root;
}

inline size_t reverseBits(size_t value, unsigned count) {
  size_t out = 0;
  for (unsigned i = 0; i < count; i++) out |= (value >> i & 1) << (count - 1 - i);
  return out;
}
