// An object store that fails on demand, around any engine.
#pragma once

#include "tests/support/failing_calls.hpp"

namespace segue {

class faulty_objects final : public object_store {
public:
  faulty_objects(std::shared_ptr<object_store> engine, std::shared_ptr<failing_calls> calls)
      : engine_(std::move(engine)), calls_(std::move(calls)) {}

  /// Nobody answers from now on, or somebody does again.
  void away(bool x) { away_ = x; }

  /// Whoever reads gets other bytes than were put from now on, or no longer.
  void wrong(bool x) { wrong_ = x; }

  void put(const std::string& key, const std::string& content_type, const payload& bytes) override {
    make([&] { engine_->put(key, content_type, bytes); });
  }

  std::string begin_upload(const std::string& key, const std::string& content_type) override {
    return make([&] { return engine_->begin_upload(key, content_type); });
  }

  std::string put_part(const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) override {
    return make([&] { return engine_->put_part(key, upload_id, number, bytes); });
  }

  void finish_upload(const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) override {
    make([&] { engine_->finish_upload(key, upload_id, tags); });
  }

  void abort_uploads(const std::string& key) override {
    make([&] { engine_->abort_uploads(key); });
  }

  object_bytes read(const std::string& key, uint64_t from, uint64_t length) override {
    auto found = make([&] { return engine_->read(key, from, length); });
    return wrong_ ? object_bytes{payload{std::string(found.bytes.size(), 'x')}, found.size} : found;
  }

  void erase(const std::string& key) override {
    make([&] { engine_->erase(key); });
  }

private:
  template <class Call>
  auto make(Call call) -> decltype(call()) {
    if (away_)
      throw adapter_error{ec::unavailable, "nobody answers, says the test"};
    return calls_->make(std::move(call));
  }

  std::shared_ptr<object_store> engine_;
  std::shared_ptr<failing_calls> calls_;
  bool away_ = false;
  bool wrong_ = false;
};

} // namespace segue
