// The stream directory: which streams are live. It alone lets a stream begin and end.
#pragma once

#include "actors/stream/stream.hpp"

#include <map>

namespace segue {

/// `directory_actor` and the timer it sends to itself.
using directory_impl = directory_actor::extend<reacts_to<check_expiry>>;

class directory_state {
public:
  static inline const char* name = "directory";

  explicit directory_state(directory_impl::pointer self) : self_(self) {}
  ~directory_state();

  void open(caf::actor parent, chunk_store_actor store, transfers_actor transfers, stream_options options, metrics& m);

  caf::result<stream_opened> on(const open_stream& x);
  caf::result<stream_opened> on(const find_stream& x);
  caf::result<stream_removed> on(const remove_stream& x);
  retirement_decided on(const may_retire& x);
  void on(const stream_expired& x);
  void on(const archive_played& x);
  void on(const check_expiry&);
  caf::result<actor_description> on(const describe_actor&);

private:
  using opened_promise = caf::typed_response_promise<stream_opened>;
  using removed_promise = caf::typed_response_promise<stream_removed>;

  struct waiting_request {
    stream_wish wish; ///< without a content type: find, do not create
    opened_promise promise;

    bool creates() const { return !wish.content_type.empty(); }
  };

  /// What is going on at a path; a path without an entry has no live stream.
  struct entry {
    enum class phase { opening, live, stopping, deleting } now = phase::opening;
    stream_actor stream;
    stream_row row;
    std::vector<waiting_request> waiting;
    std::vector<removed_promise> removers;
    expiry::time_point deadline = expiry::never; ///< of one that ends, or of one that is removed, should that fail

    size_t waiters() const { return waiting.size() + removers.size(); }
  };

  caf::result<stream_opened> enter(stream_wish wish);
  caf::error too_many_wait();
  static void answer(const entry& e, waiting_request& x, bool created);
  void begin(const std::string& path);
  void missing(const std::string& path, const caf::error& why);
  void cannot_create(const std::string& path, const caf::error& why);
  void refuse_deleted(const std::string& path);
  void start(const std::string& path, stream_written x);
  void stop(entry& e);
  void stopped(const caf::down_msg& x);
  void remove(const std::string& path);
  void vacate(const std::string& path);
  void load_expiries(stream_id above);
  void watch(const std::string& path, expiry::time_point deadline, expiry::time_point earliest = expiry::time_point::min());
  void expire_at(expiry::time_point deadline);

  directory_impl::pointer self_;
  chunk_store_actor store_;
  transfers_actor transfers_; ///< null: nothing was archived
  stream_options options_;
  metrics* metrics_ = nullptr;
  std::map<std::string, entry> entries_;
  std::map<caf::actor_addr, std::string> paths_; ///< of the streams that run
  expiries expiries_;                            ///< of those that do not
  std::optional<stream_id> list_again_;          ///< where, when the store could not tell
  expiry::time_point next_expiry_ = expiry::never; ///< when the timer for them runs out; never: none runs
};

/// Starts the directory of the streams in `store`. It stops when `parent` does, and its streams with it.
directory_impl::behavior_type directory(directory_impl::stateful_pointer<directory_state> self, caf::actor parent,
    chunk_store_actor store, transfers_actor transfers, stream_options options, metrics* m);

} // namespace segue
