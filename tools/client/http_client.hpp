#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::client {

/// How a request went.
enum class outcome {
  /// 2xx and the whole body came, up to its proper end.
  ok,
  /// The server answered, but with an error (or with something that is not Segue's).
  problem,
  /// No connection came about.
  unreachable,
  /// There was a connection, and it ended, or fell silent, before the answer was whole.
  cut,
  /// Our side ended it: the sink refused bytes or the stop condition came true.
  stopped,
};

struct reply {
  outcome kind = outcome::ok;
  /// HTTP status; 0 when no answer came.
  long status = 0;
  /// The answer, or the problem document; null when there was none.
  nlohmann::json body;
  /// One sentence for a person; set unless `kind` is ok.
  std::string detail;
  /// The Retry-After header.
  std::optional<std::chrono::seconds> retry_after;
  /// Unreachable because of its certificate, or of ours that should vouch for it.
  bool untrusted = false;

  [[nodiscard]] bool ok() const { return kind == outcome::ok; }
};

/// Takes the next bytes; false ends the transfer.
using byte_sink = std::function<bool(std::string_view bytes)>;
/// Pairs of a query string, not yet encoded.
using query = std::vector<std::pair<std::string, std::string>>;

/// Where a server is, and what it is shown.
struct endpoint {
  /// As `normalise_server` gives it.
  std::string server = "http://127.0.0.1:4437";
  /// API key or token, sent with every request and never printed; empty: none.
  std::string token;
  /// A PEM file with the authorities that may vouch for an https server; empty: the system's.
  std::string ca;
};

/// The address as `http://host:port[/prefix]`, or nothing if it is not an http(s) URL. "host:port" alone means http.
[[nodiscard]] std::optional<std::string> normalise_server(const std::string& address);
/// A text as one segment of a path.
[[nodiscard]] std::string path_segment(std::string_view text);

/// JSON and streaming requests to one server over one kept connection. Every failure is a `reply`, nothing throws.
class http_client {
public:
  /// `stop` is asked about once a second during `get` and `stream`.
  explicit http_client(endpoint where, std::function<bool()> stop = {});

  /// The absolute URL of a path (already encoded) on this server.
  [[nodiscard]] std::string url(std::string_view path, const query& parameters = {}) const;

  reply get(std::string_view path, const query& parameters = {});
  /// Posts JSON text, or nothing. Never sent twice; not ended by `stop`, for its effect would be unknown.
  reply post(std::string_view path, const std::string& json_text);
  /// DELETE. Not ended by `stop`: it is what Ctrl-C sends.
  reply remove(std::string_view path, const query& parameters = {});
  /// Hands the body of a 200 to `sink` as it comes; ends as `cut` if nothing comes for `quiet_limit`.
  reply stream(std::string_view path, const query& parameters, const byte_sink& sink);

  static constexpr std::chrono::seconds connect_limit{5};
  static constexpr std::chrono::seconds json_limit{30};
  static constexpr std::chrono::seconds quiet_limit{20};

private:
  struct transfer;
  void prepare(transfer& call, const std::string& url);
  reply perform(transfer& call);

  endpoint where_;
  std::function<bool()> stop_;
  std::unique_ptr<void, void (*)(void*)> handle_;
};

} // namespace segue::client
