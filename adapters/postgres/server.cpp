#include "adapters/postgres/server.hpp"

#include "adapters/ports.hpp"
#include "adapters/store_url.hpp"

#include <algorithm>
#include <array>

namespace segue::postgres {

namespace {

constexpr const char* known_parameters = "schema, sslmode, sslrootcert";
constexpr size_t longest_name = 63; ///< of anything in PostgreSQL, in bytes

[[noreturn]] void refuse(const std::string& what) { throw adapter_error{ec::invalid_argument, "postgresql: " + what}; }

/// Only names that need no quotes: then they mean the same everywhere.
void check_schema(const std::string& name) {
  auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || name.size() > longest_name || (name[0] >= '0' && name[0] <= '9') || name.starts_with("pg_")
      || !std::all_of(name.begin(), name.end(), fits))
    refuse("\"" + name
           + "\" cannot be the schema; it is made of a-z, 0-9 and _, at most 63 of them, and begins neither with"
             " a digit nor with pg_");
}

void check_sslmode(const std::string& mode) {
  constexpr std::array known{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  if (std::find(known.begin(), known.end(), mode) == known.end())
    refuse("\"" + mode + "\" is no sslmode; there are disable, allow, prefer, require, verify-ca, verify-full");
}

/// An address of IPv6 stands in brackets in a URL only.
std::string without_brackets(const std::string& host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

std::string shown(const store_url& x) {
  return x.scheme + "://" + x.host + (x.port == 0 ? "" : ":" + std::to_string(x.port)) + "/" + x.path;
}

} // namespace

server read_server(const std::string& url, limits bounds) {
  auto parts = parse_store_url(url);
  server x{{}, parts.take("schema", "segue"), shown(parts), bounds};
  check_schema(x.schema);
  auto& p = x.parameters;
  for (const auto* name : {"sslmode", "sslrootcert"})
    if (auto value = parts.take(name); !value.empty())
      p[name] = value;
  parts.expect_nothing_else(known_parameters);
  if (p.contains("sslmode"))
    check_sslmode(p["sslmode"]);
  p["host"] = without_brackets(parts.host);
  if (parts.port != 0)
    p["port"] = std::to_string(parts.port);
  p["user"] = parts.user;
  p["password"] = parts.password;
  p["dbname"] = parts.path;
  p["application_name"] = "segue";
  p["client_encoding"] = "UTF8";
  p["gssencmode"] = "disable"; // it asks others, and blocks
  // A peer that is no longer there is noticed also where our own patience is longer, while tables are changed; and of a
  // host with two addresses the second is tried in time when the first one does not answer.
  p["keepalives_idle"] = "10";
  p["keepalives_interval"] = "5";
  p["keepalives_count"] = "3";
  p["tcp_user_timeout"] = std::to_string(std::max<int64_t>(bounds.timeout.count() / 2, 1));
  std::erase_if(p, [](const auto& parameter) { return parameter.second.empty(); });
  return x;
}

} // namespace segue::postgres
