// The paths that are linked and that this processor can run. native/build.js says which are left out.
#include "kernels.h"
#include "processor.h"

std::vector<const Kernels*> allKernels() {
  std::vector<const Kernels*> out;
  const auto add = [&](const Kernels* kernels) {
    if (kernels != nullptr) out.push_back(kernels);
  };
#ifndef WITHOUT_IFMA
  if (processor::hasIfma()) add(ifmaKernels());
#endif
#ifndef WITHOUT_AVX2
  if (processor::hasAvx2()) add(avx2Kernels());
#endif
  add(&portableKernels());
  return out;
}
