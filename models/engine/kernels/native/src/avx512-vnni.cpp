// The same for processors that also add four products of bytes to a sum at once (VNNI).
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c")
#define KERNELS_NAME "avx512-vnni"
// Spreads x on the way. The compiler would do it by a further instruction, and have products wait for the next block's.
#define ADD_FOURS(sums, a, x) __asm__ volatile("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(a), "m"(x))
#define ADD_PAIRS(sums, a, b) (Sums)__builtin_ia32_vpdpwssd_v16si((SignedSums)(sums), (SignedSums)(a), (SignedSums)(b))
#include "avx512-lanes.h"

const KernelTable& avx512VnniKernels() { return table; }
