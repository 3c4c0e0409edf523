#include "actors/thread_rank.hpp"
#include "actors/turns.hpp"
#include "adapters/chunk_reading.hpp"
#include "adapters/commit_pace.hpp"
#include "adapters/crew.hpp"
#include "adapters/host.hpp"

#include <chrono>
#include <iterator>
#include <numeric>
#include <thread>

namespace segue {

namespace {

using written_promise = caf::typed_response_promise<stream_written>;

// -- the writer ----------------------------------------------------------------------------------------------------------

using writer_actor = caf::typed_actor<               //
    replies_to<create_stream>::with<stream_written>, //
    replies_to<claim_stream>::with<stream_written>,  //
    replies_to<put_chunks>::with<stream_written>,    //
    replies_to<delete_stream>::with<stream_written>, //
    replies_to<mark_archive>::with<stream_written>,  //
    replies_to<restore_chunks>::with<stream_written>, //
    reacts_to<commit_writes>,                        //
    replies_to<describe_actor>::with<actor_description>>;

constexpr uint64_t most_bytes = 8 << 20; ///< of a group: a networked store has to take it within its time, however much has gathered

uint64_t bytes_of(const std::vector<chunk>& records) {
  return std::accumulate(records.begin(), records.end(), uint64_t{0}, [](uint64_t sum, const chunk& x) { return sum + x.bytes.size(); });
}

uint64_t bytes_of(const stream_write& write) {
  if (const auto* appended = std::get_if<put_chunks>(&write))
    return bytes_of(appended->chunks);
  const auto* restored = std::get_if<restore_chunks>(&write);
  return restored ? bytes_of(restored->chunks) : 0;
}

/// How many of the first ones go together.
size_t group_of(const std::vector<stream_write>& writes) {
  size_t count = 0;
  for (uint64_t bytes = 0; count < writes.size(); ++count) {
    bytes += bytes_of(writes[count]);
    if (count > 0 && bytes > most_bytes)
      break;
  }
  return count;
}

template <class T>
std::vector<T> take_first(std::vector<T>& all, size_t count) {
  if (count == all.size())
    return std::exchange(all, {});
  auto end = all.begin() + static_cast<ptrdiff_t>(count);
  std::vector<T> first{std::make_move_iterator(all.begin()), std::make_move_iterator(end)};
  all.erase(all.begin(), end);
  return first;
}

/// Group commit: writes are collected, and a message to itself, which lands behind all that had arrived by then,
/// commits them together. While it syncs, the next group gathers in the mailbox.
class writer_state {
public:
  static inline const char* name = "writer";

  explicit writer_state(writer_actor::pointer self) : self_(self), answered_(self->system()) {}

  void open(chunk_tiers tiers, bool own_thread) {
    engine_ = tiers.store;
    cache_ = tiers.cache;
    own_thread_ = own_thread;
    metrics_ = tiers.counters;
  }

  template <class Write>
  caf::result<stream_written> on(Write& x) {
    auto promise = self_->make_response_promise<written_promise>();
    if (writes_.empty())
      self_->send(self_, commit_writes{});
    if constexpr (std::is_same_v<Write, put_chunks>)
      pace_.appended(x.id, commit_pace::clock::now());
    writes_.emplace_back(std::move(x));
    promises_.push_back(promise);
    return promise;
  }

  void on(const commit_writes&) {
    if (writes_.empty()) { // whoever reads wants a broken engine back as well
      if (!is_open())
        look_later();
      return;
    }
    if (own_thread_ && wait_for_company()) {
      self_->send(self_, commit_writes{});
      return;
    }
    auto count = group_of(writes_);
    auto writes = take_first(writes_, count);
    auto promises = take_first(promises_, count);
    if (!writes_.empty())
      self_->send(self_, commit_writes{});
    auto outcomes = commit(writes);
    if (cache_ && outcomes)
      for (size_t i = 0; i < writes.size(); ++i)
        if ((*outcomes)[i].code == ec::none)
          std::visit([&](const auto& x) { remember(x, (*outcomes)[i].written); }, writes[i]);
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
  /// Whether it has waited, and there may be more by now.
  bool wait_for_company() {
    auto now = commit_pace::clock::now();
    auto pause = pace_.wait(now, writes_.size());
    if (pause > pause.zero())
      std::this_thread::sleep_for(pause);
    else
      pace_.began(now);
    return pause > pause.zero();
  }

  /// Opens the engine again if it has to be.
  bool is_open() {
    if (!broken_)
      return true;
    auto loud = std::exchange(told_, true) ? log::level::debug : log::level::error;
    auto back = guarded("reopening the chunk store", [this] { return engine_->reopen(), true; }, loud);
    if (!back)
      return false;
    broken_ = told_ = false;
    log::info("host", "reopened", "the chunk store is back");
    return true;
  }

  void look_later() { self_->delayed_send(self_, pause, commit_writes{}); }

  caf::expected<std::vector<write_outcome>> commit(const std::vector<stream_write>& writes) {
    auto now = self_->clock().now();
    bool too_soon = broken_ && now < next_try_;
    if (too_soon || !is_open()) {
      next_try_ = too_soon ? next_try_ : now + pause;
      return caf::make_error(ec::unavailable, std::string{"the chunk store cannot be reopened yet"});
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
    look_later();
    return caf::make_error(ec::unknown_outcome, detail_of(outcomes.error()));
  }

  // -- the recent-chunk cache, after a commit
  void remember(const put_chunks& x, const stream_written&) { cache_->put(x.id, x.chunks); }
  void remember(const delete_stream&, const stream_written& was) { cache_->forget(was.row.id); }
  void remember(const create_stream&, const stream_written& now) {
    if (now.created) // a cache may have outlived another store, which had a stream of this id
      cache_->forget(now.row.id);
  }
  template <class Other>
  void remember(const Other&, const stream_written&) {}

  static constexpr auto pause = std::chrono::milliseconds{100}; ///< between two attempts to reopen

  writer_actor::pointer self_;
  few_turns answered_; ///< streams, on this thread before the next commit
  std::shared_ptr<chunk_store> engine_;
  std::shared_ptr<chunk_cache> cache_;
  bool own_thread_ = false;
  commit_pace pace_;
  metrics* metrics_ = nullptr;
  caf::actor_clock::time_point next_try_{};
  std::vector<stream_write> writes_;
  std::vector<written_promise> promises_;
  bool broken_ = false; ///< a commit failed: the engine is reopened before the next one, or soon
  bool told_ = false;   ///< that it cannot be reopened yet
};

writer_actor::behavior_type writer(
    writer_actor::stateful_pointer<writer_state> self, chunk_tiers tiers, bool own_thread) {
  auto& st = self->state;
  st.open(std::move(tiers), own_thread);
  if (own_thread)
    serve_live();
  return {
      [&st](create_stream& x) { return st.on(x); },
      [&st](claim_stream& x) { return st.on(x); },
      [&st](put_chunks& x) { return st.on(x); },
      [&st](delete_stream& x) { return st.on(x); },
      [&st](mark_archive& x) { return st.on(x); },
      [&st](restore_chunks& x) { return st.on(x); },
      [&st](const commit_writes& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

// -- the readers ---------------------------------------------------------------------------------------------------------

using reader_actor = caf::typed_actor<               //
    replies_to<load_stream>::with<stream_loaded>,    //
    replies_to<list_expiring>::with<streams_listed>, //
    replies_to<load_chunks>::with<chunk_batch>,      //
    replies_to<describe_actor>::with<actor_description>>;

reader_actor::behavior_type reader(reader_actor::pointer self, chunk_tiers tiers, object_store_actor objects, bool own_thread) {
  if (own_thread)
    step_back();
  return {
      [tiers](const load_stream& x) { return load(*tiers.store, x); },
      [tiers](const list_expiring& x) { return load(*tiers.store, x); },
      [self, tiers, objects, own_thread](const load_chunks& x) -> caf::result<chunk_batch> {
        if (own_thread && tiers.counters->listeners.Value() > 0)
          std::this_thread::yield(); // many who replay ask at once: live sound goes on between two answers
        auto found = load(tiers, x);
        if (!found)
          return found.error();
        if (auto* records = std::get_if<chunk_batch>(&*found))
          return std::move(*records);
        if (!objects)
          return caf::make_error(ec::unavailable, std::string{"the stream was archived, and there is no object store"});
        tiers.counters->reads_object.Increment();
        return self->delegate(objects, std::get<load_archived>(*found));
      },
      [self](const describe_actor&) { return actor_description{"reader", "ready", self->mailbox().size(), 0, {}}; },
  };
}

// -- the host ------------------------------------------------------------------------------------------------------------

struct host_state {
  static inline const char* name = "chunk store host";
  explicit host_state(chunk_store_actor::pointer self) : threads(self, name) {}
  crew<chunk_store_actor, writer_actor, reader_actor> threads;
};

chunk_store_actor::behavior_type host(chunk_store_actor::stateful_pointer<host_state> self, chunk_tiers tiers,
    object_store_actor objects, host_options options) {
  auto& threads = self->state.threads;
  auto own = options.own_threads;
  threads.start([=] { return spawn_as(own, self, writer, tiers, own); },
      [=] { return spawn_as(own, self, reader, tiers, objects, own); }, options.readers, *tiers.counters);
  return {
      [&threads](create_stream& x) { return threads.write(std::move(x)); },
      [&threads](claim_stream& x) { return threads.write(std::move(x)); },
      [&threads](put_chunks& x) { return threads.write(std::move(x)); },
      [&threads](delete_stream& x) { return threads.write(std::move(x)); },
      [&threads](mark_archive& x) { return threads.write(std::move(x)); },
      [&threads](restore_chunks& x) { return threads.write(std::move(x)); },
      [&threads](const load_stream& x) { return threads.read(x); },
      [&threads](const list_expiring& x) { return threads.read(x); },
      [&threads](const load_chunks& x) { return threads.read(x, x.holders.empty() ? 0 : x.holders.front().id); },
      [&threads](const describe_actor&) { return threads.describe(); },
  };
}

} // namespace

chunk_store_actor spawn_chunk_store_host(
    caf::actor_system& system, chunk_tiers tiers, object_store_actor objects, host_options options) {
  return system.spawn(host, std::move(tiers), std::move(objects), options);
}

} // namespace segue
