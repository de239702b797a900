// The lanes that are linked and that this processor can run. native/build.js says which are left out.
#include "../../src/kernels/processor.h"
#include "program.h"

steps::RunLanes steps::availableLanes() {
#ifndef WITHOUT_IFMA
  if (processor::hasIfma()) return ifmaSteps();
#endif
  return nullptr;
}
