// A chunk store whose calls are counted with those of other engines, and fail like them. `faulty_store` is the one that watches
// over how commits that fail are handled.
#pragma once

#include "tests/support/failing_calls.hpp"

namespace segue {

class faulty_chunks final : public chunk_store {
public:
  faulty_chunks(std::shared_ptr<chunk_store> engine, std::shared_ptr<failing_calls> calls)
      : engine_(std::move(engine)), calls_(std::move(calls)) {}

  std::vector<write_outcome> commit(std::span<const stream_write> writes) override {
    return calls_->make([&] { return engine_->commit(writes); });
  }
  std::optional<stream_row> load_row(const std::string& path) override {
    return calls_->make([&] { return engine_->load_row(path); });
  }
  std::optional<stream_row> load_row(stream_id id) override {
    return calls_->make([&] { return engine_->load_row(id); });
  }
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override {
    return calls_->make([&] { return engine_->load_chunks(id, after, limit); });
  }
  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override {
    return calls_->make([&] { return engine_->load_expiring(above, limit); });
  }
  void reopen() override {
    calls_->make([&] { engine_->reopen(); });
  }

private:
  std::shared_ptr<chunk_store> engine_;
  std::shared_ptr<failing_calls> calls_;
};

} // namespace segue
