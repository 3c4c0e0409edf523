// Which handler answers which method and path.
#pragma once

#include "http/exchange.hpp"

#include <functional>

namespace segue::http {

using handler = std::function<asio::awaitable<void>(exchange&)>;

/// `pattern` is a path whose segments are literal, `{name}` for any one segment, or at the end `{name*}` for the rest.
/// A handler for GET also answers HEAD.
struct route {
  std::string method;
  std::string pattern;
  handler answer;
  role needs; ///< of who asks; `nobody`: open to all
  std::string purpose; ///< one line, for people
  bool of_process = false; ///< it tells of this process, not of a tenant: an operator may know, also when no tenant can be reached
};

class router {
public:
  using parameters = std::vector<std::pair<std::string, std::string>>;

  explicit router(std::vector<route> routes);

  struct match {
    const route* found = nullptr; ///< null: no route for this method
    parameters values;
    std::string allowed; ///< when there is no route: the methods of this path, for `Allow`; empty: no such path
  };

  match find(std::string_view method, const std::vector<std::string>& segments) const;

  const std::vector<route>& all() const { return routes_; }

private:
  std::vector<route> routes_;
  std::vector<std::vector<std::string>> patterns_; ///< of each route, in segments
};

} // namespace segue::http
