// The lanes that are linked and that this processor can run. prover/native/build.js says which are left out.
#include "lanes.h"

#include "../../../prover/native/src/kernels/processor.h"

std::vector<const LaneKernels*> allLanes() {
  std::vector<const LaneKernels*> out;
  const auto add = [&](const LaneKernels* kernels) {
    if (kernels != nullptr) out.push_back(kernels);
  };
#ifndef WITHOUT_IFMA
  if (processor::hasIfma()) add(ifmaLanes());
#endif
#ifndef WITHOUT_AVX2
  if (processor::hasAvx2()) add(avx2Lanes());
#endif
  return out;
}
