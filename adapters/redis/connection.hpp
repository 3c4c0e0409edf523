// One connection to a Redis server, as who the URL says.
#pragma once

#include "adapters/redis/reply.hpp"
#include "adapters/store_url.hpp"

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

struct redisContext;

namespace segue::redis {

/// Where a server is, and how long it may take: to connect, and for each command.
struct server {
  std::string host;
  uint16_t port = 6379;
  std::string user; ///< empty: the default one
  std::string password;
  std::string database; ///< its number; empty: 0
  std::chrono::milliseconds timeout{5'000};

  /// For logs and errors.
  std::string name() const { return "Redis at " + host + ":" + std::to_string(port); }
};

/// Throws `adapter_error{ec::invalid_argument}`.
server server_of(const store_url& url, std::chrono::milliseconds timeout);

/// A command, word by word.
using words = std::vector<std::string>;

/// Lua that runs in the server; lives as long as the program.
using script = std::string;

/// Used by one thread at a time. Every call may throw `adapter_error`. After `ec::unavailable` or `ec::timeout` on the wire it
/// is no longer connected, and nobody knows whether the command was carried out.
class connection {
public:
  explicit connection(server where);
  ~connection();

  bool connected() const { return context_ != nullptr; }

  /// Anew, if it was.
  void connect();
  void disconnect();

  /// Whether the server has ended it while nothing was under way.
  bool hung_up() const;

  /// Connects unless it is, and the server has not hung up meanwhile.
  void ensure();

  /// The answer, which is no error.
  reply run(const words& command);

  /// All of them in one go, in order; an answer may be an error.
  std::vector<reply> run_all(std::span<const words> commands);

  /// Loads the script when the server does not know it. The answer is no error.
  reply run(const script& code, const words& keys, const words& arguments = {});

  const server& where() const { return where_; }

private:
  struct closer {
    void operator()(redisContext* x) const;
  };
  using clock = std::chrono::steady_clock;

  void greet();
  std::vector<reply> exchange(const std::string& request, size_t answers);
  void send(const std::string& bytes, clock::time_point until);
  reply receive(clock::time_point until);
  [[noreturn]] void fail(const char* doing, int error);
  std::string load(const script& code);

  server where_;
  std::unique_ptr<redisContext, closer> context_;
  std::map<const script*, std::string> loaded_; ///< their names in the server
};

} // namespace segue::redis
