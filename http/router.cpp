#include "http/router.hpp"

#include <optional>
#include <sstream>

namespace segue::http {

namespace {

std::vector<std::string> split(const std::string& pattern) {
  std::vector<std::string> segments;
  std::istringstream in{pattern.substr(1)};
  for (std::string segment; std::getline(in, segment, '/');)
    segments.push_back(segment);
  if (segments.empty())
    segments.push_back("");
  return segments;
}

bool is_parameter(const std::string& segment) { return segment.starts_with('{'); }

bool takes_the_rest(const std::string& segment) { return segment.ends_with("*}"); }

std::optional<router::parameters> match_path(
    const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  router::parameters values;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const auto& expected = pattern[i];
    if (takes_the_rest(expected)) {
      if (i >= path.size())
        return std::nullopt;
      auto rest = path[i];
      for (auto j = i + 1; j < path.size(); ++j)
        rest += "/" + path[j];
      values.emplace_back(expected.substr(1, expected.size() - 3), rest);
      return values;
    }
    if (i >= path.size() || (!is_parameter(expected) && expected != path[i]))
      return std::nullopt;
    if (is_parameter(expected))
      values.emplace_back(expected.substr(1, expected.size() - 2), path[i]);
  }
  return pattern.size() == path.size() ? std::optional{values} : std::nullopt;
}

} // namespace

router::router(std::vector<route> routes) : routes_(std::move(routes)) {
  for (const auto& x : routes_)
    patterns_.push_back(split(x.pattern));
}

router::match router::find(std::string_view method, const std::vector<std::string>& segments) const {
  match result;
  auto path = segments.empty() ? std::vector<std::string>{""} : segments;
  for (size_t i = 0; i < routes_.size(); ++i) {
    auto values = match_path(patterns_[i], path);
    if (!values)
      continue;
    const auto& x = routes_[i];
    if (!result.found && (x.method == method || (method == "HEAD" && x.method == "GET"))) {
      result.found = &x;
      result.values = std::move(*values);
    }
    if (result.allowed.find(x.method) == std::string::npos)
      result.allowed += (result.allowed.empty() ? "" : ", ") + x.method + (x.method == "GET" ? ", HEAD" : "");
  }
  return result;
}

} // namespace segue::http
