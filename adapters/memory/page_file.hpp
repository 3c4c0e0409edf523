// A file in memory for bytes that many sockets are to send.
#pragma once

#include "actors/payload.hpp"

#include <atomic>
#include <memory>
#include <span>
#include <vector>

namespace segue::memory {

/// Bytes that lie in a file are handed to a socket page by page: nothing is copied for each client. What is put here stays as it is
/// until the last payload that shows it is gone, and what sockets have of it by then stays until they have sent it.
/// Used by any thread.
class page_file {
public:
  page_file();

  /// Copies these bytes into the file, side by side, and answers them from there. None when the system has no memory for it.
  std::vector<payload> add(std::span<const payload> bytes);

private:
  class descriptor;
  class region;

  std::shared_ptr<const descriptor> file_; ///< null: the system has none
  std::atomic<uint64_t> next_ = 0;         ///< nothing is ever written twice: old pages may be on their way
};

} // namespace segue::memory
