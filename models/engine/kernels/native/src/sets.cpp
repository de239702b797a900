// The sets that are linked and that this processor can run. prover/native/build.js says which are left out.
#include "sets.h"

#include "../../../../../prover/native/src/kernels/processor.h"

std::vector<const KernelTable*> availableSets() {
  std::vector<const KernelTable*> out;
#ifndef WITHOUT_AVX512_VNNI
  if (processor::hasVnni()) out.push_back(&avx512VnniKernels());
#endif
#ifndef WITHOUT_AVX512
  if (processor::hasAvx512()) out.push_back(&avx512Kernels());
#endif
#ifndef WITHOUT_AVX2
  if (processor::hasAvx2()) out.push_back(&avx2Kernels());
#endif
  return out;
}
