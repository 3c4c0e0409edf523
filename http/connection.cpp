#include "http/connection.hpp"

#include "actors/log.hpp"
#include "http/admission.hpp"
#include "http/callers.hpp"
#include "http/listener.hpp"
#include "http/request_reader.hpp"
#include "http/response_head.hpp"
#include "http/websocket.hpp"
#include "http/write_all.hpp"

#include <boost/beast/http/field.hpp>

#include <algorithm>

#include <netinet/tcp.h>

namespace segue::http {

namespace {

namespace bhttp = boost::beast::http;
using boost::system::error_code;

constexpr size_t slice = 512 << 10;                 ///< bytes of a response that are sent in a row,
constexpr size_t slice_beside_listeners = 32 << 10; ///< for which those who listen live have to wait

class tcp_connection final : public connection,
                             public response_writer,
                             public std::enable_shared_from_this<tcp_connection> {
public:
  tcp_connection(asio::ip::tcp::socket socket, const edge& where, const router& routes, io_parts& parts)
      : socket_(std::move(socket)), edge_(where), routes_(routes), parts_(parts), reader_(socket_, where),
        out_(socket_, parts.outlets) {
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

  response_head head_of(const response& x);
  asio::awaitable<void> put(std::vector<payload> bytes);

  asio::ip::tcp::socket socket_;
  const edge& edge_;
  const router& routes_;
  io_parts& parts_;
  request_reader reader_;
  outlet out_;
  std::unique_ptr<websocket> websocket_;
  std::unique_ptr<session> session_; ///< of one request after the other

  // -- of the request being served
  websocket::request message_;
  std::unique_ptr<listener> listener_;
  unsigned version_ = 11;
  bool head_only_ = false;
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
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

/// A peer that vanished without a word is noticed by the kernel: what it does not acknowledge in time, or, while nothing is
/// sent, a probe it does not answer.
void tcp_connection::prepare() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.set_option(asio::socket_base::keep_alive{true}, ignored);
  socket_.non_blocking(true, ignored); // what it does not take at once is waited for
  int silence = static_cast<int>(edge_.outlets.stall.count());
  int seconds = std::max(silence / 2000, 1);
  auto tell = [this](int option, int value) {
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
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
  head_only_ = false;
  auto next = co_await reader_.read();
  if (auto* why = std::get_if<problem>(&next))
    co_await refuse(std::move(*why));
  if (!std::holds_alternative<request_reader::request>(next))
    co_return false;
  message_ = std::get<request_reader::request>(std::move(next));
  version_ = message_.version();
  keep_alive_ = message_.keep_alive();
  head_only_ = message_.method() == bhttp::verb::head;

  exchange::request what;
  auto view = [](auto x) { return std::string_view{x.data(), x.size()}; };
  what.method = view(message_.method_string());
  what.body = std::move(message_.body());
  for (const auto& field : message_)
    what.headers.emplace_back(view(field.name_string()), view(field.value()));
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
  if (!session_)
    session_ = std::make_unique<session>(parts_.unit);
  exchange x{edge_, parts_.addresses, std::move(what), *session_, *this};
  serving_ = true;
  co_await answer(x);
  serving_ = false;
  if (listener_) { // which keeps what it needs
    message_ = {};
    reader_.rest();
  } else if (session_->aborted()) {
    session_.reset();
  }
  co_return finished_ && keep_alive_;
}

void tcp_connection::follow(const stream_reader& found, const wire_format& format, position at, std::string cursor) {
  listener_ = std::make_unique<listener>(edge_, parts_.at_tails, *session_, out_, found, format, at,
      std::move(cursor));
}

/// What a handler has left to be done. False: the connection ends.
asio::awaitable<bool> tcp_connection::listen() {
  bool whole = co_await listener_->follow();
  listener_.reset();
  if (whole)
    co_await finish(); // else it is cut: there would have been more
  else if (websocket_ && !session_->aborted())
    websocket_->say_lost();
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

response_head tcp_connection::head_of(const response& x) {
  response_head head{version_, x.status};
  head.add("X-Content-Type-Options", "nosniff");
  head.add("Cross-Origin-Resource-Policy", "cross-origin");
  for (const auto& [name, value] : x.headers)
    head.add(name, value);
  header_list cross_origin;
  add_cross_origin(cross_origin, edge_, header(bhttp::field::origin));
  for (const auto& [name, value] : cross_origin)
    head.add(name, value);
  bool stays = keep_alive_ && !stopping_;
  if (stays != (version_ >= 11)) // what is usual need not be said
    head.add("Connection", stays ? "keep-alive" : "close");
  auto& m = edge_.counters;
  m.requests.Increment();
  if (x.status >= 500)
    m.requests_failed_server.Increment();
  else if (x.status >= 400)
    m.requests_failed_client.Increment();
  return head;
}

asio::awaitable<void> tcp_connection::put(std::vector<payload> bytes) {
  write_limits limits{edge_.anybody_listens() ? slice_beside_listeners : slice, edge_.outlets.stall};
  return write_all(parts_.io, socket_, std::move(bytes), limits);
}

asio::awaitable<void> tcp_connection::send(response x) {
  uint64_t size = 0;
  for (const auto& part : x.body)
    size += part.size();
  bool bodiless = x.status == 204 || x.status == 304;
  auto head = head_of(x);
  if (!bodiless)
    head.add("Content-Length", std::to_string(size));
  std::vector<payload> bytes{payload{head.take()}};
  if (!head_only_ && !bodiless) {
    edge_.counters.bytes_sent.Increment(static_cast<double>(size));
    bytes.insert(bytes.end(), std::make_move_iterator(x.body.begin()), std::make_move_iterator(x.body.end()));
  }
  co_await put(std::move(bytes));
  finished_ = true;
}

asio::awaitable<void> tcp_connection::begin(response x, std::optional<uint64_t> length) {
  chunked_ = !length && version_ >= 11;
  if (!length && !chunked_)
    keep_alive_ = false; // no chunks in HTTP/1.0: the end of the connection is the end of the body
  auto head = head_of(x);
  if (length)
    head.add("Content-Length", std::to_string(*length));
  else if (chunked_)
    head.add("Transfer-Encoding", "chunked");
  std::vector<payload> bytes{payload{head.take()}};
  co_await put(std::move(bytes));
  streaming_ = true;
  watch_for_leaving();
}

asio::awaitable<void> tcp_connection::write(std::vector<payload> body) {
  if (head_only_)
    co_return;
  for (const auto& part : body)
    edge_.counters.bytes_sent.Increment(static_cast<double>(part.size()));
  co_await put(std::move(body));
}

asio::awaitable<void> tcp_connection::finish() {
  if (websocket_) {
    co_await websocket_->close();
    co_return;
  }
  static const payload last_chunk{"0\r\n\r\n"};
  if (chunked_ && !head_only_) {
    std::vector<payload> bytes{last_chunk};
    co_await put(std::move(bytes));
  }
  streaming_ = false;
  finished_ = true;
}

asio::awaitable<void> tcp_connection::upgrade() {
  keep_alive_ = false;
  edge_.counters.requests.Increment();
  websocket_ = make_websocket(socket_, out_, edge_.outlets.stall);
  co_await websocket_->accept(message_);
  streaming_ = true;
  websocket_->listen([self = shared_from_this()] {
    if (self->session_)
      self->session_->abort();
  });
}

bool tcp_connection::client_left() {
  char byte;
  auto there = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return there == 0 || (there < 0 && errno != EAGAIN && errno != EINTR);
}

/// While a stream waits for its next bytes nothing is written, so a client that leaves would go unnoticed.
void tcp_connection::watch_for_leaving() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [this, self = shared_from_this()](error_code error) {
    if (error || !streaming_)
      return;
    char byte;
    error_code peeked;
    auto there = socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, peeked);
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
