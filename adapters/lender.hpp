// A few things for many threads, such as connections.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace segue {

/// Lends each to one thread at a time.
template <class T>
class lender {
public:
  /// One of them while it is ours.
  class loan {
  public:
    loan(lender& from, std::unique_ptr<T> one) : from_(from), one_(std::move(one)) {}
    ~loan() { from_.add(std::move(one_)); }
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;

    T& operator*() const { return *one_; }
    T* operator->() const { return one_.get(); }

  private:
    lender& from_;
    std::unique_ptr<T> one_;
  };

  void add(std::unique_ptr<T> one) {
    {
      std::lock_guard lock{mutex_};
      free_.push_back(std::move(one));
    }
    freed_.notify_one();
  }

  /// Waits for one to come free; of several it is the one that was used last. Throws what `late` returns when that takes too long.
  template <class Late>
  loan take(std::chrono::milliseconds patience, Late late) {
    std::unique_lock lock{mutex_};
    if (!freed_.wait_for(lock, patience, [this] { return !free_.empty(); }))
      throw late();
    auto one = std::move(free_.back());
    free_.pop_back();
    return {*this, std::move(one)};
  }

private:
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<T>> free_;
};

} // namespace segue
