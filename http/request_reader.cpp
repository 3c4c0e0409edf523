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

std::string in_bytes(size_t x) {
  return x % (1 << 20) == 0 ? std::to_string(x >> 20) + " MiB" : x % (1 << 10) == 0 ? std::to_string(x >> 10) + " KiB" : std::to_string(x) + " bytes";
}

std::string in_time(std::chrono::milliseconds x) {
  return x.count() % 1000 == 0 ? std::to_string(x.count() / 1000) + " seconds" : std::to_string(x.count()) + " ms";
}

problem malformed(std::string detail) { return refused(400, "malformed", "This is not HTTP", std::move(detail)); }

/// What the parser takes, and a proxy before this server may have understood otherwise.
std::optional<problem> ambiguity_of(const bhttp::request_header<>& x) {
  if (x.count(bhttp::field::host) > 1)
    return malformed("A request has one Host header.");
  auto coding = x[bhttp::field::transfer_encoding];
  if (coding.empty() && x.count(bhttp::field::transfer_encoding) == 0)
    return std::nullopt;
  if (x.version() < 11 || !beast::iequals(coding, "chunked") || x.count(bhttp::field::transfer_encoding) > 1)
    return malformed("Transfer-Encoding may be chunked and nothing else, in HTTP/1.1.");
  return std::nullopt;
}

/// What the sender of half a request is told; nothing: it has gone.
std::optional<problem> rule_broken(error_code error, bool late, bool begun, const edge& where) {
  if (late && begun)
    return refused(408, "too_slow", "The request did not arrive in time",
        "A request must arrive within " + in_time(where.patience) + ".");
  if (late || error == bhttp::error::end_of_stream || error == bhttp::error::partial_message)
    return std::nullopt;
  if (error == bhttp::error::header_limit)
    return refused(431, "headers_too_large", "The header is too large",
        "Request line and headers together may have " + in_bytes(where.header_limit) + ", and so may what else frames a body.");
  if (error == bhttp::error::body_limit)
    return refused(413, "too_large", "The body is too large",
        "A body may have " + in_bytes(where.body_limit) + ".");
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category())
    return malformed("The request could not be parsed: " + error.message() + ".");
  return std::nullopt;
}

} // namespace

/// Beast's parser is given what has come, and told when there is no more. Its own operations would read header and body apart.
/// It takes all there is of a body; what it leaves there are the lines between its chunks, and trailers, whose fields are dropped: what
/// they say comes too late for whoever has judged the header.
asio::awaitable<request_reader::outcome> request_reader::read() {
  bhttp::request_parser<bhttp::string_body> parser;
  parser.header_limit(static_cast<uint32_t>(edge_.header_limit));
  parser.body_limit(edge_.body_limit);
  error_code error;
  bool told_to_go_on = false;
  std::optional<bhttp::request_header<>> as_it_began; ///< of a request with trailers perhaps
  size_t header = 0; ///< bytes of it so far: the parser counts only what it could not take yet
  time_limit limit{socket_.get_executor(), edge_.patience, [this] {
    error_code ignored;
    socket_.cancel(ignored);
  }};
  while (!error && !limit.over()) {
    auto most = parser.is_header_done() ? buffer_.size() : edge_.header_limit - header;
    auto used = parser.put(asio::buffer(buffer_.data(), most), error);
    buffer_.consume(used);
    if (parser.is_header_done() && !parser.eager()) {
      if (auto why = ambiguity_of(parser.get()))
        co_return std::move(*why);
      if (parser.chunked())
        as_it_began = parser.get().base();
      parser.eager(true); // the body as it comes
    }
    if (parser.is_done() || (error && error != bhttp::error::need_more))
      break;
    bool hungry = error || buffer_.size() == 0;
    header += used;
    error = {};
    if ((parser.is_header_done() ? hungry ? buffer_.size() : 0 : header + buffer_.size()) >= edge_.header_limit)
      error = bhttp::error::header_limit;
    if (error || !hungry)
      continue;
    if (parser.is_header_done() && parser.get().version() >= 11 && !std::exchange(told_to_go_on, true)
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
  if (!error && parser.is_done() && !limit.over()) {
    auto whole = parser.release();
    if (as_it_began)
      whole.base() = std::move(*as_it_began);
    co_return whole;
  }
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

bool request_reader::take_ahead() {
  error_code error;
  auto room = edge_.header_limit - std::min(edge_.header_limit, buffer_.size());
  buffer_.commit(room == 0 ? 0 : socket_.read_some(buffer_.prepare(room), error));
  return room > 0 && (!error || error == asio::error::would_block);
}

void request_reader::rest() {
  if (buffer_.size() == 0)
    buffer_.shrink_to_fit();
}

} // namespace segue::http
