// The stream directory: which streams are live. It alone lets a stream begin and end.
#pragma once

#include "actors/stream/stream.hpp"

#include <map>

namespace segue {

/// `directory_actor`, nothing private.
using directory_impl = directory_actor;

class directory_state {
public:
  static inline const char* name = "directory";

  explicit directory_state(directory_impl::pointer self) : self_(self) {}
  ~directory_state();

  void open(caf::actor parent, chunk_store_actor store, stream_options options, metrics& m);

  caf::result<stream_opened> on(const open_stream& x);
  caf::result<stream_opened> on(const find_stream& x);
  caf::result<stream_removed> on(const remove_stream& x);
  retirement_decided on(const may_retire& x);
  caf::result<actor_description> on(const describe_actor&);

private:
  using opened_promise = caf::typed_response_promise<stream_opened>;
  using removed_promise = caf::typed_response_promise<stream_removed>;

  struct waiting_request {
    std::string content_type; ///< empty: find, do not create
    opened_promise promise;
  };

  /// What is going on at a path; a path without an entry has no live stream.
  struct entry {
    enum class phase { opening, live, stopping, deleting } now = phase::opening;
    stream_actor stream;
    stream_row row;
    std::vector<waiting_request> waiting;
    std::vector<removed_promise> removers;
  };

  caf::result<stream_opened> enter(const std::string& path, const std::string& content_type);
  static void answer(const entry& e, waiting_request& x, bool created);
  void begin(const std::string& path);
  void missing(const std::string& path, const caf::error& why);
  void start(const std::string& path, stream_written x);
  void stop(entry& e);
  void stopped(const caf::down_msg& x);
  void remove(const std::string& path);
  void vacate(const std::string& path);

  directory_impl::pointer self_;
  chunk_store_actor store_;
  stream_options options_;
  metrics* metrics_ = nullptr;
  std::map<std::string, entry> entries_;
  std::map<caf::actor_addr, std::string> paths_; ///< of the streams that run
};

/// Starts the directory of the streams in `store`. It stops when `parent` does, and its streams with it.
directory_impl::behavior_type directory(directory_impl::stateful_pointer<directory_state> self, caf::actor parent,
    chunk_store_actor store, stream_options options, metrics* m);

} // namespace segue
