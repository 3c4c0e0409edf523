// The chunk buffer: the one actor that appends to a live stream and answers its readers.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "actors/stream/append_queue.hpp"
#include "actors/stream/expiry.hpp"
#include "actors/stream/parked_readers.hpp"
#include "actors/stream/ring.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>

namespace segue {

/// The bounds of a stream.
struct stream_options {
  size_t ring_bytes = 512 * 1024;         ///< newest records kept in memory
  size_t pending_bytes = 4 * 1024 * 1024; ///< appends waiting for the store; beyond it: `ec::busy`
  uint64_t most_bytes = UINT64_MAX;       ///< of a stream of an application; beyond it: `ec::too_large`
  size_t producers = 10'000;              ///< of one stream; a further one: `ec::busy`
  size_t streams = 1'000'000;             ///< of applications; a further one: `ec::busy`
  size_t parked_readers = 10'000;         ///< reads waiting at the tail, or requests until it begins or is removed; beyond it: `ec::busy`
  std::chrono::milliseconds idle{60'000}; ///< unused for so long, a stream asks to retire
  std::chrono::milliseconds store_timeout{30'000};
  std::chrono::milliseconds recovery_pause{100}; ///< between two attempts to learn what became of a write
};

/// `stream_actor` and the timers it sends to itself.
using stream_impl = stream_actor::extend<reacts_to<expire_readers>, reacts_to<retry_commit>, reacts_to<check_idle>,
    reacts_to<check_expiry>>;

class stream_state {
public:
  static inline const char* name = "stream";

  explicit stream_state(stream_impl::pointer self) : self_(self) {}
  ~stream_state();

  void open(stream_written opened, expiry::time_point deadline, chunk_store_actor store, directory_actor directory,
      stream_options options, metrics& m);

  // -- requests
  caf::result<chunk_appended> on(const append_chunk& x);
  caf::result<chunk_batch> on(const read_chunks& x);
  caf::result<stream_loaded> on(const inspect_stream& x);
  actor_description on(const describe_actor&);

  // -- timers
  void on(const expire_readers&);
  void on(const retry_commit&);
  void on(const check_idle&);
  void on(const check_expiry&);

private:
  using append_promise = caf::typed_response_promise<chunk_appended>;
  using read_promise = caf::typed_response_promise<chunk_batch>;
  using time_point = caf::actor_clock::time_point;

  // -- expiring
  void use() { expiry_.use(self_->clock().now()); }
  bool gone();
  void watch_expiry();

  // -- owning
  template <class Promise, class F>
  Promise when_owned(Promise promise, F f);
  void owned(const caf::error& why);

  // -- appending
  void judge(const append_chunk& x, append_promise promise);
  ec beyond_bounds(const append_chunk& x) const;
  void commit();
  void settle(const stream_row& durable);
  void failed(const caf::error& why);
  void recover();
  void give_up(const caf::error& why);

  // -- reading
  void answer(read_promise promise, position after, uint64_t limit, bool joined = false);
  void fetch();
  void wake_readers();
  void park(const read_chunks& x, read_promise promise);
  void expire_at(time_point deadline);

  void touch() { last_used_ = self_->clock().now(); }
  void stop_if_done();

  stream_impl::pointer self_;
  chunk_store_actor store_;
  directory_actor directory_;
  stream_options options_;
  metrics* metrics_ = nullptr;

  stream_row row_;
  append_queue<append_promise> appends_;
  ring ring_{0};
  bool owned_ = false;      ///< claimed, new or closed: no write of a former owner is undecided
  std::vector<std::function<void(const caf::error&)>> until_owned_; ///< called when that is so, or why it cannot be
  size_t until_owned_bytes_ = 0;
  bool writing_ = false;    ///< a write is under way
  bool recovering_ = false; ///< the outcome of a write is unknown: nothing is accepted until the store has told
  bool fetched_ = false;    ///< its sound was asked back from the archive
  bool moved_ = false;      ///< the directory has forgotten us, or will
  bool removed_ = false;    ///< what was written is gone with us

  parked_readers<read_promise, time_point> parked_;
  time_point next_expiry_ = time_point::max(); ///< when the timer for them runs out; max: none runs
  expiry expiry_;
  time_point last_used_;
};

/// Starts the actor of a stream from its row. Reading needs no more; before the first append it claims the stream. It stops
/// when `directory` does, which tells it. At `deadline` it expires unless it is used; `never`: as its row says, from now on.
stream_impl::behavior_type stream(stream_impl::stateful_pointer<stream_state> self, stream_written opened,
    expiry::time_point deadline, chunk_store_actor store, directory_actor directory, stream_options options, metrics* m);

} // namespace segue
