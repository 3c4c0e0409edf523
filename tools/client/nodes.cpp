#include "tools/client/nodes.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <vector>

#include "tools/client/exit_codes.hpp"
#include "tools/client/terminal.hpp"
#include "tools/client/times.hpp"

namespace segue::client {

namespace {

using row = std::array<std::string, 9>;

std::string text_of(const nlohmann::json& node, const char* name) {
  const auto found = node.find(name);
  return found != node.end() && found->is_string() ? printable(found->get<std::string>()) : std::string{};
}

std::string number_of(const nlohmann::json& node, const char* name) {
  const auto found = node.find(name);
  return found != node.end() && found->is_number_unsigned() ? std::to_string(found->get<std::uint64_t>()) : "-";
}

row row_of(const nlohmann::json& node) {
  const auto since = parse_utc(text_of(node, "since"));
  const auto far = node.find("round_trip_ms");
  char trip[32] = "-";
  if (far != node.end() && far->is_number())
    std::snprintf(trip, sizeof trip, "%.1f ms", far->get<double>());
  return {text_of(node, "role"), text_of(node, "state"), since ? span_text(std::time(nullptr) - *since) : "-", trip,
      number_of(node, "reconnects"), number_of(node, "relayed_bytes"),
      text_of(node, "address"), text_of(node, "name"), text_of(node, "detail")};
}

} // namespace

int run_nodes(const connection_options& options) {
  console says(options, false, "segue nodes");
  http_client client(options);
  auto answer = client.get("/v1/nodes");
  if (answer.ok() && !(answer.body.is_object() && answer.body["nodes"].is_array())) {
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a list of nodes; is this a Segue server?";
  }
  if (!answer.ok())
    return says.finish(says.explain(answer));
  says.object(answer.body);
  if (says.json())
    return says.finish(exit_with::ok);
  std::vector<row> rows{{"ROLE", "STATE", "SINCE", "FAR", "RECONNECTS", "BYTES", "ADDRESS", "NAME", ""}};
  for (const auto& node : answer.body["nodes"])
    rows.push_back(row_of(node));
  if (rows.size() == 1) {
    says.remark("no other nodes");
    return exit_with::ok;
  }
  std::array<std::size_t, std::tuple_size_v<row>> widths{};
  for (const auto& x : rows)
    for (std::size_t i = 0; i < x.size(); ++i)
      widths[i] = std::max(widths[i], x[i].size());
  for (const auto& x : rows) {
    std::string line;
    for (std::size_t i = 0; i < x.size(); ++i)
      line += x[i] + std::string(widths[i] - x[i].size() + 2, ' ');
    says.line(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return says.finish(exit_with::ok);
}

} // namespace segue::client
