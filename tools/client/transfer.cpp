#include "tools/client/transfer.hpp"

#include <algorithm>
#include <array>

#include "tools/client/terminal.hpp"
#include "tools/client/times.hpp"

namespace segue::client {

namespace {

enum column { id, kind, state, attempts, when, done, path, error, column_count };

using row = std::array<std::string, column_count>;

constexpr std::size_t gap = 2;

/// A text that may also be null, or missing.
std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// Columns of a printable text: its letters.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void pad(std::string& text, std::size_t width, bool to_the_right) {
  const auto own = width_of(text);
  text.insert(to_the_right ? 0 : text.size(), width > own ? width - own : 0, ' ');
}

/// Path and error share what the others leave; neither gets less than a half of it while it needs more.
void share(std::array<std::size_t, column_count>& widths, std::size_t columns) {
  std::size_t used = gap;
  for (int i = id; i < path; ++i)
    used += widths[i] + gap;
  const auto room = columns > used ? columns - used : 0;
  const auto left = room > widths[error] ? room - widths[error] : 0;
  widths[path] = std::min(widths[path], std::max(room / 2, left));
  widths[error] = std::min(widths[error], room - widths[path]);
}

} // namespace

std::optional<transfer> parse_transfer(const nlohmann::json& object) try {
  transfer result;
  object.at("id").get_to(result.id);
  object.at("kind").get_to(result.kind);
  object.at("state").get_to(result.state);
  object.at("path").get_to(result.path);
  result.attempts = object.value("attempts", std::uint64_t{0});
  result.error = text_of(object, "error");
  result.due = text_of(object, "due");
  result.changed = text_of(object, "changed");
  result.bytes_done = object.value("bytes_done", std::uint64_t{0});
  result.bytes_total = object.value("bytes_total", std::uint64_t{0});
  return result;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

std::string when_text(const transfer& x, std::time_t now) {
  const bool waits = x.state == "waiting";
  const auto time = parse_utc(waits ? x.due : x.changed);
  if (!time)
    return "-";
  if (!waits)
    return span_text(now - *time) + " ago";
  return *time > now ? "in " + span_text(*time - now) : "now";
}

std::string percent_text(const transfer& x) {
  const bool moves = x.kind == "upload" || x.kind == "download"; // the others keep the numbers of the one before
  if (!moves || x.bytes_total == 0)
    return "-";
  if (x.bytes_done >= x.bytes_total)
    return "100 %";
  const auto share = static_cast<double>(x.bytes_done) / static_cast<double>(x.bytes_total);
  return std::to_string(std::min(99, static_cast<int>(share * 100))) + " %";
}

std::vector<std::string> table_of(const std::vector<transfer>& all, unsigned columns, std::time_t now) {
  std::vector<row> rows{{"ID", "KIND", "STATE", "ATTEMPTS", "WHEN", "DONE", "PATH", "ERROR"}};
  for (const auto& x : all) {
    rows.push_back({std::to_string(x.id), printable(x.kind), printable(x.state), std::to_string(x.attempts),
        when_text(x, now), percent_text(x), printable(x.path), printable(x.error)});
  }
  std::array<std::size_t, column_count> widths{};
  for (const auto& each : rows) {
    for (std::size_t i = 0; i < each.size(); ++i)
      widths[i] = std::max(widths[i], width_of(each[i]));
  }
  if (columns > 0)
    share(widths, columns);
  std::vector<std::string> lines;
  for (auto& each : rows) {
    std::string line;
    for (std::size_t i = 0; i < each.size(); ++i) {
      auto text = i < path ? each[i] : clipped(each[i], static_cast<unsigned>(widths[i]));
      pad(text, widths[i], i == id || i == attempts || i == done);
      line += (i == 0 ? "" : std::string(gap, ' ')) + text;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace segue::client
