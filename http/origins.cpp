#include "http/origins.hpp"

#include <algorithm>

namespace segue::http {

bool origin_allowed(const edge& where, std::string_view origin) {
  const auto& allowed = where.allow_origins;
  return !origin.empty()
      && std::any_of(allowed.begin(), allowed.end(), [&](const auto& x) { return x == "*" || x == origin; });
}

void add_cross_origin(header_list& into, const edge& where, std::string_view origin) {
  if (!origin_allowed(where, origin))
    return;
  into.emplace_back("Access-Control-Allow-Origin", std::string{origin});
  into.emplace_back("Vary", "Origin");
  into.emplace_back("Access-Control-Expose-Headers",
      "Stream-Next-Offset, Stream-Cursor, Stream-Up-To-Date, Stream-Closed, Stream-TTL, Stream-Expires-At, "
      "stream-sse-data-encoding, Producer-Epoch, Producer-Seq, Producer-Expected-Seq, Producer-Received-Seq, ETag, Location, "
      "Retry-After");
}

} // namespace segue::http
