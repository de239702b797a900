#include <algorithm>

#include "msm.h"

PointTable::PointTable(const Kernels& kernels, bool isG2, const u64* points, size_t count, size_t firstIndex, ThreadPool& pool)
    : isG2_(isG2), indexOf_(firstIndex + count, none) {
  const size_t pointWords = pointBytes() / 8, half = pointBytes() / 64;
  std::vector<u32> present;
  for (size_t i = 0; i < count; i++) {
    const u64* const p = points + i * pointWords;
    if (std::all_of(p, p + pointWords, [](u64 w) { return w == 0; })) continue;
    indexOf_[firstIndex + i] = static_cast<u32>(present.size());
    present.push_back(static_cast<u32>(i));
  }
  count_ = present.size();
  data_ = Buffer(2 * count_ * pointBytes());

  Words beta = Fp::toMontgomery(isG2 ? glv::betaG2 : glv::betaG1);
  kernels.importBase(&beta, &beta, 1);
  constexpr size_t chunkSize = 1024;
  pool.run((count_ + chunkSize - 1) / chunkSize, [&](size_t part) {
    const size_t from = part * chunkSize, n = std::min(count_ - from, chunkSize);
    std::vector<Words> coordinates(2 * half * n), x(half * n);
    for (size_t i = 0; i < n; i++)
      std::memcpy(&coordinates[2 * half * i], points + present[from + i] * pointWords, pointBytes());
    kernels.importBase(coordinates.data(), coordinates.data(), coordinates.size());
    for (size_t i = 0; i < n; i++) std::copy_n(&coordinates[2 * half * i], half, &x[half * i]);
    kernels.scaleBase(x.data(), beta, x.data(), x.size());
    for (size_t i = 0; i < n; i++) {
      char* const at = data_.as<char>() + 2 * (from + i) * pointBytes();
      std::memcpy(at, &coordinates[2 * half * i], pointBytes());
      std::memcpy(at + pointBytes(), &x[half * i], pointBytes() / 2);
      std::memcpy(at + pointBytes() / 2 * 3, &coordinates[2 * half * i + half], pointBytes() / 2);
    }
  });
}
