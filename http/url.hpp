// The target of a request, taken apart and decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::http {

struct url {
  std::string host;                  ///< and port, of an absolute form; else empty
  std::string path;                  ///< as it was sent
  std::vector<std::string> segments; ///< of the path, decoded
  std::vector<std::pair<std::string, std::string>> query; ///< in order, decoded

  /// The value of a parameter, or nothing. The first one, when there are several.
  std::optional<std::string> find(std::string_view name) const;

  /// How often a parameter is given.
  size_t count(std::string_view name) const;
};

/// Nothing when the target is neither a valid origin form nor an absolute one of this server's schemes.
std::optional<url> parse_url(std::string_view target);

} // namespace segue::http
