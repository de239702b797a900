// The kernels for processors with AVX2 and FMA.
#pragma GCC target("avx2,fma,f16c")
#define LANES 8
#define TILE_ROWS 6
#define KERNELS_NAME "avx2"
#define FUSED(a, b, c) __builtin_ia32_vfmaddps256(a, b, c)
#define BYTE_PAIRS(a, b) __builtin_ia32_pmaddubsw256(a, b)
#define PAIRS(a, b) __builtin_ia32_pmaddwd256(a, b)
#include "lane-kernels.h"

const KernelTable& avx2Kernels() { return table; }
