// Threads that help one caller at a time with parts of a product. Whoever finds them busy works alone, to the same bytes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

class Helpers {
 public:
  /** Runs part(from, to) over 0 … count on up to `threads` threads, the caller's among them. */
  template <class Part>
  void share(long threads, long count, long step, const Part& part) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (threads < 2 || count <= step || !turn.owns_lock()) return part(0, count);
    try {
      for (; started_ < threads - 1; started_++) std::thread([this] { help(); }).detach();
    } catch (const std::system_error&) {
      // The process may have no more threads: those that are there will do.
    }
    run_ = [](const void* what, long from, long to) { (*static_cast<const Part*>(what))(from, to); };
    what_ = &part;
    count_ = count;
    step_ = step;
    maxInside_ = threads - 1;
    next_ = 0;
    inside_ = 0;
    if (asleep_ > 0) {
      std::lock_guard<std::mutex> lock(door_);
      wake_.notify_all();
    }
    work();
    // Nobody enters any more; who is inside ends its part.
    for (long none = 0; !inside_.compare_exchange_weak(none, CLOSED); none = 0) __builtin_ia32_pause();
  }

 private:
  static constexpr long CLOSED = -1;
  /** About 100 µs: what lies between two products of a token. */
  static constexpr int PATIENCE = 4'000;

  void work() {
    for (long from = next_.fetch_add(step_); from < count_; from = next_.fetch_add(step_))
      run_(what_, from, from + step_ < count_ ? from + step_ : count_.load());
  }

  bool isOpen() const { return inside_ >= 0 && next_ < count_; }

  void help() {
    for (;;) {
      for (int i = 0; i < PATIENCE && !isOpen(); i++) __builtin_ia32_pause();
      if (!isOpen()) {
        std::unique_lock<std::mutex> lock(door_);
        asleep_++;
        wake_.wait(lock, [this] { return isOpen(); });
        asleep_--;
      }
      long inside = inside_;
      if (inside < 0 || inside >= maxInside_ || !inside_.compare_exchange_strong(inside, inside + 1)) continue;
      work();
      inside_--;
    }
  }

  std::mutex turn_, door_;
  std::condition_variable wake_;
  long started_ = 0;
  void (*run_)(const void*, long, long) = nullptr;
  const void* what_ = nullptr;
  std::atomic<long> inside_{CLOSED}, next_{0}, count_{0}, step_{1}, maxInside_{0}, asleep_{0};
};
