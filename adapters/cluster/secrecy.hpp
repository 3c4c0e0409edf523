// What makes a socket between two nodes a secret: TLS 1.3 with a key that both have from their hello, and no certificates.
#pragma once

#include "adapters/cluster/wire.hpp"

#include <memory>
#include <string>

struct ssl_st; // OpenSSL's, which stays behind secrecy.cpp

namespace segue::cluster {

/// One side of an encrypted socket. Does not own the socket.
class secrecy {
public:
  enum class side { caller, host };

  /// Shakes hands over the socket. Throws `wire_error`.
  secrecy(const wire& over, side which, const std::string& key, deadline until);

  /// How reading and writing without waiting went: so many bytes, 0: not now, nothing: never again.
  struct progress {
    size_t bytes = 0;
    bool broken = false;
  };
  progress read(void* into, size_t most);
  progress write(const void* from, size_t size);

  /// What can be read without anything arriving at the socket.
  size_t waiting() const;

private:
  progress of(int result);

  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  size_t written_ = 0; ///< since the keys were renewed
};

/// A socket, and what encrypts it.
struct encrypted {
  wire socket;
  std::unique_ptr<secrecy> with;
};

} // namespace segue::cluster
