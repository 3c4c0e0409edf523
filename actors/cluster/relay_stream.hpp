// A stream of another node, as it is read here: one reading of it, shared by all who listen on this node.
#pragma once

#include "actors/cluster/relay.hpp"
#include "actors/cluster/shared_reading.hpp"

namespace segue {

/// `stream_actor` and the timers it sends to itself.
using relay_stream_impl = stream_actor::extend<reacts_to<expire_readers>, reacts_to<check_idle>, reacts_to<read_on>>;

class relay_stream_state {
public:
  static inline const char* name = "relay stream";

  explicit relay_stream_state(relay_stream_impl::pointer self) : self_(self) {}
  ~relay_stream_state();

  void open(stream_opened there, directory_actor directory, relay_ground ground);

  // -- requests
  caf::result<chunk_appended> on(const append_chunk& x);
  caf::result<chunk_batch> on(const read_chunks& x);
  caf::result<stream_loaded> on(const inspect_stream& x);
  actor_description on(const describe_actor&) const;

  // -- timers
  void on(const expire_readers&);
  void on(const check_idle&);
  void on(const read_on&) { replay(); }

private:
  using read_promise = caf::typed_response_promise<chunk_batch>;
  using append_promise = caf::typed_response_promise<chunk_appended>;
  using inspect_promise = caf::typed_response_promise<stream_loaded>;
  using time_point = caf::actor_clock::time_point;
  using reading = shared_reading<read_promise, time_point>;

  void pump();
  void replay();
  void answered(shared_read which);
  void ask(shared_read which, const read_chunks& x);
  void settle(reading::outcome x);
  void look();
  void looked(const caf::error& why);
  void expire_at(time_point deadline);
  void retire();
  void end(const caf::error& why);
  void touch() { last_used_ = self_->clock().now(); }

  relay_stream_impl::pointer self_;
  stream_actor there_;
  directory_actor directory_;
  relay_ground ground_;
  stream_row row_; ///< as it was when it was last looked at
  reading reading_{0, 0};
  std::optional<read_chunks> replay_; ///< of what lies behind the end: waits until the link has room for it
  size_t replay_bytes_ = 0; ///< that this one has taken of the link; 0: none is under way
  passed_on appends_;
  size_t append_bytes_ = 0; ///< under way
  std::vector<inspect_promise> looking_;      ///< who waits for the question under way
  std::vector<inspect_promise> looking_next_; ///< who came later: what is on its way may be older than what they know
  bool settled_next_ = false; ///< one of those wants every write decided
  bool moved_ = false; ///< the directory has forgotten us
  time_point next_expiry_ = time_point::max(); ///< when the timer for readers runs out; max: none runs
  time_point last_used_;
};

/// Starts the relay of a stream that was found. It ends with that stream, with the link, when nobody uses it, and when `directory`
/// tells it to; whoever still holds it finds the stream again there.
relay_stream_impl::behavior_type relay_stream(relay_stream_impl::stateful_pointer<relay_stream_state> self, stream_opened there,
    directory_actor directory, relay_ground ground);

} // namespace segue
