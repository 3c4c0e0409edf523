#include "http/callers.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace segue::http {

namespace {

bool is_listed(const edge& where, std::string_view origin) {
  const auto& allowed = where.allow_origins;
  return std::any_of(allowed.begin(), allowed.end(), [&](const auto& x) { return x == "*" || x == origin; });
}

bool host_allowed(const edge& where, std::string_view host) {
  if (where.any_host)
    return true;
  auto port = ":" + std::to_string(where.port);
  for (const auto& name : {where.listen_host, std::string{"localhost"}, std::string{"127.0.0.1"}, std::string{"[::1]"}})
    if (boost::beast::iequals(host, name + port) || (where.port == (where.tls ? 443 : 80) && boost::beast::iequals(host, name)))
      return true;
  return false;
}

} // namespace

std::optional<problem> refuse_caller(
    const edge& where, std::string_view method, std::string_view host, std::string_view origin) {
  if (!host_allowed(where, host))
    return refused(421, "misdirected", "This server is not the one asked for",
        "The Host header must name the address this server listens on, e.g. " + where.listen_host + ":"
            + std::to_string(where.port) + ".");
  bool looks = method == "GET" || method == "HEAD" || method == "OPTIONS";
  if (!looks && !page_allowed(where, host, origin))
    return refused(403, "foreign_origin", "This page may change nothing here",
        "The Origin header must name this server or one of --allow-origin, or be left out by clients that are no browsers.");
  return std::nullopt;
}

bool page_allowed(const edge& where, std::string_view host, std::string_view origin) {
  return origin.empty() || origin == "http://" + std::string{host} || origin == "https://" + std::string{host}
      || is_listed(where, origin);
}

void add_cross_origin(header_list& into, const edge& where, std::string_view origin) {
  if (where.allow_origins.empty())
    return;
  into.emplace_back("Vary", "Origin"); // also for others: a cache must not give their answer to an allowed page
  if (origin.empty() || !is_listed(where, origin))
    return;
  into.emplace_back("Access-Control-Allow-Origin", std::string{origin});
  into.emplace_back("Access-Control-Expose-Headers",
      "Stream-Next-Offset, Stream-Cursor, Stream-Up-To-Date, Stream-Closed, Stream-TTL, Stream-Expires-At, "
      "stream-sse-data-encoding, Producer-Epoch, Producer-Seq, Producer-Expected-Seq, Producer-Received-Seq, ETag, Location, "
      "Retry-After");
}

} // namespace segue::http
