// One signed HTTP call to the store, and its answer.
#pragma once

#include "adapters/s3/address.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace segue::s3 {

struct request {
  std::string doing;  ///< for errors: "reading object "a/b""
  std::string method; ///< GET, HEAD, PUT, POST or DELETE
  std::string key;    ///< consists of what needs no encoding; none: the bucket itself
  std::string query;  ///< encoded, its parameters in alphabetical order, each with a `=`: what is signed is what is sent
  std::vector<std::string> headers; ///< `Name: value`, never without a value
  std::string_view body;
  uint64_t expected = 0; ///< bytes of the answer's body
  std::chrono::milliseconds patience{0}; ///< for everything but the bytes of bodies; 0: the usual one
};

struct answer {
  long status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;

  /// Its value, or nothing.
  std::string header(const std::string& name) const;
};

/// Signs and sends, by libcurl, one call for each thread at a time, over connections that are kept. No redirection is
/// followed, no proxy used.
class client {
public:
  client(address where, std::chrono::milliseconds patience);
  ~client();

  const address& where() const { return where_; }

  /// The answer, whatever its status. Throws `adapter_error` when none came: `ec::unavailable`, or `ec::timeout`.
  answer send(const request& what);

private:
  class call;
  struct handle_closer {
    void operator()(void* x) const;
  };
  using easy_handle = std::unique_ptr<void, handle_closer>;

  easy_handle take();
  void give_back(easy_handle handle);

  address where_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::vector<easy_handle> idle_; ///< each with its connections; the last was used last
};

} // namespace segue::s3
