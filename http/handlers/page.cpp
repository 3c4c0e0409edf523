// The page and its parts, from the binary.
#include "http/assets.hpp"
#include "http/handlers/handlers.hpp"

#include <algorithm>

namespace segue::http {

namespace {

constexpr const char* security_policy = "default-src 'self'; media-src 'self' blob:; style-src 'self'; "
                                        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

const char* type_of(std::string_view name) {
  if (name.ends_with(".html"))
    return "text/html; charset=utf-8";
  if (name.ends_with(".css"))
    return "text/css; charset=utf-8";
  if (name.ends_with(".svg"))
    return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

/// One load brings parts that belong together: they are checked again each time, and change with the binary.
asio::awaitable<void> send_asset(exchange& x, std::string name) {
  const auto& all = assets();
  auto found = std::find_if(all.begin(), all.end(), [&](const asset& a) { return a.name == name; });
  if (found == all.end()) {
    auto why = refused(404, "not_found", "There is no such thing", "The page has no part of this name.");
    co_return co_await x.send_problem(std::move(why));
  }
  auto tag = "\"" + std::to_string(std::hash<std::string_view>{}(found->bytes)) + "\"";
  header_list headers{{"ETag", tag}, {"Cache-Control", "no-cache"}, {"Content-Security-Policy", security_policy},
      {"Referrer-Policy", "no-referrer"}};
  if (x.header("if-none-match") == tag) {
    response unchanged{304, std::move(headers), {}};
    co_return co_await x.send(std::move(unchanged));
  }
  co_await x.send_text(200, type_of(name), std::string{found->bytes}, std::move(headers));
}

} // namespace

asio::awaitable<void> get_page(exchange& x) { return send_asset(x, "index.html"); }

asio::awaitable<void> get_asset(exchange& x) { return send_asset(x, x.parameter("name")); }

} // namespace segue::http
