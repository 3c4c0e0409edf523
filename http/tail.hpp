// The tail of a stream: listeners who have everything that is there share one reader, and get each new frame from one
// block of memory.
#pragma once

#include "http/stream_reader.hpp"
#include "http/wire_format.hpp"

#include <functional>
#include <map>

namespace segue::http {

/// A listener while it is at the tail, where its outlet is idle. It stays until something happens to it; then `wake` is
/// called, once.
struct tail_member {
  outlet& out;
  const wire_format& format;
  position at = 0;       ///< everything before this was given to the outlet
  bool over = false;     ///< the stream is closed, and everything was given
  bool cut = false;      ///< the stream cannot be read any more
  std::function<void()> wake{};
};

class tails;

/// One stream on one I/O thread. Lives as long as it has members.
class tail : public std::enable_shared_from_this<tail> {
public:
  tail(tails& home, const stream_reader& reader, position cursor);

  /// False: the member must read on by itself first, up to `cursor`.
  bool join(tail_member& x);
  void leave(tail_member& x);

  position cursor() const { return cursor_; }
  const stream_row& row() const { return reader_.row(); }

  asio::awaitable<void> run();

private:
  /// What is looked at for each frame, side by side in memory.
  struct entry {
    int socket;
    const wire_format* format;
    position at;
    tail_member* member;
  };

  void deliver(const chunk_batch& batch);
  void busy(tail_member& x);
  void let_go(tail_member& x);
  void keep_alive();
  void release(bool tail_member::*why);

  tails& home_;
  session session_;
  stream_reader reader_;
  const stream_reader::identity which_; ///< under which it is known, also when its reader has found another directory
  position cursor_;
  std::vector<entry> members_;
  std::vector<tail_member*> leaving_; ///< noticed while frames are handed out
  bool delivering_ = false;
};

/// The tails of one I/O thread.
class tails {
public:
  tails(const edge& where, io_unit& on) : edge_(where), on_(on) {}

  /// Keeps the member at the tail of the reader's stream until it lags, ends or is aborted. Returns at once when the
  /// member is behind the tail.
  asio::awaitable<void> follow(session& of_member, const stream_reader& reader, tail_member& x);

private:
  friend class tail;

  const edge& edge_;
  io_unit& on_;
  std::map<stream_reader::identity, std::shared_ptr<tail>> live_;
};

} // namespace segue::http
