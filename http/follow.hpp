// A live listener: first by itself, through what is there already, and then with all others at the tail.
#pragma once

#include "http/stream_reader.hpp"
#include "http/wire_format.hpp"

namespace segue::http {

/// Sends the stream from `at` on, frame by frame, until it is closed. The response must have begun. False: the listener
/// or the stream went before that, and the response must not end as if it were whole.
asio::awaitable<bool> follow(exchange& x, stream_reader& reader, const wire_format& format, position at);

} // namespace segue::http
