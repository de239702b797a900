// Products of 256-bit words by the x86 instructions MULX, ADCX and ADOX: two carry chains that do not wait for each other.
// GCC and Clang make neither chain of 128-bit integers in C++, and take two and a half times as long.
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#define PROVER_HAS_ADX 1

inline bool findAdx() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("adx") && __builtin_cpu_supports("bmi2");
}
/** Whether this machine has the instructions. */
inline const bool hasAdx = findAdx();

// A word of the quotient: t = (t + q m) / 2^64, where A is what the row above t has carried out.
#define ADX_REDUCE                                                                                 \
  "movq %[t0], %%rdx\n imulq %[inverse], %%rdx\n xorl %%eax, %%eax\n"                              \
  "mulxq 0(%[m]), %%rax, %[C]\n adcxq %[t0], %%rax\n movq %[C], %[t0]\n"                           \
  "adcxq %[t1], %[t0]\n mulxq 8(%[m]), %%rax, %[t1]\n adoxq %%rax, %[t0]\n"                        \
  "adcxq %[t2], %[t1]\n mulxq 16(%[m]), %%rax, %[t2]\n adoxq %%rax, %[t1]\n"                       \
  "adcxq %[t3], %[t2]\n mulxq 24(%[m]), %%rax, %[t3]\n adoxq %%rax, %[t2]\n"                       \
  "movl $0, %%eax\n adcxq %%rax, %[t3]\n adoxq %[A], %[t3]\n"

// t += a[i] b, then a word of the quotient. `offset` is 8 i.
#define ADX_ROW(offset)                                                                            \
  "xorl %%eax, %%eax\n movq " #offset "(%[a]), %%rdx\n"                                            \
  "mulxq 0(%[b]), %%rax, %[A]\n adoxq %%rax, %[t0]\n"                                              \
  "adcxq %[A], %[t1]\n mulxq 8(%[b]), %%rax, %[A]\n adoxq %%rax, %[t1]\n"                          \
  "adcxq %[A], %[t2]\n mulxq 16(%[b]), %%rax, %[A]\n adoxq %%rax, %[t2]\n"                         \
  "adcxq %[A], %[t3]\n mulxq 24(%[b]), %%rax, %[A]\n adoxq %%rax, %[t3]\n"                         \
  "movl $0, %%eax\n adcxq %%rax, %[A]\n adoxq %%rax, %[A]\n" ADX_REDUCE

/**
 * out = a b / 2^256 mod m, at most twice m, for a < 2^256 and b < m; only where `hasAdx`. The modulus has two spare bits, so
 * that no row carries beyond its fifth word (Koc, Acar, Kaliski 1996: CIOS).
 * @param inverse -1/m mod 2^64
 */
inline void adxProduct(const uint64_t (&a)[4], const uint64_t (&b)[4], const uint64_t (&m)[4], uint64_t inverse,
                       uint64_t (&out)[4]) {
  uint64_t t0, t1, t2, t3, A, C;
  asm("xorl %%eax, %%eax\n movq 0(%[a]), %%rdx\n"
      "mulxq 0(%[b]), %[t0], %[t1]\n"
      "mulxq 8(%[b]), %%rax, %[t2]\n adoxq %%rax, %[t1]\n"
      "mulxq 16(%[b]), %%rax, %[t3]\n adoxq %%rax, %[t2]\n"
      "mulxq 24(%[b]), %%rax, %[A]\n adoxq %%rax, %[t3]\n"
      "movl $0, %%eax\n adoxq %%rax, %[A]\n" ADX_REDUCE ADX_ROW(8) ADX_ROW(16) ADX_ROW(24)
      : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [A] "=&r"(A), [C] "=&r"(C)
      : [a] "r"(a), [b] "r"(b), [m] "r"(m), [inverse] "r"(inverse), "m"(a), "m"(b), "m"(m)
      : "rax", "rdx", "cc");
  out[0] = t0, out[1] = t1, out[2] = t2, out[3] = t3;
}

#undef ADX_REDUCE
#undef ADX_ROW
#endif
