#include "adapters/store_place.hpp"

#include "adapters/ports.hpp"
#include "adapters/store_url.hpp"

#include <algorithm>
#include <filesystem>

namespace segue {

namespace {

std::string lower_case(std::string text) {
  for (auto& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Names of this machine are one name; what other names mean is known to their servers only.
std::string host_and_port(const store_url& x, uint16_t usual) {
  auto host = lower_case(x.host);
  if (host == "localhost" || host == "[::1]" || host.empty())
    host = "127.0.0.1";
  return host + ":" + std::to_string(x.port ? x.port : usual);
}

/// `x` beyond `adapters/redis`: a number, with or without zeros in front.
std::string redis_place(store_url x) {
  auto database = x.path.substr(std::min(x.path.find_first_not_of('0'), x.path.size()));
  return "redis " + host_and_port(x, 6379) + " database " + (database.empty() ? "0" : database) + " prefix " + x.take("prefix", "segue:");
}

/// Without a name it is the database of the user.
std::string postgres_place(store_url x) {
  return "postgresql " + host_and_port(x, 5432) + " database " + (x.path.empty() ? x.user : x.path) + " schema "
      + x.take("schema", "segue");
}

/// Amazon's buckets have one name in all the world, whichever of its hosts is asked.
std::string s3_place(store_url x) {
  auto text = x.take("endpoint", "https://s3.amazonaws.com");
  auto at = parse_store_url(text);
  bool amazon = lower_case(at.host).ends_with(".amazonaws.com");
  auto prefix = x.path.ends_with('/') ? x.path.substr(0, x.path.size() - 1) : x.path;
  return "s3 " + (amazon ? "amazonaws.com" : host_and_port(at, at.scheme == "https" ? 443 : 80)) + " bucket " + x.host + " prefix " + prefix;
}

/// As a file or folder of this machine. Slashes in front may be three.
std::string path_place(const std::string& scheme, const std::string& rest) {
  std::error_code ignored;
  auto path = std::filesystem::weakly_canonical(rest.starts_with("///") ? rest.substr(2) : rest, ignored).string();
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return scheme + " " + (path.empty() ? rest : path);
}

} // namespace

std::string place_of(const std::string& url) {
  auto colon = url.find(':');
  auto scheme = url.substr(0, colon);
  auto rest = colon == std::string::npos ? std::string{} : url.substr(colon + 1);
  if (rest.empty() || rest == ":memory:")
    return {};
  try {
    if (scheme == "redis")
      return redis_place(parse_store_url(url));
    if (scheme == "postgresql")
      return postgres_place(parse_store_url(url));
    if (scheme == "s3")
      return s3_place(parse_store_url(url));
  } catch (const adapter_error&) {
    return url; // whoever opens it says what is wrong
  }
  return scheme == "file" || scheme == "sqlite" ? path_place(scheme, rest) : url;
}

bool is_own_folder(const std::string& objects) { return objects == "file:"; }

} // namespace segue
