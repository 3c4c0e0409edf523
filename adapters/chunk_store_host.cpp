#include "actors/description.hpp"
#include "actors/supervision.hpp"
#include "actors/turns.hpp"
#include "adapters/chunk_reading.hpp"
#include "adapters/host.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>

namespace segue {

namespace {

using written_promise = caf::typed_response_promise<stream_written>;

// -- the writer ----------------------------------------------------------------------------------------------------------

using writer_actor = caf::typed_actor<               //
    replies_to<create_stream>::with<stream_written>, //
    replies_to<claim_stream>::with<stream_written>,  //
    replies_to<put_chunks>::with<stream_written>,    //
    replies_to<delete_stream>::with<stream_written>, //
    reacts_to<commit_writes>,                        //
    replies_to<describe_actor>::with<actor_description>>;

/// Group commit: writes are collected, and a message to itself, which lands behind all that had arrived by then,
/// commits them together. While it syncs, the next group gathers in the mailbox.
class writer_state {
public:
  static inline const char* name = "writer";

  explicit writer_state(writer_actor::pointer self) : self_(self), answered_(self->system()) {}

  void open(std::shared_ptr<chunk_store> engine, bool own_thread, metrics& m) {
    engine_ = std::move(engine);
    own_thread_ = own_thread;
    metrics_ = &m;
  }

  template <class Write>
  caf::result<stream_written> on(const Write& x) {
    auto promise = self_->make_response_promise<written_promise>();
    if (writes_.empty())
      self_->send(self_, commit_writes{});
    writes_.emplace_back(x);
    promises_.push_back(promise);
    return promise;
  }

  void on(const commit_writes&) {
    auto writes = std::exchange(writes_, {});
    auto promises = std::exchange(promises_, {});
    auto outcomes = commit(writes);
    auto* usual = self_->context();
    if (own_thread_)
      self_->context(&answered_);
    for (size_t i = 0; i < promises.size(); ++i) {
      if (!outcomes)
        promises[i].deliver(outcomes.error());
      else if (auto& outcome = (*outcomes)[i]; outcome.code != ec::none)
        promises[i].deliver(caf::make_error(outcome.code));
      else
        promises[i].deliver(std::move(outcome.written));
    }
    self_->context(usual);
    answered_.run();
  }

  actor_description on(const describe_actor&) {
    return {name, broken_ ? "reopening" : "ready", self_->mailbox().size() + writes_.size(), 0, {}};
  }

private:
  caf::expected<std::vector<write_outcome>> commit(const std::vector<stream_write>& writes) {
    if (broken_ && self_->clock().now() < next_try_)
      return not_yet();
    if (broken_) {
      auto loud = std::exchange(told_, true) ? log::level::debug : log::level::error;
      auto back = guarded("reopening the chunk store", [this] { return engine_->reopen(), true; }, loud);
      if (!back) {
        next_try_ = self_->clock().now() + pause;
        return not_yet();
      }
      broken_ = told_ = false;
      log::info("host", "reopened", "the chunk store is back");
    }
    auto before = std::chrono::steady_clock::now();
    auto outcomes = guarded("committing", [&] { return engine_->commit(writes); });
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    if (outcomes) {
      metrics_->commits.Increment();
      metrics_->commit_writes.Observe(static_cast<double>(writes.size()));
      metrics_->commit_seconds.Observe(took.count());
      return outcomes;
    }
    metrics_->commits_failed.Increment();
    if (code_of(outcomes.error()) == ec::storage_full)
      return outcomes;
    broken_ = true;
    return caf::make_error(ec::unknown_outcome, detail_of(outcomes.error()));
  }

  static caf::error not_yet() {
    return caf::make_error(ec::unavailable, std::string{"the chunk store cannot be reopened yet"});
  }

  static constexpr auto pause = std::chrono::milliseconds{100}; ///< between two attempts to reopen

  writer_actor::pointer self_;
  few_turns answered_; ///< streams, on this thread before the next commit
  std::shared_ptr<chunk_store> engine_;
  bool own_thread_ = false;
  metrics* metrics_ = nullptr;
  caf::actor_clock::time_point next_try_{};
  std::vector<stream_write> writes_;
  std::vector<written_promise> promises_;
  bool broken_ = false; ///< a commit failed: the engine is reopened before the next one
  bool told_ = false;   ///< that it cannot be reopened yet
};

writer_actor::behavior_type writer(
    writer_actor::stateful_pointer<writer_state> self, std::shared_ptr<chunk_store> engine, bool own_thread, metrics* m) {
  auto& st = self->state;
  st.open(std::move(engine), own_thread, *m);
  return {
      [&st](const create_stream& x) { return st.on(x); },
      [&st](const claim_stream& x) { return st.on(x); },
      [&st](const put_chunks& x) { return st.on(x); },
      [&st](const delete_stream& x) { return st.on(x); },
      [&st](const commit_writes& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

// -- the readers ---------------------------------------------------------------------------------------------------------

using reader_actor = caf::typed_actor<            //
    replies_to<load_stream>::with<stream_loaded>, //
    replies_to<list_expiring>::with<streams_listed>, //
    replies_to<load_chunks>::with<chunk_batch>,   //
    replies_to<describe_actor>::with<actor_description>>;

reader_actor::behavior_type reader(reader_actor::pointer self, std::shared_ptr<chunk_store> engine) {
  return {
      [engine](const load_stream& x) { return load(*engine, x); },
      [engine](const list_expiring& x) { return load(*engine, x); },
      [engine](const load_chunks& x) { return load(*engine, x); },
      [self](const describe_actor&) { return actor_description{"reader", "ready", self->mailbox().size(), 0, {}}; },
  };
}

// -- the host ------------------------------------------------------------------------------------------------------------

/// Passes requests on, so that a read never waits behind a sync; starts again what dies.
class host_state {
public:
  static inline const char* name = "chunk store host";

  explicit host_state(chunk_store_actor::pointer self) : self_(self) {}

  ~host_state() {
    self_->send_exit(writer_, caf::exit_reason::user_shutdown);
    for (auto& x : readers_)
      self_->send_exit(x, caf::exit_reason::user_shutdown);
  }

  void open(std::shared_ptr<chunk_store> engine, host_options options, metrics& m) {
    engine_ = std::move(engine);
    options_ = options;
    metrics_ = &m;
    start_writer();
    readers_.resize(std::max<size_t>(options.readers, 1));
    for (auto& x : readers_)
      start_reader(x);
    self_->set_down_handler([this](const caf::down_msg& x) { restart(x); });
  }

  template <class Write>
  auto write(const Write& x) {
    return self_->delegate(writer_, x);
  }

  template <class Read>
  auto read(const Read& x) {
    return self_->delegate(readers_[next_reader_++ % readers_.size()], x);
  }

  caf::result<actor_description> on(const describe_actor&) {
    auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
    std::vector<described_child> children{{writer_, {"writer", "", 0, restarts_.total(), {}}}};
    for (auto& x : readers_)
      children.push_back({x, {"reader", "", 0, 0, {}}});
    gather_description(self_, promise, {name, "ready", self_->mailbox().size(), 0, {}}, std::move(children));
    return promise;
  }

private:
  void start_writer() {
    writer_ = options_.own_threads ? self_->spawn<caf::detached>(writer, engine_, true, metrics_)
                                   : self_->spawn(writer, engine_, false, metrics_);
    self_->monitor(writer_);
  }

  void start_reader(reader_actor& x) {
    x = options_.own_threads ? self_->spawn<caf::detached>(reader, engine_) : self_->spawn(reader, engine_);
    self_->monitor(x);
  }

  void restart(const caf::down_msg& x) {
    if (!restarts_.allow(restart_budget::clock::now())) {
      self_->quit(x.reason);
      return;
    }
    metrics_->restarts.Increment();
    log::error("host", "thread_died", "restarting: " + caf::to_string(x.reason));
    if (writer_.address() == x.source)
      start_writer();
    for (auto& r : readers_)
      if (r.address() == x.source)
        start_reader(r);
  }

  chunk_store_actor::pointer self_;
  std::shared_ptr<chunk_store> engine_;
  host_options options_;
  metrics* metrics_ = nullptr;
  writer_actor writer_;
  std::vector<reader_actor> readers_;
  size_t next_reader_ = 0;
  restart_budget restarts_;
};

chunk_store_actor::behavior_type host(chunk_store_actor::stateful_pointer<host_state> self,
    std::shared_ptr<chunk_store> engine, host_options options, metrics* m) {
  auto& st = self->state;
  st.open(std::move(engine), options, *m);
  return {
      [&st](const create_stream& x) { return st.write(x); },
      [&st](const claim_stream& x) { return st.write(x); },
      [&st](const put_chunks& x) { return st.write(x); },
      [&st](const delete_stream& x) { return st.write(x); },
      [&st](const load_stream& x) { return st.read(x); },
      [&st](const list_expiring& x) { return st.read(x); },
      [&st](const load_chunks& x) { return st.read(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace

chunk_store_actor spawn_chunk_store_host(
    caf::actor_system& system, std::shared_ptr<chunk_store> engine, host_options options, metrics& m) {
  return system.spawn(host, std::move(engine), options, &m);
}

} // namespace segue
