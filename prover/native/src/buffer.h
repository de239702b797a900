// Aligned memory that frees itself.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

class Buffer {
 public:
  Buffer() = default;
  /** Uninitialised, aligned to 64 bytes; large ones to 2 MiB, so that huge pages can back them. */
  explicit Buffer(size_t byteCount) : size_(byteCount) {
    const size_t alignment = byteCount >= hugePage ? hugePage : 64;
    data_ = std::aligned_alloc(alignment, (byteCount + alignment - 1) / alignment * alignment + (byteCount == 0 ? alignment : 0));
    if (data_ == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (byteCount >= hugePage) madvise(data_, byteCount, MADV_HUGEPAGE);
#endif
  }
  Buffer(Buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t size() const { return size_; }
  /** Room for at least this much; the contents are lost when it grows. */
  void reserve(size_t byteCount) {
    if (byteCount > size_) *this = Buffer(byteCount);
  }

 private:
  static constexpr size_t hugePage = size_t{2} << 20;
  void* data_ = nullptr;
  size_t size_ = 0;
};
