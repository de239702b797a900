// The kernels for processors with AVX-512F. No other header: its inline functions would be compiled for these too.
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c")
#define LANES 16
#define TILE_ROWS 14
#define KERNELS_NAME "avx512"
#define FUSED(a, b, c) __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4)
#define BYTE_PAIRS(a, b) __builtin_ia32_pmaddubsw512_mask(a, b, Shorts{}, -1)
#define PAIRS(a, b) __builtin_ia32_pmaddwd512_mask(a, b, SignedSums{}, -1)
#include "lane-kernels.h"

const KernelTable& avx512Kernels() { return table; }
