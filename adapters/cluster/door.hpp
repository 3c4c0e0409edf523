// The door for other nodes: who knows the secret and speaks the same messages is let in. It stands before CAF's own network
// protocol, which asks nobody for anything: whoever speaks that can reach every actor that was ever sent anywhere.
#pragma once

#include "adapters/cluster/hello.hpp"
#include "adapters/cluster/secrecy.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>

namespace segue::cluster {

/// Somebody who was let in.
struct guest {
  node_name who;
  std::string address; ///< where it comes from
  uint64_t visit = 0;  ///< another one each time it comes
};

struct door_options {
  std::string host; ///< to listen on
  unsigned short port = 0; ///< 0: any
  node_name self;
  std::string secret;
  std::chrono::milliseconds patience{5'000}; ///< for a hello
  size_t at_a_time = 16; ///< who are saying hello; who is one more takes the place of another one who has not proved anything yet
};

/// What is done with those who come.
struct door_keeper {
  std::function<void(const guest&)> announce;         ///< somebody is about to enter
  std::function<void(encrypted)> enter;               ///< takes the socket over
  std::function<void(const std::string& address, const std::string& why)> refused;
};

class door {
public:
  /// Takes the address; throws `wire_error`.
  explicit door(door_options options);
  ~door();

  /// From now on those who come are let in.
  void open(door_keeper keeper);

  unsigned short port() const { return port_; }

  /// Ends a link of a node that was let in; no effect when there is none.
  void cut(uint64_t visit);

  /// Likewise; from now on the node may come in again.
  void forget(uint64_t visit);

  /// For how long nothing has come over a link; the longest time there is, if there is none.
  std::chrono::milliseconds quiet(uint64_t visit);

  /// Lets nobody in any more. What was let in stays.
  void stop();

private:
  struct visit {
    std::thread thread;
    std::atomic<bool> over = false;
    int socket = -1; ///< while it may be used
    std::string host; ///< where it comes from
    bool known = false; ///< it has proved that it knows the secret
    bool displaced = false; ///< it was hung up on, for somebody else
  };

  void listen();
  void receive(visit& x, wire socket);
  void greet(wire& socket, visit& x);
  void admit(wire guest);
  bool make_room_for_guest_of(const std::string& host);
  void make_room_for(const std::string& id);
  void sweep(bool all);

  door_options options_;
  door_keeper keeper_;
  wire acceptor_;
  unsigned short port_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_; ///< of all below
  std::list<visit> visits_;
  struct link {
    std::string id; ///< of the node
    cutter with;
  };

  std::map<uint64_t, link> inside_; ///< by visit
  uint64_t last_visit_ = 0;
  std::thread thread_;
};

} // namespace segue::cluster
