// The same for processors that also add four products of bytes to a sum at once (VNNI).
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c")
#define KERNELS_NAME "avx512-vnni"
#define ADD_FOURS(sums, a, b) (Sums)__builtin_ia32_vpdpbusd_v16si((SignedSums)(sums), (SignedSums)(a), (SignedSums)(b))
#define ADD_PAIRS(sums, a, b) (Sums)__builtin_ia32_vpdpwssd_v16si((SignedSums)(sums), (SignedSums)(a), (SignedSums)(b))
#include "avx512-lanes.h"

const KernelTable& avx512VnniKernels() { return table; }
