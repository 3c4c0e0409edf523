// One POST to a model, and its answer, pulled: bytes are taken from the socket only while somebody waits for them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace segue::http_generator {

/// Whom to ask, and how patiently.
struct model_address {
  std::string url;
  std::chrono::milliseconds silence{60'000}; ///< time without a byte after which the model is given up
  std::chrono::milliseconds longest{3'600'000}; ///< sound of one answer; a model that sends more is out of its mind
};

/// Throws `adapter_error{ec::invalid_argument}` unless it is an address of the form http://HOST:PORT/PATH.
void check(const std::string& url);

/// Whether something accepts connections there, in words. Throws `adapter_error{ec::unavailable}` if not.
std::string probe(const model_address& model);

/// Blocking, by libcurl. Its destructor closes the connection, wherever the answer is. No proxy is used, no redirection
/// followed, and the request is never sent twice.
class model_call {
public:
  /// Begins to connect, and returns. `json` is the body of the request.
  model_call(const model_address& model, std::string json);
  ~model_call();

  /// Waits until something comes, at most for `patience`. Throws `adapter_error` when nothing more can come: `unavailable`
  /// when the connection failed or was cut, `timeout` when the model was silent for too long. Only waiting counts as
  /// silence. What came before stays to be taken.
  void wait(std::chrono::milliseconds patience);

  /// Status and headers have come.
  bool answered() const;
  long status() const;
  std::optional<std::string> header(const char* name) const;

  /// Neither a Content-Length nor chunks: a cut cannot be told from the end.
  bool open_ended() const;

  /// The next bytes of the body that have come, at most so many; empty: none yet, or none any more.
  std::string take(size_t most);

  /// The whole body has come, and was taken.
  bool over() const;

private:
  struct transfer;
  std::unique_ptr<transfer> transfer_;
};

} // namespace segue::http_generator
