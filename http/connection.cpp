#include "http/connection.hpp"

#include "actors/log.hpp"
#include "http/admission.hpp"
#include "http/callers.hpp"
#include "http/listener.hpp"
#include "http/request_reader.hpp"
#include "http/responder.hpp"
#include "http/tcp_options.hpp"
#include "http/websocket.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/field.hpp>

namespace segue::http {

namespace {

namespace bhttp = boost::beast::http;
using boost::system::error_code;

class tcp_connection final : public connection,
                             public response_writer,
                             public std::enable_shared_from_this<tcp_connection> {
public:
  tcp_connection(asio::ip::tcp::socket socket, const edge& where, const router& routes, io_parts& parts)
      : socket_(std::move(socket)), edge_(where), routes_(routes), parts_(parts), reader_(socket_, where),
        responder_(where, parts.io, socket_), out_(socket_, parts.outlets) {
    edge_.counters.connections.Increment();
  }

  ~tcp_connection() override { edge_.counters.connections.Decrement(); }

  asio::awaitable<void> run() override;
  void stop() override;

  // -- response_writer
  asio::awaitable<void> send(response x) override { return responder_.send(std::move(x)); }
  asio::awaitable<void> begin(response head, std::optional<uint64_t> length) override;
  asio::awaitable<void> write(std::vector<payload> body) override { return responder_.write(std::move(body)); }
  asio::awaitable<void> finish() override;
  asio::awaitable<void> upgrade() override;
  bool chunked() const override { return responder_.chunked(); }
  bool client_left() override;
  void follow(const stream_reader& found, const wire_format& format, position at, std::string cursor) override;

private:
  void close(bool whole);
  bool all_said() const { return !responder_.streaming() || websocket_; } ///< a WebSocket says by itself how it ends
  asio::awaitable<bool> listen();
  asio::awaitable<bool> serve_one();
  asio::awaitable<void> answer(exchange& x);
  asio::awaitable<void> refuse(problem x);
  std::string_view header(bhttp::field name) const;
  void watch_for_leaving();

  asio::ip::tcp::socket socket_;
  const edge& edge_;
  const router& routes_;
  io_parts& parts_;
  request_reader reader_;
  responder responder_;
  outlet out_;
  std::unique_ptr<websocket> websocket_;

  // -- of the request being served
  websocket::request message_;
  std::unique_ptr<session> session_;
  std::unique_ptr<listener> listener_;
  bool serving_ = false;
  bool stopping_ = false;
};

// -- serving ------------------------------------------------------------------------------------------------------------

asio::awaitable<void> tcp_connection::run() {
  auto self = shared_from_this();
  bool whole = false;
  prepare(socket_, edge_.outlets.stall);
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

/// One request and its response. False: the connection ends.
asio::awaitable<bool> tcp_connection::serve_one() {
  responder_.answer({});
  auto next = co_await reader_.read();
  if (auto* why = std::get_if<problem>(&next))
    co_await refuse(std::move(*why));
  if (!std::holds_alternative<request_reader::request>(next))
    co_return false;
  message_ = std::get<request_reader::request>(std::move(next));
  responder_.answer({message_.version(), message_.keep_alive(), message_.method() == bhttp::verb::head,
      std::string{header(bhttp::field::origin)}});

  auto target = parse_url({message_.target().data(), message_.target().size()});
  if (!target) {
    co_await refuse(refused(400, "bad_target", "The request target is malformed",
        "The target must be a path that begins with / and an optional query, percent-encoded."));
    co_return responder_.keeps_alive();
  }
  if (!target->host.empty())
    message_.set(bhttp::field::host, target->host); // which counts
  exchange::request what;
  auto view = [](auto x) { return std::string_view{x.data(), x.size()}; };
  what.method = view(message_.method_string());
  what.body = std::move(message_.body());
  for (const auto& field : message_)
    what.headers.emplace_back(view(field.name_string()), view(field.value()));
  auto refusal = refuse_caller(edge_, what.method, header(bhttp::field::host), header(bhttp::field::origin));
  if (refusal) {
    co_await refuse(std::move(*refusal));
    co_return responder_.keeps_alive();
  }
  what.target = std::move(*target);
  session_ = std::make_unique<session>(parts_.unit);
  exchange x{edge_, parts_.addresses, std::move(what), *session_, *this};
  serving_ = true;
  co_await answer(x);
  serving_ = false;
  if (listener_) { // which keeps what it needs
    message_ = {};
    reader_.rest();
  } else {
    session_.reset();
  }
  co_return responder_.finished() && responder_.keeps_alive();
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
  co_return responder_.finished() && responder_.keeps_alive();
}

asio::awaitable<void> tcp_connection::answer(exchange& x) {
  auto match = routes_.find(x.asked().method, x.asked().target.segments);
  if (match.found) {
    x.set_parameters(std::move(match.values));
    bool welcome = co_await admit(x, *match.found);
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
  if (!responder_.keeps_alive())
    co_await reader_.drop_rest();
}

std::string_view tcp_connection::header(bhttp::field name) const {
  auto value = message_[name];
  return {value.data(), value.size()};
}

// -- writing ------------------------------------------------------------------------------------------------------------

asio::awaitable<void> tcp_connection::begin(response x, std::optional<uint64_t> length) {
  co_await responder_.begin(std::move(x), length);
  if (!length)
    watch_for_leaving();
}

asio::awaitable<void> tcp_connection::finish() {
  return websocket_ ? websocket_->close() : responder_.finish();
}

asio::awaitable<void> tcp_connection::upgrade() {
  edge_.counters.requests.Increment();
  auto drain_aside = [this] {
    asio::co_spawn(parts_.io, [self = shared_from_this()]() -> asio::awaitable<void> { co_await self->out_.drain(); }, asio::detached);
  };
  websocket_ = make_websocket(socket_, out_, edge_.outlets.stall, drain_aside);
  co_await websocket_->accept(message_);
  responder_.hand_over();
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

/// While a stream waits for its next bytes nothing is written, so a client that leaves would go unnoticed. One that is there may send its next
/// request already, and leave then.
void tcp_connection::watch_for_leaving() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [this, self = shared_from_this()](error_code error) {
    if (error || !responder_.streaming())
      return;
    if (reader_.take_ahead())
      return watch_for_leaving();
    if (session_)
      session_->abort();
  });
}

void tcp_connection::stop() {
  stopping_ = true;
  responder_.close_after_next();
  if (serving_ && !responder_.endless()) {
    session_->wake(); // a long poll is answered; every other response ends soon
    return;
  }
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
