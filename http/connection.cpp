// The only source that includes Beast's HTTP serializer: it is slow to compile.
#include "http/connection.hpp"

#include "actors/log.hpp"
#include "http/admission.hpp"
#include "http/callers.hpp"
#include "http/listener.hpp"
#include "http/payload_body.hpp"
#include "http/request_reader.hpp"
#include "http/websocket.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>

#include <netinet/tcp.h>

namespace segue::http {

namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

class tcp_connection final : public connection,
                             public response_writer,
                             public std::enable_shared_from_this<tcp_connection> {
public:
  tcp_connection(asio::ip::tcp::socket socket, const edge& where, const router& routes, io_parts& parts)
      : stream_(std::move(socket)), edge_(where), routes_(routes), parts_(parts), reader_(stream_, where),
        out_(stream_.socket(), parts.outlets) {
    edge_.counters.connections.Increment();
  }

  ~tcp_connection() override { edge_.counters.connections.Decrement(); }

  asio::awaitable<void> run() override;
  void stop() override;

  // -- response_writer
  asio::awaitable<void> send(response x) override;
  asio::awaitable<void> begin(response head, std::optional<uint64_t> length) override;
  asio::awaitable<void> write(std::vector<payload> body) override;
  asio::awaitable<void> finish() override;
  asio::awaitable<void> upgrade() override;
  bool chunked() const override { return chunked_; }
  bool client_left() override;
  void follow(const stream_reader& found, const wire_format& format, position at, std::string cursor) override;

private:
  void prepare();
  void close(bool whole);
  bool all_said() const { return !streaming_ || websocket_; } ///< a WebSocket says by itself how it ends
  asio::awaitable<bool> listen();
  asio::awaitable<bool> serve_one();
  asio::awaitable<void> answer(exchange& x);
  asio::awaitable<void> refuse(problem x);
  std::string_view header(bhttp::field name) const;
  void watch_for_leaving();

  template <class Body>
  void fill(bhttp::response<Body>& out, const response& x);

  beast::tcp_stream stream_;
  const edge& edge_;
  const router& routes_;
  io_parts& parts_;
  request_reader reader_;
  outlet out_;
  std::unique_ptr<websocket> websocket_;

  // -- of the request being served
  websocket::request message_;
  std::unique_ptr<session> session_;
  std::unique_ptr<listener> listener_;
  unsigned version_ = 11;
  bool head_ = false;
  bool keep_alive_ = false;
  bool serving_ = false;
  bool streaming_ = false; ///< between `begin` and `finish`
  bool chunked_ = false;
  bool finished_ = false;  ///< a whole response was sent
  bool stopping_ = false;
};

// -- serving ------------------------------------------------------------------------------------------------------------

asio::awaitable<void> tcp_connection::run() {
  auto self = shared_from_this();
  bool whole = false;
  prepare();
  try {
    for (bool more = true; more && !stopping_;) {
      more = co_await serve_one();
      if (listener_)
        more = co_await listen();
    }
    whole = all_said();
  } catch (const boost::system::system_error&) {
    // The client is gone: nothing is left to be told to anybody.
  } catch (const std::exception& e) {
    log::error("http", "handler_failed", e.what());
  }
  close(whole);
}

/// Behind a TLS door the client can tell: a shutdown says that this was everything, a close alone that it is cut off.
void tcp_connection::close(bool whole) {
  error_code ignored;
  if (whole)
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.socket().close(ignored);
}

/// A peer that vanished without a word is noticed by the kernel: what it does not acknowledge in time, or, while nothing is
/// sent, a probe it does not answer.
void tcp_connection::prepare() {
  error_code ignored;
  auto& socket = stream_.socket();
  socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket.set_option(asio::socket_base::keep_alive{true}, ignored);
  int silence = static_cast<int>(edge_.outlets.stall.count());
  int seconds = std::max(silence / 2000, 1);
  auto tell = [&socket](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  tell(TCP_USER_TIMEOUT, silence);
  tell(TCP_KEEPIDLE, seconds);
  tell(TCP_KEEPINTVL, seconds);
}

/// One request and its response. False: the connection ends.
asio::awaitable<bool> tcp_connection::serve_one() {
  finished_ = false;
  streaming_ = false;
  version_ = 11;
  keep_alive_ = false;
  head_ = false;
  auto next = co_await reader_.read();
  if (auto* why = std::get_if<problem>(&next))
    co_await refuse(std::move(*why));
  if (!std::holds_alternative<request_reader::request>(next))
    co_return false;
  message_ = std::get<request_reader::request>(std::move(next));
  version_ = message_.version();
  keep_alive_ = message_.keep_alive();
  head_ = message_.method() == bhttp::verb::head;

  exchange::request what;
  what.method = std::string{message_.method_string()};
  what.body = std::move(message_.body());
  for (const auto& field : message_) {
    std::string name{field.name_string()};
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    what.headers.emplace_back(std::move(name), std::string{field.value()});
  }
  auto refusal = refuse_caller(edge_, what.method, header(bhttp::field::host), header(bhttp::field::origin));
  if (refusal) {
    co_await refuse(std::move(*refusal));
    co_return keep_alive_;
  }
  auto target = parse_url({message_.target().data(), message_.target().size()});
  if (!target) {
    co_await refuse(refused(400, "bad_target", "The request target is malformed",
        "The target must be a path that begins with / and an optional query, percent-encoded."));
    co_return keep_alive_;
  }
  what.target = std::move(*target);
  session_ = std::make_unique<session>(parts_.unit);
  exchange x{edge_, parts_.addresses, std::move(what), *session_, *this};
  serving_ = true;
  co_await answer(x);
  serving_ = false;
  if (!listener_)
    session_.reset();
  co_return finished_ && keep_alive_;
}

void tcp_connection::follow(const stream_reader& found, const wire_format& format, position at, std::string cursor) {
  listener_ = std::make_unique<listener>(edge_, parts_.at_tails, *session_, out_, found, format, at,
      std::move(cursor));
  message_ = {}; // a listener keeps what it needs
  reader_.rest();
}

/// What a handler has left to be done. False: the connection ends.
asio::awaitable<bool> tcp_connection::listen() {
  bool whole = co_await listener_->follow();
  listener_.reset();
  if (whole)
    co_await finish(); // else it is cut: there would have been more
  session_.reset();
  co_return finished_ && keep_alive_;
}

asio::awaitable<void> tcp_connection::answer(exchange& x) {
  auto match = routes_.find(x.asked().method, x.asked().target.segments);
  if (match.found) {
    x.set_parameters(std::move(match.values));
    bool welcome = co_await admit(x, match.found->needs);
    if (welcome)
      co_await match.found->answer(x);
  } else if (match.allowed.empty()) {
    auto what = refused(404, "not_found", "There is no such thing", "Nothing is served at this path.");
    co_await x.send_problem(std::move(what));
  } else {
    auto what = refused(405, "method_not_allowed", "The method is not allowed here",
        "This path answers " + match.allowed + ".");
    header_list allow{{"Allow", match.allowed}};
    co_await x.send_problem(std::move(what), std::move(allow));
  }
}

/// Answers what never became an exchange.
asio::awaitable<void> tcp_connection::refuse(problem x) {
  response out{x.status, {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}}, {to_json(x)}};
  co_await send(std::move(out));
  if (!keep_alive_)
    co_await reader_.drop_rest();
}

std::string_view tcp_connection::header(bhttp::field name) const {
  auto value = message_[name];
  return {value.data(), value.size()};
}

// -- writing ------------------------------------------------------------------------------------------------------------

template <class Body>
void tcp_connection::fill(bhttp::response<Body>& out, const response& x) {
  out.version(version_);
  out.result(x.status);
  out.keep_alive(keep_alive_ && !stopping_);
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Cross-Origin-Resource-Policy", "cross-origin");
  for (const auto& [name, value] : x.headers)
    out.set(name, value);
  header_list cross_origin;
  add_cross_origin(cross_origin, edge_, header(bhttp::field::origin));
  for (const auto& [name, value] : cross_origin)
    out.set(name, value);
  auto& m = edge_.counters;
  m.requests.Increment();
  if (x.status >= 500)
    m.requests_failed_server.Increment();
  else if (x.status >= 400)
    m.requests_failed_client.Increment();
}

asio::awaitable<void> tcp_connection::send(response x) {
  stream_.expires_after(edge_.outlets.stall);
  bhttp::response<payload_body> out;
  fill(out, x);
  auto size = payload_body::size(x.body);
  bool bodiless = x.status == 204 || x.status == 304;
  if (!bodiless && out.find(bhttp::field::content_length) == out.end())
    out.content_length(size);
  if (!head_ && !bodiless) {
    edge_.counters.bytes_sent.Increment(static_cast<double>(size));
    out.body() = std::move(x.body);
  }
  bhttp::response_serializer<payload_body> serializer{out};
  if (head_)
    co_await bhttp::async_write_header(stream_, serializer, asio::use_awaitable);
  else
    co_await bhttp::async_write(stream_, serializer, asio::use_awaitable);
  finished_ = true;
}

asio::awaitable<void> tcp_connection::begin(response head, std::optional<uint64_t> length) {
  stream_.expires_after(edge_.outlets.stall);
  bhttp::response<bhttp::empty_body> out;
  chunked_ = !length && version_ >= 11;
  if (!length && !chunked_)
    keep_alive_ = false; // no chunks in HTTP/1.0: the end of the connection is the end of the body
  fill(out, head);
  if (length)
    out.content_length(*length);
  else if (chunked_)
    out.chunked(true);
  bhttp::response_serializer<bhttp::empty_body> serializer{out};
  co_await bhttp::async_write_header(stream_, serializer, asio::use_awaitable);
  streaming_ = true;
  watch_for_leaving();
}

asio::awaitable<void> tcp_connection::write(std::vector<payload> body) {
  std::vector<asio::const_buffer> buffers;
  for (const auto& part : body)
    if (!part.empty())
      buffers.push_back(asio::buffer(part.view()));
  if (head_ || buffers.empty())
    co_return;
  stream_.expires_after(edge_.outlets.stall);
  edge_.counters.bytes_sent.Increment(static_cast<double>(payload_body::size(body)));
  if (chunked_)
    co_await asio::async_write(stream_, bhttp::make_chunk(buffers), asio::use_awaitable);
  else
    co_await asio::async_write(stream_, buffers, asio::use_awaitable);
  stream_.expires_never(); // how long the next bytes take is not the client's doing
}

asio::awaitable<void> tcp_connection::finish() {
  if (websocket_) {
    co_await websocket_->close();
    co_return;
  }
  stream_.expires_after(edge_.outlets.stall);
  if (chunked_ && !head_)
    co_await asio::async_write(stream_, bhttp::make_chunk_last(), asio::use_awaitable);
  streaming_ = false;
  finished_ = true;
}

asio::awaitable<void> tcp_connection::upgrade() {
  stream_.expires_never();
  keep_alive_ = false;
  edge_.counters.requests.Increment();
  websocket_ = make_websocket(stream_.socket(), out_, edge_.outlets.stall);
  co_await websocket_->accept(message_);
  streaming_ = true;
  websocket_->listen([self = shared_from_this()] {
    if (self->session_)
      self->session_->abort();
  });
}

bool tcp_connection::client_left() {
  char byte;
  auto there = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return there == 0 || (there < 0 && errno != EAGAIN && errno != EINTR);
}

/// While a stream waits for its next bytes nothing is written, so a client that leaves would go unnoticed.
void tcp_connection::watch_for_leaving() {
  stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, [this, self = shared_from_this()](error_code error) {
    if (error || !streaming_)
      return;
    char byte;
    error_code peeked;
    auto there = stream_.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, peeked);
    if (!peeked && there > 0)
      return; // it has sent its next request already, and so is there
    if (session_)
      session_->abort();
  });
}

void tcp_connection::stop() {
  stopping_ = true;
  if (serving_ && !streaming_)
    return; // its response is short, and tells the client to close
  if (session_)
    session_->abort();
  if (websocket_)
    websocket_->say_goodbye();
  close(all_said());
}

} // namespace

std::shared_ptr<connection> make_connection(
    asio::ip::tcp::socket socket, const edge& where, const router& routes, io_parts& parts) {
  return std::make_shared<tcp_connection>(std::move(socket), where, routes, parts);
}

} // namespace segue::http
