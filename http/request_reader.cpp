#include "http/request_reader.hpp"

#include "http/time_limit.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <utility>

namespace segue::http {

namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

constexpr size_t first_read = 8 << 10; ///< at once: header and body of a small request
constexpr size_t body_read = 64 << 10; ///< at a time

/// How much of a refused body is read and dropped, so that the client gets to see the answer.
constexpr size_t drain_limit = 64 << 20;
constexpr auto drain_time = std::chrono::seconds{2};

/// What the sender of half a request is told; nothing: it has gone.
std::optional<problem> rule_broken(error_code error, bool late, bool begun, const edge& where) {
  if (late && begun)
    return refused(408, "too_slow", "The request did not arrive in time",
        "A request must arrive within " + std::to_string(where.patience.count() / 1000) + " seconds.");
  if (late || error == bhttp::error::end_of_stream || error == bhttp::error::partial_message)
    return std::nullopt;
  if (error == bhttp::error::header_limit)
    return refused(431, "headers_too_large", "The header is too large",
        "Request line and headers together may have " + std::to_string(where.header_limit >> 10) + " KiB.");
  if (error == bhttp::error::body_limit)
    return refused(413, "too_large", "The body is too large",
        "A body may have " + std::to_string(where.body_limit >> 20) + " MiB.");
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category())
    return refused(400, "malformed", "This is not HTTP", "The request could not be parsed: " + error.message() + ".");
  return std::nullopt;
}

} // namespace

/// Beast's parser is given what has come, and told when there is no more. Its own operations would read header and body apart.
asio::awaitable<request_reader::outcome> request_reader::read() {
  bhttp::request_parser<bhttp::string_body> parser;
  parser.eager(true);
  parser.header_limit(static_cast<uint32_t>(edge_.header_limit));
  parser.body_limit(edge_.body_limit);
  error_code error;
  bool told_to_go_on = false;
  size_t header = 0; ///< bytes of it so far: the parser counts only what it could not take yet
  time_limit limit{socket_.get_executor(), edge_.patience, [this] {
    error_code ignored;
    socket_.cancel(ignored);
  }};
  while (!error && !limit.over()) {
    auto most = parser.is_header_done() ? buffer_.size() : edge_.header_limit - header;
    auto used = parser.put(asio::buffer(buffer_.data(), most), error);
    buffer_.consume(used);
    if (parser.is_done() || (error && error != bhttp::error::need_more))
      break;
    bool hungry = error || buffer_.size() == 0;
    header += used;
    error = {};
    if (!parser.is_header_done() && header + buffer_.size() >= edge_.header_limit)
      error = bhttp::error::header_limit;
    if (error || !hungry)
      continue;
    if (parser.is_header_done() && !std::exchange(told_to_go_on, true)
        && beast::iequals(parser.get()[bhttp::field::expect], "100-continue")) {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(socket_, asio::buffer(go_on), asio::redirect_error(asio::use_awaitable, error));
    }
    auto left = parser.is_header_done() ? parser.content_length_remaining().value_or(body_read) : first_read;
    if (!error)
      co_await take_more(static_cast<size_t>(std::clamp<uint64_t>(left, first_read, body_read)), error);
    if (error == asio::error::eof && parser.got_some())
      parser.put_eof(error = {});
    else if (error == asio::error::eof)
      error = bhttp::error::end_of_stream;
  }
  if (!error && parser.is_done() && !limit.over())
    co_return parser.release();
  if (auto why = rule_broken(error, limit.over(), parser.got_some(), edge_))
    co_return std::move(*why);
  co_return std::monostate{};
}

/// Up to so many bytes of what comes next, behind what is there.
asio::awaitable<void> request_reader::take_more(size_t most, error_code& error) {
  auto size = co_await socket_.async_read_some(buffer_.prepare(most), asio::redirect_error(asio::use_awaitable, error));
  buffer_.commit(size);
}

asio::awaitable<void> request_reader::drop_rest() {
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  time_limit limit{socket_.get_executor(), drain_time, [this] {
    error_code ignored;
    socket_.cancel(ignored);
  }};
  std::vector<char> dropped(16 << 10);
  for (size_t sum = 0; !error && !limit.over() && sum < drain_limit;)
    sum += co_await socket_.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
}

void request_reader::rest() {
  if (buffer_.size() == 0)
    buffer_.shrink_to_fit();
}

} // namespace segue::http
