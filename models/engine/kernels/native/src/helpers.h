// Threads that help one caller at a time with parts of a product. Whoever finds them busy works alone, to the same bytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

class Helpers {
 public:
  static constexpr long MAX_THREADS = 16;

  /**
   * Runs part(from, to) over 0 … count on up to `threads` threads, the caller's among them, by `step` at a time. Each thread has a
   * range of its own, which it takes in order, since memory comes fastest in one stream; then it takes from the ends of the others'.
   */
  template <class Part>
  void share(long threads, long count, long step, const Part& part) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (threads < 2 || count <= step || count > UINT32_MAX || !turn.owns_lock()) return part(0, count);
    threads = std::min(threads, MAX_THREADS);
    try {
      for (; started_ < threads - 1; started_++) std::thread([this, own = started_ + 1] { help(own); }).detach();
    } catch (const std::system_error&) {
      // The process may have no more threads: those that are there will do.
    }
    run_ = [](const void* what, long from, long to) { (*static_cast<const Part*>(what))(from, to); };
    what_ = &part;
    step_ = step;
    const long ranges = std::min(threads, started_ + 1), steps = (count + step - 1) / step;
    for (long i = 0; i < ranges; i++) ranges_[i].left = pack(steps * i / ranges * step, std::min(steps * (i + 1) / ranges * step, count));
    rangeCount_ = ranges;
    const uint64_t turnNumber = (state_ | INSIDE) + 1;
    state_ = turnNumber;
    if (asleep_ > 0) {
      std::lock_guard<std::mutex> lock(door_);
      wake_.notify_all();
    }
    work(0);
    // Nobody enters any more; who is inside ends its part.
    for (uint64_t none = turnNumber; !state_.compare_exchange_weak(none, turnNumber | INSIDE); none = turnNumber) __builtin_ia32_pause();
  }

 private:
  /** A state's lowest bits: how many helpers are inside, or all of them: nobody may enter. Above is the number of the turn. */
  static constexpr uint64_t INSIDE = 255;
  /** About 100 µs: what lies between two products of a token. */
  static constexpr int PATIENCE = 4'000;

  /** What of a range is left: its start, and its end in the upper half. */
  struct alignas(64) Range {
    std::atomic<uint64_t> left{0};
  };

  static uint64_t pack(long from, long to) { return static_cast<uint64_t>(from) | static_cast<uint64_t>(to) << 32; }

  void work(long own) {
    const long step = step_, count = rangeCount_;
    for (long i = 0; i < count; i++) {
      std::atomic<uint64_t>& range = ranges_[(own + i) % count].left;
      for (uint64_t left = range;;) {
        const long from = static_cast<long>(left & 0xffffffff), to = static_cast<long>(left >> 32);
        if (from >= to) break;
        const long cut = i == 0 ? std::min(from + step, to) : std::max(from, (to - 1) / step * step);
        if (!range.compare_exchange_weak(left, i == 0 ? pack(cut, to) : pack(from, cut))) continue;
        run_(what_, i == 0 ? from : cut, i == 0 ? cut : to);
        left = range;
      }
    }
  }

  bool isOpen(uint64_t state, long own, uint64_t done) const { return (state & INSIDE) != INSIDE && state >> 8 != done && own < rangeCount_; }

  void help(long own) {
    for (uint64_t done = 0;;) {
      uint64_t state = state_;
      for (int i = 0; i < PATIENCE && !isOpen(state, own, done); i++, state = state_) __builtin_ia32_pause();
      if (!isOpen(state, own, done)) {
        std::unique_lock<std::mutex> lock(door_);
        asleep_++;
        wake_.wait(lock, [&] { return isOpen(state = state_, own, done); });
        asleep_--;
      }
      if (!state_.compare_exchange_strong(state, state + 1)) continue;
      done = state >> 8;
      work(own);
      state_--;
    }
  }

  std::mutex turn_, door_;
  std::condition_variable wake_;
  long started_ = 0;
  std::atomic<long> asleep_{0};
  /** What helpers wait for has a line of the cache to itself. */
  alignas(64) std::atomic<uint64_t> state_{INSIDE};
  alignas(64) void (*run_)(const void*, long, long) = nullptr;
  const void* what_ = nullptr;
  long step_ = 1;
  std::atomic<long> rangeCount_{0};
  Range ranges_[MAX_THREADS];
};
