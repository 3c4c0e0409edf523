#include "http/responder.hpp"

#include "http/callers.hpp"
#include "http/write_all.hpp"

#include <algorithm>

namespace segue::http {

namespace {

constexpr const char* policy_header = "Content-Security-Policy";
constexpr size_t slice = 512 << 10;                 ///< bytes of a response that are sent in a row,
constexpr size_t slice_beside_listeners = 32 << 10; ///< for which those who listen live have to wait

} // namespace

void responder::answer(request x) {
  asked_ = std::move(x);
  streaming_ = sized_ = chunked_ = finished_ = false;
}

response_head responder::head_of(const response& x) {
  response_head head{asked_.version, x.status};
  head.add("Date", http_date());
  head.add("X-Content-Type-Options", "nosniff");
  head.add("Cross-Origin-Resource-Policy", "cross-origin");
  for (const auto& [name, value] : x.headers)
    head.add(name, value);
  bool page = std::any_of(x.headers.begin(), x.headers.end(), [](const auto& h) { return h.first == policy_header; });
  if (!page) // what clients have sent is no page of this server, whatever they call it
    head.add(policy_header, "sandbox");
  if (edge_.auth) // whoever has kept it must not show it to another
    head.add("Vary", "Authorization");
  header_list cross_origin;
  add_cross_origin(cross_origin, edge_, asked_.origin);
  for (const auto& [name, value] : cross_origin)
    head.add(name, value);
  bool stays = asked_.keep_alive && !last_;
  if (stays != (asked_.version >= 11)) // what is usual need not be said
    head.add("Connection", stays ? "keep-alive" : "close");
  auto& m = edge_.counters;
  m.requests.Increment();
  if (x.status >= 500)
    m.requests_failed_server.Increment();
  else if (x.status >= 400)
    m.requests_failed_client.Increment();
  return head;
}

asio::awaitable<void> responder::put(std::vector<payload> bytes) {
  for (const auto& x : bytes)
    if (x.file() >= 0)
      edge_.counters.bytes_uncopied.Increment(static_cast<double>(x.size()));
  write_limits limits{edge_.anybody_listens() ? slice_beside_listeners : slice, edge_.outlets.stall};
  return write_all(io_, socket_, std::move(bytes), limits);
}

asio::awaitable<void> responder::send(response x) {
  uint64_t size = 0;
  for (const auto& part : x.body)
    size += part.size();
  bool bodiless = x.status == 204 || x.status == 304;
  auto head = head_of(x);
  if (!bodiless)
    head.add("Content-Length", std::to_string(size));
  std::vector<payload> bytes{payload{head.take()}};
  if (!asked_.head_only && !bodiless) {
    edge_.counters.bytes_sent.Increment(static_cast<double>(size));
    bytes.insert(bytes.end(), std::make_move_iterator(x.body.begin()), std::make_move_iterator(x.body.end()));
  }
  co_await put(std::move(bytes));
  finished_ = true;
}

asio::awaitable<void> responder::begin(response x, std::optional<uint64_t> length) {
  sized_ = length.has_value();
  chunked_ = !length && asked_.version >= 11;
  if (!length && !chunked_)
    asked_.keep_alive = false; // no chunks in HTTP/1.0: the end of the connection is the end of the body
  auto head = head_of(x);
  if (length)
    head.add("Content-Length", std::to_string(*length));
  else if (chunked_)
    head.add("Transfer-Encoding", "chunked");
  std::vector<payload> bytes{payload{head.take()}};
  co_await put(std::move(bytes));
  streaming_ = true;
}

asio::awaitable<void> responder::write(std::vector<payload> body) {
  if (asked_.head_only)
    co_return;
  for (const auto& part : body)
    edge_.counters.bytes_sent.Increment(static_cast<double>(part.size()));
  co_await put(std::move(body));
}

asio::awaitable<void> responder::finish() {
  static const payload last_chunk{"0\r\n\r\n"};
  if (chunked_ && !asked_.head_only) {
    std::vector<payload> bytes{last_chunk};
    co_await put(std::move(bytes));
  }
  streaming_ = false;
  finished_ = true;
}

void responder::hand_over() {
  asked_.keep_alive = false;
  streaming_ = true;
}

} // namespace segue::http
