// A chunk store that comes back without its newest writes, as one that saves now and then does when it is killed.
#pragma once

#include "adapters/ports.hpp"

namespace segue {

class forgetful_store final : public chunk_store {
public:
  /// `saved` is another one, as empty as `engine`.
  forgetful_store(std::shared_ptr<chunk_store> engine, std::shared_ptr<chunk_store> saved)
      : engine_(std::move(engine)), saved_(std::move(saved)) {}

  /// What is written from now on will be forgotten.
  void stop_saving() { saving_ = false; }

  /// Only what was saved is there from now on.
  void forget() { engine_ = std::exchange(saved_, nullptr); }

  std::vector<write_outcome> commit(std::span<const stream_write> writes) override {
    if (saved_ && saving_)
      saved_->commit(writes);
    return engine_->commit(writes);
  }
  std::optional<stream_row> load_row(const std::string& path) override { return engine_->load_row(path); }
  std::optional<stream_row> load_row(stream_id id) override { return engine_->load_row(id); }
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override {
    return engine_->load_chunks(id, after, limit);
  }
  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override { return engine_->load_expiring(above, limit); }
  void reopen() override { engine_->reopen(); }

private:
  std::shared_ptr<chunk_store> engine_;
  std::shared_ptr<chunk_store> saved_; ///< null: it has come back
  bool saving_ = true;
};

} // namespace segue
