// Prints the kernels that this processor can run, a line each: native/build.js builds the fastest of them.
#include <cstdio>

#include "../src/kernels/processor.h"

int main() {
  for (const char* name : processor::kernelNames()) std::puts(name);
}
