// A chunk store that fails on demand, around any engine.
#pragma once

#include "adapters/ports.hpp"

namespace segue {

/// How a commit goes wrong.
enum class fault {
  before_write, ///< nothing is written, and nobody knows
  after_write,  ///< everything is written, and nobody knows
  full,         ///< nothing is written for lack of space, and that is said
};

/// For one thread: tests run the hosts on the test scheduler.
class faulty_store final : public chunk_store {
public:
  explicit faulty_store(std::shared_ptr<chunk_store> engine) : engine_(std::move(engine)) {}

  // -- faults to come

  /// After `passing` more commits, the next `count` go wrong.
  void fail_commits(fault how, size_t count = 1, size_t passing = 0) {
    how_ = how;
    failing_ = count;
    passing_ = passing;
  }

  /// The next `count` attempts to come back fail.
  void fail_reopens(size_t count) { failing_reopens_ = count; }

  /// Every read throws from now on, or does not.
  void fail_reads(bool failing) { failing_reads_ = failing; }

  /// Nothing fails any more.
  void heal() {
    failing_ = passing_ = failing_reopens_ = 0;
    failing_reads_ = false;
  }

  /// What a new process does: opens anew whatever there is.
  void restart() {
    heal();
    if (broken_)
      reopen();
  }

  // -- what happened

  size_t commits() const { return commits_; }     ///< those that were tried
  size_t reopened() const { return reopened_; }
  size_t faults() const { return faults_; }       ///< commits that went wrong
  bool misused() const { return misused_; }       ///< it was written to between a failed commit and a reopening

  // -- the port

  std::vector<write_outcome> commit(std::span<const stream_write> writes) override {
    misused_ = misused_ || broken_;
    ++commits_;
    if (failing_ == 0 || passing_ > 0) {
      if (passing_ > 0)
        --passing_;
      return engine_->commit(writes);
    }
    --failing_;
    ++faults_;
    if (how_ == fault::full)
      throw adapter_error{ec::storage_full, "no space, says the test"};
    broken_ = true;
    if (how_ == fault::after_write)
      engine_->commit(writes);
    throw std::runtime_error{"the answer is lost, says the test"};
  }

  std::optional<stream_row> load_row(const std::string& path) override {
    check_read();
    return engine_->load_row(path);
  }

  std::optional<stream_row> load_row(stream_id id) override {
    check_read();
    return engine_->load_row(id);
  }

  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override {
    check_read();
    return engine_->load_chunks(id, after, limit);
  }

  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override {
    return engine_->load_expiring(above, limit);
  }

  void reopen() override {
    if (failing_reopens_ > 0) {
      --failing_reopens_;
      throw std::runtime_error{"it cannot be reopened yet, says the test"};
    }
    engine_->reopen();
    broken_ = false;
    ++reopened_;
  }

private:
  void check_read() const {
    if (failing_reads_)
      throw std::runtime_error{"it cannot be read, says the test"};
  }

  std::shared_ptr<chunk_store> engine_;
  fault how_ = fault::before_write;
  size_t failing_ = 0;
  size_t passing_ = 0;
  size_t failing_reopens_ = 0;
  bool failing_reads_ = false;
  size_t commits_ = 0;
  size_t reopened_ = 0;
  size_t faults_ = 0;
  bool broken_ = false;
  bool misused_ = false;
};

} // namespace segue
