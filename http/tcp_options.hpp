// How the sockets of clients are set up.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace segue::http {

/// What is written leaves at once, and what the socket does not take at once is waited for elsewhere. A peer that vanished without a
/// word is noticed by the kernel after `silence`: what it does not acknowledge in time, or, while nothing is sent, probes it does not
/// answer.
void prepare(boost::asio::ip::tcp::socket& socket, std::chrono::milliseconds silence);

} // namespace segue::http
