#include "tools/client/manage.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <unistd.h>
#include <vector>

#include "tools/client/exit_codes.hpp"
#include "tools/client/piece.hpp"
#include "tools/client/terminal.hpp"
#include "tools/client/times.hpp"

namespace segue::client {

namespace {

constexpr unsigned page_size = 200;

std::string age_text(const std::string& created_at) {
  const auto created = parse_utc(created_at);
  return created ? span_text(std::time(nullptr) - *created) : "?";
}

/// What there is; of an unfinished piece also what it is to become.
std::string length_text(const generation& piece) {
  const auto made = clock_text(static_cast<double>(piece.audio_ms) / 1000.0);
  return piece.ended() ? made : made + "/" + clock_text(piece.duration_s);
}

void print_row(std::string_view id, std::string_view state, std::string_view length, std::string_view age,
    std::string_view prompt, unsigned columns) {
  char head[160];
  std::snprintf(head, sizeof head, "%-36.36s  %-9.9s  %10.12s  %7.8s  ", std::string(id).c_str(),
      std::string(state).c_str(), std::string(length).c_str(), std::string(age).c_str());
  const unsigned used = static_cast<unsigned>(std::char_traits<char>::length(head));
  const auto rest = columns == 0 ? printable(prompt) : clipped(prompt, columns > used ? columns - used : 0);
  std::printf("%s%s\n", head, rest.c_str());
}

} // namespace

int run_ls(const ls_options& options) {
  console says(options.connection);
  http_client client(options.connection);
  std::vector<generation> pieces;
  nlohmann::json rows = nlohmann::json::array();
  nlohmann::json next;
  do {
    query parameters{{"limit", std::to_string(std::min<std::size_t>(page_size, options.limit - rows.size()))}};
    if (!options.user.empty())
      parameters.emplace_back("user_id", options.user);
    if (next.is_string())
      parameters.emplace_back("after", next.get<std::string>());
    auto answer = client.get("/v1/generations", parameters);
    if (answer.status == 404 && next.is_string() && !pieces.empty()) { // removed meanwhile: on behind the one before
      pieces.pop_back();
      rows.erase(rows.size() - 1);
      next = rows.empty() ? nlohmann::json{} : rows.back()["request_id"];
      continue;
    }
    if (answer.ok() && !(answer.body.is_object() && answer.body["generations"].is_array())) {
      answer.kind = outcome::problem;
      answer.detail = "the answer is not a list of generations; is this a Segue server?";
    }
    if (!answer.ok())
      return says.finish(says.explain(answer));
    next = answer.body["next"];
    if (answer.body["generations"].empty())
      break;
    for (auto& row : answer.body["generations"]) {
      if (auto piece = parse_generation(row))
        pieces.push_back(std::move(*piece));
      rows.push_back(std::move(row));
    }
  } while (next.is_string() && rows.size() < options.limit);

  says.object({{"generations", rows}, {"next", next}});
  if (says.json())
    return says.finish(exit_with::ok);
  if (pieces.empty()) {
    says.remark("no pieces yet; make one with: segue generate \"a calm piano in the rain\"");
    return exit_with::ok;
  }
  const unsigned columns = terminal_columns(STDOUT_FILENO);
  print_row("ID", "STATE", "LENGTH", "AGE", "PROMPT", columns);
  for (const auto& piece : pieces) {
    print_row(printable(piece.id), printable(piece.state), length_text(piece), age_text(piece.created_at), piece.prompt,
        columns);
  }
  if (next.is_string())
    says.remark("there are more; see --limit");
  return says.finish(exit_with::ok);
}

int run_cancel(const piece_options& options) {
  console says(options.connection);
  http_client client(options.connection);
  const auto answer = client.remove(generation_path(options.id));
  if (!answer.ok())
    return says.finish(says.explain(answer));
  says.object(answer.body);
  if (const auto piece = parse_generation(answer.body)) {
    says.line(piece->state == "cancelled" ? "cancelled; " + length_text(*piece) + " were made and stay audible"
                                          : "nothing to cancel: the piece is " + printable(piece->state));
  }
  return says.finish(exit_with::ok);
}

int run_rm(const piece_options& options) {
  console says(options.connection);
  http_client client(options.connection);
  const auto answer = client.remove(generation_path(options.id), {{"purge", "true"}});
  if (!answer.ok())
    return says.finish(says.explain(answer));
  says.object({{"request_id", options.id}, {"removed", true}});
  says.line("removed");
  return says.finish(exit_with::ok);
}

} // namespace segue::client
