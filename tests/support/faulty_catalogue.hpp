// A catalogue that fails on demand, around any engine.
#pragma once

#include "tests/support/failing_calls.hpp"

namespace segue {

class faulty_catalogue final : public catalogue_store {
public:
  faulty_catalogue(std::shared_ptr<catalogue_store> engine, std::shared_ptr<failing_calls> calls)
      : engine_(std::move(engine)), calls_(std::move(calls)) {}

  /// Nobody answers from now on, or somebody does again.
  void away(bool x) { away_ = x; }

  uint64_t insert(const generation_row& row) override {
    return make([&] { return engine_->insert(row); });
  }
  bool store(const generation_row& row) override {
    return make([&] { return engine_->store(row); });
  }
  void erase(const std::string& request_id) override {
    make([&] { engine_->erase(request_id); });
  }
  std::optional<generation_row> find(const std::string& request_id) override {
    return make([&] { return engine_->find(request_id); });
  }
  std::vector<generation_row> newest(const std::string& user_id, uint64_t before, uint32_t limit) override {
    return make([&] { return engine_->newest(user_id, before, limit); });
  }
  std::vector<generation_row> unfinished(uint64_t after, uint32_t limit) override {
    return make([&] { return engine_->unfinished(after, limit); });
  }

  /// What its clock says, whatever that of whoever asks does.
  void show(std::optional<int64_t> clock_ms) { shown_ms_ = clock_ms; }

  std::optional<int64_t> clock_ms() override { return shown_ms_ ? shown_ms_ : engine_->clock_ms(); }

  transfer_row insert(const transfer_row& row) override {
    return make([&] { return engine_->insert(row); });
  }
  std::vector<transfer_row> lease(const std::string& holder, int64_t now_ms, int64_t until_ms, uint32_t limit) override {
    return make([&] { return engine_->lease(holder, now_ms, until_ms, limit); });
  }
  bool store(const transfer_row& row) override {
    return make([&] { return engine_->store(row); });
  }
  std::optional<transfer_row> retry(uint64_t id, int64_t now_ms) override {
    return make([&] { return engine_->retry(id, now_ms); });
  }
  std::optional<transfer_row> drop(uint64_t id) override {
    return make([&] { return engine_->drop(id); });
  }
  void prune(int64_t before_ms) override {
    make([&] { engine_->prune(before_ms); });
  }
  std::optional<transfer_row> find_transfer(uint64_t id) override {
    return make([&] { return engine_->find_transfer(id); });
  }
  std::vector<transfer_row> transfers(uint64_t after, uint32_t limit, bool dead_only) override {
    return make([&] { return engine_->transfers(after, limit, dead_only); });
  }
  std::vector<transfer_row> changed_transfers(int64_t since_ms, uint32_t limit) override {
    return make([&] { return engine_->changed_transfers(since_ms, limit); });
  }

  void insert(const api_key& key) override {
    make([&] { engine_->insert(key); });
  }
  std::optional<api_key> find_key(const std::string& hash) override {
    return make([&] { return engine_->find_key(hash); });
  }
  std::vector<api_key> keys() override {
    return make([&] { return engine_->keys(); });
  }
  bool erase_key(const std::string& id) override {
    return make([&] { return engine_->erase_key(id); });
  }

private:
  template <class Call>
  auto make(Call call) -> decltype(call()) {
    if (away_)
      throw adapter_error{ec::unavailable, "nobody answers, says the test"};
    return calls_->make(std::move(call));
  }

  std::shared_ptr<catalogue_store> engine_;
  std::shared_ptr<failing_calls> calls_;
  bool away_ = false;
  std::optional<int64_t> shown_ms_;
};

} // namespace segue
