// The directory of an edge node: which streams of the node that was joined are read here. Whether there is a stream at all, that
// node alone knows.
#pragma once

#include "actors/cluster/relay_stream.hpp"

#include <map>

namespace segue {

using relay_directory_impl = relay_impl<directory_actor>;

class relay_directory_state {
public:
  static inline const char* name = "relay directory";

  explicit relay_directory_state(relay_directory_impl::pointer self) : self_(self) {}
  ~relay_directory_state();

  void begin(std::string tenant, relay_ground ground);

  caf::result<stream_opened> on(const find_stream& x);
  caf::result<stream_opened> on(const open_stream& x);
  caf::result<stream_removed> on(const remove_stream& x);
  void on(const stream_expired& x);
  void on(const tenant_services& x);
  caf::result<actor_description> on(const describe_actor&);

private:
  using opened_promise = caf::typed_response_promise<stream_opened>;

  struct entry {
    stream_actor relay; ///< null: the owner is asked
    stream_actor there; ///< the stream it stands for
    stream_row row;
    std::vector<opened_promise> waiting; ///< for the answer to the question under way
  };

  template <class Reply, class Request, class F>
  caf::result<Reply> pass(const Request& x, size_t bytes, F done);
  void found(const std::string& path, const stream_opened& there);
  void not_found(const std::string& path, const caf::error& why);
  entry& adopt(const stream_opened& there);
  void forget(const std::string& path);
  void ended(const caf::actor_addr& relay, const std::string& path);
  void lost();

  relay_directory_impl::pointer self_;
  std::string tenant_;
  relay_ground ground_;
  directory_actor there_; ///< null: nobody
  std::map<std::string, entry> entries_;
  std::map<caf::actor_addr, std::string> paths_; ///< of the relays that run
  passed_on open_;
  size_t waiting_ = 0; ///< in all entries
};

/// Starts the directory of one tenant's streams. It ends when it is told to, and its relays with it.
relay_directory_impl::behavior_type relay_directory(relay_directory_impl::stateful_pointer<relay_directory_state> self,
    std::string tenant, relay_ground ground);

} // namespace segue
