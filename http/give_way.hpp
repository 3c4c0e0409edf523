// Replays step aside for whoever listens live.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace segue::http {

/// Waits until everything that is ready on this thread has had its turn. Of those who wait here one goes on at a time, and the
/// next one after whatever has become ready meanwhile: however many replays there are, live sound waits for a part of one.
/// Used on the thread of `io`.
boost::asio::awaitable<void> give_way(boost::asio::io_context& io);

} // namespace segue::http
