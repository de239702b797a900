// The kernels for processors with AVX-512F. No other header: its inline functions would be compiled for these too.
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c")
#define KERNELS_NAME "avx512"
#include "avx512-lanes.h"

const KernelTable& avx512Kernels() { return table; }
