#include "http/request_reader.hpp"

#include "http/time_limit.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>

namespace segue::http {

namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

constexpr size_t first_read = 4 << 10; ///< at once: header and body of a small request
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

asio::awaitable<request_reader::outcome> request_reader::read() {
  bhttp::request_parser<bhttp::string_body> parser;
  parser.header_limit(static_cast<uint32_t>(edge_.header_limit));
  parser.body_limit(edge_.body_limit);
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream_.expires_never();
  time_limit limit{stream_.get_executor(), edge_.patience, [this] { stream_.cancel(); }};
  buffer_.reserve(first_read);
  co_await bhttp::async_read_header(stream_, buffer_, parser, token);
  bool begun = parser.got_some();
  if (!error && beast::iequals(parser.get()[bhttp::field::expect], "100-continue")) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream_, asio::buffer(go_on), token);
  }
  if (!error) {
    // Beast reads into what the buffer has room for, which is little unless it is told.
    if (auto length = parser.content_length(); length && *length > buffer_.size())
      buffer_.reserve(static_cast<size_t>(std::min<uint64_t>(*length, body_read)));
    co_await bhttp::async_read(stream_, buffer_, parser, token);
  }
  bool late = limit.over();
  if (!error && !late)
    co_return parser.release();
  if (auto why = rule_broken(error, late, begun, edge_))
    co_return std::move(*why);
  co_return std::monostate{};
}

asio::awaitable<void> request_reader::drop_rest() {
  error_code error;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(drain_time);
  std::vector<char> dropped(16 << 10);
  for (size_t sum = 0; !error && sum < drain_limit;)
    sum += co_await stream_.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
}

void request_reader::rest() {
  if (buffer_.size() == 0)
    buffer_.shrink_to_fit();
}

} // namespace segue::http
