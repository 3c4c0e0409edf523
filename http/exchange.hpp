// One request and its response, as handlers see them. Beast stays behind `connection.cpp`.
#pragma once

#include "actors/metrics.hpp"
#include "http/address_book.hpp"
#include "http/outlet.hpp"
#include "http/problem.hpp"
#include "http/url.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace segue::http {

/// What the edge works with; outlives every connection.
struct edge {
  caf::actor_system& system;
  registry_actor registry;
  metrics& counters;
  nodes_actor nodes{}; ///< null: there is no other node
  std::string listen_host{}; ///< as listened on
  unsigned short port = 0;
  std::vector<std::string> allow_origins{}; ///< of web pages of others that may use this server; `*`: all
  size_t stream_name = 512; ///< longest path of a stream of an application, in bytes
  std::shared_ptr<class tls_door> tls{}; ///< null: plain
  bool auth = false;       ///< requests show a credential
  std::string metrics_token{}; ///< what /metrics asks for then
  bool any_host = false;   ///< do not check `Host`: whoever listens beyond loopback is reached under many names
  size_t body_limit = 1 << 20;
  size_t header_limit = 16 << 10;
  size_t connections = 10'000;
  std::chrono::milliseconds patience{30'000}; ///< for a request to arrive
  outlet_limits outlets{std::chrono::minutes{5}, 512 << 20, counters};
  size_t listener_bytes = 256 << 10; ///< of a stream in one frame to a live listener, unless one chunk is larger
  std::chrono::milliseconds long_poll{25'000}; ///< how long a long poll waits
  std::chrono::milliseconds read_patience{120'000}; ///< with a stream that cannot be read, on behalf of a live listener

  /// At the tail of any stream: who is sent something large must not hold them up.
  bool anybody_listens() const { return counters.listeners.Value() > 0; }
};

using header_list = std::vector<std::pair<std::string, std::string>>;

struct response {
  unsigned status = 200;
  header_list headers;
  std::vector<payload> body; ///< shared, never copied
};

class stream_reader;
class wire_format;

/// The side of a connection that writes; throws `boost::system::system_error` when the client is gone.
class response_writer {
public:
  virtual ~response_writer() = default;
  virtual asio::awaitable<void> send(response x) = 0;
  virtual asio::awaitable<void> begin(response head, std::optional<uint64_t> length) = 0;
  virtual asio::awaitable<void> write(std::vector<payload> body) = 0;
  virtual asio::awaitable<void> finish() = 0;
  virtual asio::awaitable<void> upgrade() = 0;
  virtual bool chunked() const = 0;
  virtual bool client_left() = 0;
  virtual void follow(const stream_reader& found, const wire_format& format, position at, std::string cursor) = 0;
};

class exchange {
public:
  /// The client's side of a request.
  struct request {
    std::string_view method;
    url target;
    std::vector<std::pair<std::string_view, std::string_view>> headers; ///< as they came
    std::string body;
  };

  exchange(const edge& where, address_book& addresses, request what, session& asker, response_writer& writer)
      : edge_(where), addresses_(addresses), request_(std::move(what)), session_(asker), writer_(writer) {}

  // -- the request
  const edge& where() const { return edge_; }
  const request& asked() const { return request_; }
  std::string take_body() { return std::move(request_.body); } ///< which is empty from then on
  bool is_head() const { return request_.method == "HEAD"; }
  std::string_view header(std::string_view name) const; ///< in any case; without data when it is not there
  bool has(std::string_view tag) const; ///< of content, with its quotes: `If-None-Match` says that the client has it
  std::optional<std::string> query(std::string_view name) const { return request_.target.find(name); }

  /// What the route's `{name}` matched.
  const std::string& parameter(std::string_view name) const;
  void set_parameters(std::vector<std::pair<std::string, std::string>> x) { parameters_ = std::move(x); }

  // -- asking actors
  template <class Handle, class Request>
  auto ask(Handle destination, Request what) {
    return session_.ask(std::move(destination), std::move(what));
  }

  session& asker() { return session_; }

  /// Whether nobody waits for the answer any more.
  bool client_left() { return writer_.client_left(); }

  /// Learns what the credential of this request opens, and who asks. Error: nothing.
  asio::awaitable<caf::error> open_services();

  /// The services of the tenant this request belongs to, and who asks: of every route that is not open to all.
  const tenant_services& services() const { return *services_; }
  bool has_services() const { return static_cast<bool>(services_); }

  /// Where its streams were last.
  address_book& addresses() { return addresses_; }

  // -- the response
  asio::awaitable<void> send(response x) { return writer_.send(std::move(x)); }
  asio::awaitable<void> send_text(unsigned status, std::string type, std::string body, header_list headers = {});
  asio::awaitable<void> send_json(const nlohmann::ordered_json& body, unsigned status = 200); ///< for no cache
  asio::awaitable<void> send_problem(problem x, header_list headers = {});
  asio::awaitable<void> send_error(const caf::error& error);

  /// A body in parts, of known length: `begin`, any number of `write`, `finish`. Leaving `finish` out cuts the connection, and so
  /// tells the client that there should have been more. A client that leaves a body of unknown length aborts what is being asked.
  /// One of unknown length is left to `follow`.
  asio::awaitable<void> begin(response head, std::optional<uint64_t> length = {}) {
    return writer_.begin(std::move(head), length);
  }
  asio::awaitable<void> write(std::vector<payload> body) { return writer_.write(std::move(body)); }
  asio::awaitable<void> finish() { return writer_.finish(); }

  // -- a response that follows a stream
  /// Instead of `begin`: the connection becomes a WebSocket. Throws when the request asks for none that we speak.
  asio::awaitable<void> upgrade() { return writer_.upgrade(); }

  /// Whether what is sent after `begin` must be put into HTTP chunks.
  bool chunked() const { return writer_.chunked(); }

  /// A handler's last word, after `begin` or `upgrade`: once it has returned and everything of the request is gone, the
  /// connection sends the stream from `at` on, and finishes the response when the stream is closed.
  /// `cursor` is the one the client has shown.
  void follow(const stream_reader& found, const wire_format& format, position at, std::string cursor = {}) {
    writer_.follow(found, format, at, std::move(cursor));
  }

private:
  const edge& edge_;
  address_book& addresses_;
  request request_;
  session& session_;
  response_writer& writer_;
  address_book::known_services services_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

} // namespace segue::http
