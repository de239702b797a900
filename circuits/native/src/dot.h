// Sums of products in BN254's scalar field, reduced once for the whole sum.
#pragma once
#include "../../../prover/native/src/field.h"

/** Terms that a sum may have: so many products of elements stay below 2^512, and their reduction below 5 moduli. */
constexpr size_t maxTerms = 17;

/** The sum, 512 bits. */
struct Wide {
  u64 t[8];
};

#ifdef PROVER_HAS_ADX
// t[i] to t[i + 4] += rdx times the four words at `from`; both carries go on in %[hi] = 0 chains behind it.
#define DOT_ROW(from, t0, t1, t2, t3, t4)                                                    \
  "xorl %%eax, %%eax\n"                                                                      \
  "mulxq 0(%[" from "]), %%rax, %[hi]\n adcxq %%rax, %[" t0 "]\n adoxq %[hi], %[" t1 "]\n"   \
  "mulxq 8(%[" from "]), %%rax, %[hi]\n adcxq %%rax, %[" t1 "]\n adoxq %[hi], %[" t2 "]\n"   \
  "mulxq 16(%[" from "]), %%rax, %[hi]\n adcxq %%rax, %[" t2 "]\n adoxq %[hi], %[" t3 "]\n"  \
  "mulxq 24(%[" from "]), %%rax, %[hi]\n adcxq %%rax, %[" t3 "]\n adoxq %[hi], %[" t4 "]\n"  \
  "movl $0, %%eax\n adcxq %%rax, %[" t4 "]\n"
#define DOT_CARRY(t) "adoxq %%rax, %[" t "]\n adcxq %%rax, %[" t "]\n"
#define DOT_ROWS(from, first, second, third, fourth)                                     \
  first DOT_ROW(from, "t0", "t1", "t2", "t3", "t4") DOT_CARRY("t5") DOT_CARRY("t6") DOT_CARRY("t7")    \
  second DOT_ROW(from, "t1", "t2", "t3", "t4", "t5") DOT_CARRY("t6") DOT_CARRY("t7")                   \
  third DOT_ROW(from, "t2", "t3", "t4", "t5", "t6") DOT_CARRY("t7")                                    \
  fourth DOT_ROW(from, "t3", "t4", "t5", "t6", "t7")
#define DOT_SUM(sum)                                                                          \
  [t0] "+r"(sum.t[0]), [t1] "+r"(sum.t[1]), [t2] "+r"(sum.t[2]), [t3] "+r"(sum.t[3]), [t4] "+r"(sum.t[4]), \
      [t5] "+r"(sum.t[5]), [t6] "+r"(sum.t[6]), [t7] "+r"(sum.t[7])

inline void addProductAdx(Wide& sum, const Words& a, const Words& b) {
  u64 hi;
  asm(DOT_ROWS("b", "movq 0(%[a]), %%rdx\n", "movq 8(%[a]), %%rdx\n", "movq 16(%[a]), %%rdx\n", "movq 24(%[a]), %%rdx\n")
      : DOT_SUM(sum), [hi] "=&r"(hi)
      : [a] "r"(&a), [b] "r"(&b), "m"(a), "m"(b)
      : "rax", "rdx", "cc");
}

/** Adds multiples of the modulus that clear the low half. */
inline void clearLowAdx(Wide& sum) {
  u64 hi;
  asm(DOT_ROWS("m", "movq %[t0], %%rdx\n imulq %[inverse], %%rdx\n", "movq %[t1], %%rdx\n imulq %[inverse], %%rdx\n",
               "movq %[t2], %%rdx\n imulq %[inverse], %%rdx\n", "movq %[t3], %%rdx\n imulq %[inverse], %%rdx\n")
      : DOT_SUM(sum), [hi] "=&r"(hi)
      : [m] "r"(&Fr::modulus), [inverse] "r"(Fr::inverse64), "m"(Fr::modulus)
      : "rax", "rdx", "cc");
}
#undef DOT_ROW
#undef DOT_CARRY
#undef DOT_ROWS
#undef DOT_SUM
#endif

/** sum += factor times `from`, `place` words up. */
inline void addRow(Wide& sum, int place, u64 factor, const Words& from) {
  u64 carry = 0;
  for (int j = 0; j < 4; j++) {
    const u128 s = static_cast<u128>(factor) * from.w[j] + sum.t[place + j] + carry;
    sum.t[place + j] = static_cast<u64>(s), carry = static_cast<u64>(s >> 64);
  }
  for (int j = place + 4; j < 8; j++) {
    const u128 s = static_cast<u128>(sum.t[j]) + carry;
    sum.t[j] = static_cast<u64>(s), carry = static_cast<u64>(s >> 64);
  }
}

/** k times the modulus. */
constexpr Words multipleOfModulus(int k) {
  Words out{};
  for (int i = 0; i < k; i++) {
    u64 carry = 0;
    for (int j = 0; j < 4; j++) {
      const u128 s = static_cast<u128>(out.w[j]) + ScalarModulus::value.w[j] + carry;
      out.w[j] = static_cast<u64>(s), carry = static_cast<u64>(s >> 64);
    }
  }
  return out;
}
constexpr Words multiples[6] = {multipleOfModulus(0), multipleOfModulus(1), multipleOfModulus(2),
                                multipleOfModulus(3), multipleOfModulus(4), multipleOfModulus(5)};

/** `high`, below five moduli, to below the modulus and 2^192. Its top word tells how many surely fit. */
inline Words belowModulus(const Words& high) {
  int k = 0;
  for (int i = 1; i < 6; i++) k += high.w[3] > multiples[i].w[3];
  Words out;
  bool borrow = false;
  for (int i = 0; i < 4; i++) out.w[i] = subtractBorrow(high.w[i], multiples[k].w[i], borrow);
  return out;
}

/** (first 2^256 + the sum of a[i] b[i]) / 2^256 with at most `maxTerms` products; all below the modulus and 2^192. */
inline Words dot(const Words& first, const Words* a, const Words* b, size_t count) {
  Wide sum{{0, 0, 0, 0, first.w[0], first.w[1], first.w[2], first.w[3]}};
#ifdef PROVER_HAS_ADX
  if (hasAdx) {
    for (size_t i = 0; i < count; i++) addProductAdx(sum, a[i], b[i]);
    clearLowAdx(sum);
    return belowModulus({{sum.t[4], sum.t[5], sum.t[6], sum.t[7]}});
  }
#endif
  for (size_t i = 0; i < count; i++)
    for (int row = 0; row < 4; row++) addRow(sum, row, a[i].w[row], b[i]);
  for (int row = 0; row < 4; row++) addRow(sum, row, sum.t[row] * Fr::inverse64, Fr::modulus);
  return belowModulus({{sum.t[4], sum.t[5], sum.t[6], sum.t[7]}});
}
