// A live listener: first by itself, through what is there already, and then with all others at the tail. It may stay for
// hours, and there are thousands: it is all that is left of its request.
#pragma once

#include "http/tail.hpp"

namespace segue::http {

class listener {
public:
  /// Follows what `found` has found, from `at` on. The response must have begun.
  listener(const edge& where, tails& at_tails, session& asker, outlet& out, const stream_reader& found,
      const wire_format& format, position at, std::string cursor)
      : edge_(where), tails_(at_tails), session_(asker), reader_(asker, found), member_{out, format, at},
        cursor_(std::move(cursor)) {}

  /// Sends the stream, frame by frame, until it is closed. False: the client or the stream went before that, and the
  /// response must not end as if it were whole.
  asio::awaitable<bool> follow();

private:
  enum class place { between, at_tail, at_end, lost };

  asio::awaitable<place> catch_up();

  const edge& edge_;
  tails& tails_;
  session& session_;
  stream_reader reader_;
  tail_member member_;
  std::string cursor_;   ///< that the client has shown
  bool greeted_ = false; ///< a frame was sent
};

} // namespace segue::http
