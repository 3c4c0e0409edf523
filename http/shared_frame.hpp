// One frame for many sockets.
#pragma once

#include "actors/payload.hpp"

namespace segue::http {

/// A frame that many listeners get. A large one for many is put into a file in memory, from whose pages the kernel sends:
/// nothing is copied for each of them.
class shared_frame {
public:
  shared_frame(payload bytes, size_t listeners);
  ~shared_frame();
  shared_frame(const shared_frame&) = delete;
  shared_frame& operator=(const shared_frame&) = delete;

  const payload& bytes() const { return bytes_; }

  /// To the socket of an idle outlet, without looking at the outlet. Never blocks. Returns how many bytes the socket took,
  /// 0 also when it is broken; the rest is to be given to `outlet::send`.
  size_t send_now(int socket) const;

private:
  payload bytes_;
  int file_ = -1; ///< -1: small, for few, or the system has no descriptor left
};

} // namespace segue::http
