#include "adapters/redis/reply.hpp"

#include "adapters/ports.hpp"

#include <hiredis/hiredis.h>

#include <array>

namespace segue::redis {

namespace {

struct known_error {
  std::string_view begins_with;
  ec code;
  const char* advice;
};

/// In the order in which they are looked for.
constexpr auto known_errors = std::array{
    known_error{"OOM", ec::storage_full, "it has reached its maxmemory: raise it, or remove streams"},
    known_error{"LOADING", ec::unavailable, "it is starting"},
    known_error{"BUSY ", ec::unavailable, "somebody's script runs too long: SCRIPT KILL ends it"},
    known_error{"MISCONF", ec::unavailable, "it cannot write to its own disk"},
    known_error{"READONLY", ec::unavailable, "it is a replica: the URL must name the primary"},
    known_error{"MASTERDOWN", ec::unavailable, "it is a replica without its primary"},
    known_error{"NOREPLICAS", ec::unavailable, "it has fewer replicas than min-replicas-to-write"},
    known_error{"CLUSTERDOWN", ec::unavailable, "its cluster is down"},
    known_error{"ERR max number of clients", ec::unavailable, "raise its maxclients"},
    known_error{"NOAUTH", ec::invalid_argument, "it wants a password: redis://USER:PASSWORD@HOST:PORT/DB"},
    known_error{"WRONGPASS", ec::invalid_argument, "user or password in the URL are wrong, or the user is off"},
    known_error{"ERR AUTH", ec::invalid_argument, "it has no password: leave it out of the URL"},
    known_error{"NOPERM", ec::invalid_argument, "its user may not do that: adapters/redis/README.md has the ACL rules"},
    known_error{"ERR ACL failure", ec::invalid_argument,
        "its user may not do that: adapters/redis/README.md has the ACL rules"},
    known_error{"DENIED", ec::invalid_argument, "it takes no connections from elsewhere: see protected-mode"},
    known_error{"ERR DB index", ec::invalid_argument, "the path of the URL is the number of a database"},
    known_error{"ERR invalid DB index", ec::invalid_argument, "the path of the URL is the number of a database"},
    known_error{"ERR Error compiling script", ec::invalid_argument, "Redis 7 or newer is needed"},
    known_error{"ERR Can not run script on cluster", ec::invalid_argument, "a Redis Cluster cannot be used"},
    known_error{"MOVED", ec::invalid_argument, "a Redis Cluster cannot be used"},
    known_error{"WRONGTYPE", ec::corrupt, "somebody else uses keys with the same prefix"},
};

} // namespace

void reply::closer::operator()(redisReply* x) const { freeReplyObject(x); }

bool value::is_nil() const { return !raw_ || raw_->type == REDIS_REPLY_NIL; }

bool value::is_error() const { return raw_ && raw_->type == REDIS_REPLY_ERROR; }

std::string_view value::text() const {
  if (!raw_ || !raw_->str
      || (raw_->type != REDIS_REPLY_STRING && raw_->type != REDIS_REPLY_STATUS && raw_->type != REDIS_REPLY_ERROR))
    throw adapter_error{ec::internal, "Redis answered something else than a text"};
  return {raw_->str, raw_->len};
}

size_t value::size() const { return raw_ && raw_->type == REDIS_REPLY_ARRAY ? raw_->elements : 0; }

value value::operator[](size_t i) const {
  if (i >= size())
    throw adapter_error{ec::internal, "Redis answered less than was asked for"};
  return value{raw_->element[i]};
}

void expect_good(const value& answer, const std::string& server) {
  if (!answer.is_error())
    return;
  auto text = answer.text();
  for (const auto& known : known_errors)
    if (text.starts_with(known.begins_with))
      throw adapter_error{known.code, server + ": " + known.advice + " (" + std::string{text} + ")"};
  throw adapter_error{ec::internal, server + ": " + std::string{text}};
}

} // namespace segue::redis
