#include "adapters/background_cache.hpp"

#include "adapters/host.hpp"

namespace segue {

background_cache::background_cache(std::shared_ptr<chunk_cache> engine)
    : engine_(std::move(engine)), thread_([this] { run(); }) {}

background_cache::~background_cache() {
  {
    std::lock_guard lock{mutex_};
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void background_cache::put(stream_id id, std::span<const chunk> records) {
  task x{id, {records.begin(), records.end()}, 0};
  for (const auto& record : records)
    x.bytes += record.bytes.size();
  if (!records.empty())
    add(std::move(x));
}

void background_cache::forget(stream_id id) { add({id, {}, 0}); }

void background_cache::add(task x) {
  {
    std::lock_guard lock{mutex_};
    bool put = !x.records.empty();
    if (put ? bytes_ + x.bytes > most_bytes || waiting_.size() >= most_puts : waiting_.size() >= most_tasks)
      return;
    bytes_ += x.bytes;
    waiting_.push_back(std::move(x));
  }
  changed_.notify_one();
}

void background_cache::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return done_ || !waiting_.empty(); });
    if (done_)
      return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= next.bytes;
    lock.unlock();
    guarded("filling the cache", [&] {
      if (next.records.empty())
        engine_->forget(next.id);
      else
        engine_->put(next.id, next.records);
      return true;
    });
    lock.lock();
  }
}

} // namespace segue
