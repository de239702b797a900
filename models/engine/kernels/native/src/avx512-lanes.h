// What both sets for AVX-512 are made of. Without vpdpbusd, products of bytes are added in two steps.
#define LANES 16
#define TILE_ROWS 14
#define FUSED(a, b, c) __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4)
#define BYTE_PAIRS(a, b) __builtin_ia32_pmaddubsw512_mask(a, b, Shorts{}, -1)
#define PAIRS(a, b) __builtin_ia32_pmaddwd512_mask(a, b, SignedSums{}, -1)
#include "lane-kernels.h"
