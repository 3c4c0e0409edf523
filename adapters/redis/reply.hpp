// What a Redis server answers.
#pragma once

#include <memory>
#include <string_view>

struct redisReply;

namespace segue::redis {

/// A part of a reply; lives as long as that.
class value {
public:
  explicit value(const redisReply* raw) : raw_(raw) {}

  bool is_nil() const;
  bool is_error() const;

  /// Of a string, a status or an error. Throws `adapter_error` for anything else.
  std::string_view text() const;

  /// Elements of an array; none, if it is no array.
  size_t size() const;
  value operator[](size_t i) const;

private:
  const redisReply* raw_;
};

class reply : public value {
public:
  /// Takes it over.
  explicit reply(redisReply* raw) : value(raw), owned_(raw) {}

private:
  struct closer {
    void operator()(redisReply* x) const;
  };
  std::unique_ptr<redisReply, closer> owned_;
};

/// Throws `adapter_error` if it is an error, with the code that fits. `server` names it for people.
void expect_good(const value& answer, const std::string& server);

} // namespace segue::redis
