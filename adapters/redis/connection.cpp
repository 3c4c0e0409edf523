#include "adapters/redis/connection.hpp"

#include "adapters/ports.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace segue::redis {

namespace {

timeval timeval_of(std::chrono::milliseconds x) {
  return {static_cast<time_t>(x.count() / 1000), static_cast<suseconds_t>(x.count() % 1000 * 1000)};
}

void add(std::string& request, const words& some) {
  for (const auto& word : some)
    request.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

std::string header(size_t count) { return "*" + std::to_string(count) + "\r\n"; }

} // namespace

server server_of(const store_url& url, std::chrono::milliseconds timeout) {
  auto refuse = [](const std::string& why) {
    throw adapter_error{ec::invalid_argument, why + "; the URL is like redis://USER:PASSWORD@HOST:PORT/DB"};
  };
  if (url.host.empty())
    refuse("redis: there is no host");
  if (url.path.find_first_not_of("0123456789") != std::string::npos)
    refuse("redis: \"" + url.path + "\" is not the number of a database");
  if (!url.user.empty() && url.password.empty())
    refuse("redis: user \"" + url.user + "\" has no password");
  server x;
  x.host = url.host;
  if (x.host.starts_with('[') && x.host.ends_with(']')) // an IPv6 address
    x.host = x.host.substr(1, x.host.size() - 2);
  x.port = url.port == 0 ? x.port : url.port;
  x.user = url.user;
  x.password = url.password;
  x.database = url.path;
  x.timeout = std::max(timeout, std::chrono::milliseconds{1}); // 0 would be for ever
  return x;
}

void connection::closer::operator()(redisContext* x) const { redisFree(x); }

connection::connection(server where) : where_(std::move(where)) {}

connection::~connection() = default;

void connection::disconnect() { context_.reset(); }

void connection::connect() {
  disconnect();
  auto limit = timeval_of(where_.timeout);
  errno = 0; // what went wrong before is no part of it
  context_.reset(redisConnectWithTimeout(where_.host.c_str(), where_.port, limit));
  bool in_vain = errno == ETIMEDOUT; // others need not wait as well: see `breaker`
  if (!context_)
    throw adapter_error{ec::unavailable, where_.name() + ": no memory for a connection"};
  if (context_->err != 0) {
    auto why = std::string{context_->errstr};
    disconnect();
    throw adapter_error{in_vain ? ec::timeout : ec::unavailable, where_.name() + " cannot be reached: " + why};
  }
  if (redisSetTimeout(context_.get(), limit) != REDIS_OK || redisEnableKeepAlive(context_.get()) != REDIS_OK)
    fail("setting a time limit", errno);
  fcntl(context_->fd, F_SETFD, FD_CLOEXEC);
  try {
    greet();
  } catch (...) {
    disconnect(); // else it would be used as somebody else
    throw;
  }
}

void connection::greet() {
  if (!where_.password.empty())
    run(where_.user.empty() ? words{"AUTH", where_.password} : words{"AUTH", where_.user, where_.password});
  if (!where_.database.empty())
    run({"SELECT", where_.database});
}

/// Nothing comes unasked but the end.
bool connection::hung_up() const {
  pollfd socket{context_ ? context_->fd : -1, POLLIN, 0};
  return context_ && poll(&socket, 1, 0) != 0;
}

void connection::ensure() {
  if (!context_ || hung_up())
    connect();
}

reply connection::run(const words& command) {
  auto answers = exchange([&] {
    auto request = header(command.size());
    add(request, command);
    return request;
  }(), 1);
  expect_good(answers.front(), where_.name());
  return std::move(answers.front());
}

std::vector<reply> connection::run_all(std::span<const words> commands) {
  std::string request;
  for (const auto& command : commands) {
    request += header(command.size());
    add(request, command);
  }
  return exchange(request, commands.size());
}

reply connection::run(const script& code, const words& keys, const words& arguments) {
  if (!loaded_.contains(&code))
    loaded_[&code] = load(code);
  auto request = header(3 + keys.size() + arguments.size());
  add(request, {"EVALSHA", loaded_[&code], std::to_string(keys.size())});
  add(request, keys);
  add(request, arguments);
  auto answers = exchange(request, 1);
  if (answers.front().is_error() && answers.front().text().starts_with("NOSCRIPT")) { // it was started anew
    load(code);
    answers = exchange(request, 1);
  }
  expect_good(answers.front(), where_.name());
  return std::move(answers.front());
}

std::string connection::load(const script& code) { return std::string{run({"SCRIPT", "LOAD", code}).text()}; }

std::vector<reply> connection::exchange(const std::string& request, size_t answers) {
  if (!context_)
    throw adapter_error{ec::unavailable, where_.name() + ": not connected"};
  auto until = clock::now() + where_.timeout;
  send(request, until);
  std::vector<reply> all;
  all.reserve(answers);
  for (; answers > 0; --answers)
    all.push_back(receive(until));
  return all;
}

/// Each call is bounded by the time limit of the socket, all together by `until`.
void connection::send(const std::string& bytes, clock::time_point until) {
  for (std::string_view rest{bytes}; !rest.empty();) {
    auto sent = ::send(context_->fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      fail("sending", errno);
    rest.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    if (!rest.empty() && clock::now() >= until)
      fail("sending", EAGAIN);
  }
}

reply connection::receive(clock::time_point until) {
  for (;;) {
    void* found = nullptr;
    if (redisGetReplyFromReader(context_.get(), &found) != REDIS_OK)
      fail("understanding the answer", 0);
    if (found)
      return reply{static_cast<redisReply*>(found)};
    if (clock::now() >= until)
      fail("waiting for an answer", EAGAIN);
    errno = 0;
    if (redisBufferRead(context_.get()) != REDIS_OK)
      fail("waiting for an answer", context_->err == REDIS_ERR_IO ? errno : 0);
  }
}

void connection::fail(const char* doing, int error) {
  auto timed_out = error == EAGAIN || error == EWOULDBLOCK;
  auto why = timed_out ? "nothing happened for " + std::to_string(where_.timeout.count()) + " ms"
      : error != 0     ? std::generic_category().message(error)
      : context_->err  ? std::string{context_->errstr}
                       : "unknown";
  disconnect();
  throw adapter_error{timed_out ? ec::timeout : ec::unavailable, where_.name() + ": " + doing + ": " + why};
}

} // namespace segue::redis
