// Which kernels this processor can run: one rule for the builder, which leaves others out, and for the addons, which choose among those
// that they have.
#pragma once
#include <vector>

namespace processor {

#if defined(__x86_64__) && defined(__GNUC__)
/** AVX2 with what every processor that has it brings. */
inline bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c");
}
inline bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw");
}
inline bool hasVnni() { return hasAvx512() && __builtin_cpu_supports("avx512vnni"); }
inline bool hasIfma() { return hasAvx512() && __builtin_cpu_supports("avx512ifma"); }
#else
inline bool hasAvx2() { return false; }
inline bool hasAvx512() { return false; }
inline bool hasVnni() { return false; }
inline bool hasIfma() { return false; }
#endif

/** Names of kernels as native/build.js has them. */
inline std::vector<const char*> kernelNames() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
#endif
  std::vector<const char*> out;
  if (hasIfma()) out.push_back("ifma");
  if (hasVnni()) out.push_back("avx512-vnni");
  if (hasAvx512()) out.push_back("avx512");
  if (hasAvx2()) out.push_back("avx2");
  return out;
}

}  // namespace processor
