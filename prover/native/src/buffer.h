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
  /**
   * Uninitialised, aligned to 64 bytes; large ones to 2 MiB, so that huge pages can back them. Large ones are the system's
   * own on Linux: freed, they are gone at once, where the C library would keep them for itself.
   */
  explicit Buffer(size_t byteCount) : size_(byteCount) {
#if defined(__linux__)
    if (byteCount >= hugePage) {
      const size_t length = wholePages(byteCount), reserved = length + hugePage;
      void* const mapped = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapped == MAP_FAILED) throw std::bad_alloc();
      char* const start = static_cast<char*>(mapped);
      char* const aligned = start + (hugePage - reinterpret_cast<uintptr_t>(start) % hugePage) % hugePage;
      if (aligned > start) munmap(start, static_cast<size_t>(aligned - start));
      const size_t behind = static_cast<size_t>(start + reserved - (aligned + length));
      if (behind > 0) munmap(aligned + length, behind);
      madvise(aligned, length, MADV_HUGEPAGE);
      data_ = aligned;
      return;
    }
#endif
    const size_t alignment = byteCount >= hugePage ? hugePage : 64;
    data_ = std::aligned_alloc(alignment, (byteCount + alignment - 1) / alignment * alignment + (byteCount == 0 ? alignment : 0));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  Buffer(Buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~Buffer() {
#if defined(__linux__)
    if (size_ >= hugePage) {
      munmap(data_, wholePages(size_));
      return;
    }
#endif
    std::free(data_);
  }

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
  static constexpr size_t wholePages(size_t byteCount) { return (byteCount + hugePage - 1) / hugePage * hugePage; }
  void* data_ = nullptr;
  size_t size_ = 0;
};
