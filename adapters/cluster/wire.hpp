// A socket between two nodes while they say hello: lines of text, each side in its turn, until a point in time. Blocking; used on
// threads that may wait.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace segue::cluster {

using deadline = std::chrono::steady_clock::time_point;

/// Why a socket is of no use any more.
struct wire_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class wire {
public:
  /// Takes the socket over.
  explicit wire(int socket) : socket_(socket) {}
  ~wire();
  wire(wire&& other) noexcept : socket_(other.release()) {}
  wire& operator=(wire&&) = delete;

  int socket() const { return socket_; }

  /// Hands the socket over to somebody else.
  int release();

  /// Throws `wire_error`.
  void write_line(const std::string& line, deadline until);

  /// Not a byte more than the line is taken from the socket: what follows is for others. Throws `wire_error`.
  std::string read_line(deadline until);

private:
  int socket_;
};

/// Connects to a host by name or address. Throws `wire_error`.
wire dial(const std::string& host, unsigned short port, deadline until);

/// A socket that listens. Throws `wire_error`.
wire listen_on(const std::string& host, unsigned short port);

unsigned short port_of(int socket);

/// Who is at the other end, as address and port.
std::string peer_of(int socket);

/// Waits until there is something to take. False: there is nothing.
bool readable(int socket, deadline until);

/// Waits until something is taken.
bool writable(int socket, deadline until);

/// A second handle to a socket, with which it can be cut while somebody else uses it.
class cutter {
public:
  cutter() = default;
  explicit cutter(int socket);
  ~cutter();
  cutter(cutter&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  cutter& operator=(cutter&& other) noexcept;

  /// Both sides see the end at once.
  void cut();

  /// For how long nothing has arrived at the socket, whether it was read or not; the longest time there is, if it was cut.
  std::chrono::milliseconds quiet() const;

private:
  int socket_ = -1;
};

} // namespace segue::cluster
