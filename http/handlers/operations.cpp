#include "http/handlers/handlers.hpp"

#include <nlohmann/json.hpp>

namespace segue::http {

namespace {

using json = nlohmann::ordered_json;

json to_json(const actor_description& x) {
  json children = json::array();
  for (const auto& child : x.children)
    children.push_back(to_json(child));
  return {{"name", x.name}, {"state", x.state}, {"queued", x.queued}, {"restarts", x.restarts},
      {"children", std::move(children)}};
}

asio::awaitable<void> send_json(exchange& x, unsigned status, const json& body) {
  header_list headers{{"Cache-Control", "no-store"}};
  auto text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return x.send_text(status, "application/json", std::move(text), std::move(headers));
}

} // namespace

asio::awaitable<void> get_health(exchange& x) {
  json body{{"status", "ok"}};
  co_await send_json(x, 200, body);
}

asio::awaitable<void> get_readiness(exchange& x) {
  auto checked = co_await x.ask(x.where().tenant, check_readiness{});
  json body{{"ready", checked && checked->ready}, {"checks", json::array()}};
  if (checked)
    body["checks"] = checked->checks;
  else
    body["checks"].push_back("tenant: " + to_string(code_of(checked.error())));
  co_await send_json(x, checked && checked->ready ? 200 : 503, body);
}

asio::awaitable<void> get_metrics(exchange& x) {
  header_list headers{{"Cache-Control", "no-store"}};
  auto text = x.where().counters.render();
  co_await x.send_text(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text), std::move(headers));
}

asio::awaitable<void> get_system(exchange& x) {
  auto described = co_await x.ask(x.where().tenant, describe_actor{});
  if (!described)
    co_return co_await x.send_error(described.error());
  json body{{"actors", json::array({to_json(*described)})}};
  co_await send_json(x, 200, body);
}

} // namespace segue::http
