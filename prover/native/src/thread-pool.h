// Threads that share out numbered tasks; the calling thread works too.
#pragma once
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

class ThreadPool {
 public:
  explicit ThreadPool(unsigned threadCount) {
    for (unsigned i = 1; i < threadCount; i++) {
      threads_.emplace_back([this, i] {
        workerIndex() = i;
        wait();
      });
    }
  }
  size_t threadCount() const { return threads_.size() + 1; }
  /** Of the thread that asks: 0 for one that called run, and below threadCount. */
  static unsigned& workerIndex() {
    static thread_local unsigned index = 0;
    return index;
  }
  ~ThreadPool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      isClosing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /** body(0) ... body(count - 1), in this order of start. Rethrows the first exception after all have ended. */
  void run(size_t count, const std::function<void(size_t)>& body) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      count_ = count;
      next_ = 0;
      failure_ = nullptr;
      working_ = threads_.size();
      round_++;
    }
    wake_.notify_all();
    work();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return working_ == 0; });
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    for (size_t i = next_++; i < count_; i = next_++) {
      try {
        (*body_)(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (failure_ == nullptr) failure_ = std::current_exception();
        next_ = count_;
      }
    }
  }

  void wait() {
    for (unsigned seen = 0;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return isClosing_ || round_ != seen; });
        if (isClosing_) return;
        seen = round_;
      }
      work();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--working_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(size_t)>* body_ = nullptr;
  std::atomic<size_t> next_{0};
  size_t count_ = 0, working_ = 0;
  unsigned round_ = 0;
  bool isClosing_ = false;
  std::exception_ptr failure_;
};
