// Actors over a real engine, on CAF's test scheduler with its virtual clock.
#pragma once

#include "actors/stream/directory.hpp"
#include "adapters/host.hpp"
#include "tests/support/engines.hpp"
#include "tests/support/faulty_store.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_type.hpp>
#include <caf/send.hpp>

#include "tests/support/test.hpp"
#include "tests/support/test_config.hpp"

namespace segue {

/// The reply to a request, which may not have come yet. Asking for what has not come fails the test.
template <class Reply>
class awaited {
public:
  bool here() const { return box_->reply || box_->error; }

  /// The reply; of an error or of nothing, a default one.
  Reply reply() const {
    const auto& error = box_->error;
    if (!box_->reply)
      CAF_ERROR("no reply, but " << (error ? to_string(code_of(error)) + " " + detail_of(error) : "nothing"));
    return box_->reply.value_or(Reply{});
  }

  /// None when there is a reply.
  caf::error error() const {
    if (!here())
      CAF_ERROR("neither a reply nor an error");
    return box_->error;
  }

  ec code() const { return code_of(error()); }

  void set(Reply x) {
    CAF_CHECK(!here()); // exactly one
    box_->reply = std::move(x);
  }
  void set(caf::error x) {
    CAF_CHECK(!here());
    box_->error = std::move(x);
  }

private:
  struct content {
    std::optional<Reply> reply;
    caf::error error;
  };
  std::shared_ptr<content> box_ = std::make_shared<content>();
};

template <class Handle, class Request>
using reply_of =
    std::tuple_element_t<0, typename caf::response_type<typename Handle::signatures, Request>::tuple_type>;

/// What actors may still refer to while they end: lives longer than the actor system.
struct fixture_ground {
  metrics counters;
  std::shared_ptr<faulty_store> store; ///< null: none
};

/// A chunk store host and a directory over one engine, whose commits fail when `store` is told so.
class actor_fixture : public fixture_ground, public test_coordinator_fixture<test_config> {
public:
  explicit actor_fixture(const std::shared_ptr<chunk_store>& engine, stream_options options = {}) {
    store = std::make_shared<faulty_store>(engine);
    start(options);
  }

  ~actor_fixture() override {
    kill_all();
    CAF_CHECK(!store->misused());
  }

  // -- life

  static constexpr host_options on_scheduler{false, 2};

  void start(stream_options options = {}) {
    parent = sys.spawn<caf::hidden>([](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
    host = spawn_chunk_store_host(sys, {store, nullptr, &counters}, {}, on_scheduler);
    directory = sys.spawn(segue::directory, parent, host, transfers_actor{}, options, &counters);
    consume_messages();
  }

  /// What a crash does: nobody gets to finish anything.
  void kill_all() {
    store->restart();
    for (const auto& x : {caf::actor_cast<caf::actor>(host), caf::actor_cast<caf::actor>(directory), parent})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    consume_messages();
  }

  template <class Handle>
  void kill(const Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    consume_messages();
  }

  // -- time

  /// Time goes by in steps, with everything that happens meanwhile.
  void pass(caf::timespan duration, caf::timespan step = std::chrono::milliseconds{10}) {
    for (; duration.count() > 0; duration -= step) {
      advance_time(std::min(step, duration));
      consume_messages();
    }
  }

  /// Lets time go by until `done`, at most `patience`. Returns the time it took.
  template <class Predicate>
  caf::timespan pass_until(Predicate done, caf::timespan patience = std::chrono::minutes{2}) {
    constexpr caf::timespan step = std::chrono::milliseconds{20};
    caf::timespan passed{0};
    for (consume_messages(); !done() && passed < patience; passed += step)
      pass(step, step);
    CAF_CHECK(done());
    return passed;
  }

  // -- asking

  /// Sends a request and lets nobody run yet.
  template <class Handle, class Request>
  awaited<reply_of<Handle, Request>> post(const Handle& to, Request x) {
    using reply = reply_of<Handle, Request>;
    awaited<reply> result;
    sys.spawn<caf::hidden>([to, x, result](caf::event_based_actor* asker) {
      asker->request(to, caf::infinite, x)
          .then([result](reply& r) mutable { result.set(std::move(r)); },
              [result](caf::error& e) mutable { result.set(std::move(e)); });
    });
    return result;
  }

  /// Sends a request and lets everybody run, in no time.
  template <class Handle, class Request>
  auto ask(const Handle& to, Request x) {
    auto result = post(to, std::move(x));
    consume_messages();
    return result;
  }

  // -- streams

  stream_actor open(const std::string& path = "a", const std::string& type = "audio/mpeg") {
    return ask(directory, open_stream{path, type}).reply().stream;
  }

  auto append(const stream_actor& to, const std::string& bytes, producer_tag by = {}, bool close = false) {
    return ask(to, append_chunk{bytes, {}, {}, std::move(by), {}, close});
  }

  auto read(const stream_actor& from, position after, uint64_t limit = 1 << 20, uint32_t wait_ms = 0) {
    return ask(from, read_chunks{after, limit, wait_ms});
  }

  /// The bytes of a batch; its records must follow one another from `after` on.
  static std::string bytes_of(const chunk_batch& batch, position after) {
    std::string bytes;
    for (const auto& record : batch.chunks) {
      CAF_CHECK_EQUAL(record.start, after + bytes.size());
      bytes += record.bytes.view();
    }
    CAF_CHECK_EQUAL(batch.next, after + bytes.size());
    return bytes;
  }

  /// All bytes of the stream at a path, read as a client does: page by page through the directory.
  std::string content(const std::string& path, uint64_t limit = 1 << 20) {
    auto stream = ask(directory, find_stream{path}).reply().stream;
    std::string bytes;
    for (;;) {
      auto asked = read(stream, bytes.size(), limit);
      if (asked.code() != ec::none)
        return bytes + " and then " + to_string(asked.code());
      auto batch = asked.reply();
      bytes += bytes_of(batch, bytes.size());
      if (batch.up_to_date() || batch.chunks.empty())
        return bytes;
    }
  }

  caf::actor parent;
  chunk_store_actor host;
  directory_actor directory;
};

} // namespace segue
