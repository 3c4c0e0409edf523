#include "actors/ids.hpp"
#include "http/admission.hpp"
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

json to_json(const node_row& x) {
  auto round_trip = x.round_trip_us == 0 ? json{} : json(static_cast<double>(x.round_trip_us) / 1000);
  return {{"id", x.id}, {"name", x.name}, {"role", x.role}, {"address", x.address}, {"state", to_string(x.state)},
      {"detail", x.detail.empty() ? json{} : json(x.detail)}, {"since", format_time(x.since_ms)}, {"round_trip_ms", round_trip},
      {"reconnects", x.reconnects}, {"relayed_bytes", x.relayed_bytes}};
}

} // namespace

asio::awaitable<void> get_health(exchange& x) {
  json body{{"status", "ok"}};
  co_await x.send_json(body);
}

std::string far_of(const node_row& x) {
  auto us = x.round_trip_us;
  return us == 0 ? "" : ", round trip " + std::to_string(us / 1000) + "." + std::to_string(us / 100 % 10) + " ms";
}

/// How the nodes are that have joined this one. Without them it is ready as well.
asio::awaitable<void> add_peers(exchange& x, std::vector<std::string>& checks) {
  auto listed = co_await x.ask(x.where().nodes, list_nodes{});
  if (!listed || listed->self.role != "owner")
    co_return;
  for (const auto& peer : listed->peers)
    checks.push_back("node " + peer.address + ": " + to_string(peer.state) + far_of(peer));
}

/// Which tenants and nodes there are, and how they are, is nobody else's business.
asio::awaitable<void> get_readiness(exchange& x) {
  auto checked = co_await x.ask(x.where().registry, check_readiness{});
  json body{{"ready", checked && checked->ready}};
  if (is_operator(x)) {
    if (checked && x.where().nodes)
      co_await add_peers(x, checked->checks);
    body["checks"] = checked ? checked->checks : std::vector{"tenant: " + to_string(code_of(checked.error()))};
  }
  co_await x.send_json(body, checked && checked->ready ? 200 : 503);
}

asio::awaitable<void> get_metrics(exchange& x) {
  if (!is_operator(x)) { // they are of all tenants
    header_list headers{{"WWW-Authenticate", "Bearer realm=\"segue metrics\""}};
    auto why = refused(401, "unauthenticated", "Who asks is not known", "The token of --metrics-token is needed.");
    co_return co_await x.send_problem(std::move(why), std::move(headers));
  }
  header_list headers{{"Cache-Control", "no-store"}};
  auto text = x.where().counters.render();
  co_await x.send_text(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text), std::move(headers));
}

asio::awaitable<void> get_nodes(exchange& x) {
  json body{{"self", nullptr}, {"nodes", json::array()}};
  if (!x.where().nodes) // it is alone
    co_return co_await x.send_json(body);
  auto listed = co_await x.ask(x.where().nodes, list_nodes{});
  if (!listed)
    co_return co_await x.send_error(listed.error());
  body["self"] = to_json(listed->self);
  for (const auto& peer : listed->peers)
    body["nodes"].push_back(to_json(peer));
  co_await x.send_json(body);
}

asio::awaitable<void> get_system(exchange& x) {
  auto described = co_await x.ask(x.where().registry, describe_actor{});
  if (!described)
    co_return co_await x.send_error(described.error());
  if (x.has_services()) // an admin of a tenant; else it is the operator
    std::erase_if(described->children, [&](const auto& child) { return child.name != "tenant " + x.services().tenant; });
  json body{{"actors", json::array({to_json(*described)})}};
  co_await x.send_json(body);
}

} // namespace segue::http
