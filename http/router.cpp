#include "http/router.hpp"

#include <algorithm>
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

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (i >= path.size())
      return false;
    if (takes_the_rest(pattern[i]))
      return true;
    if (!is_parameter(pattern[i]) && pattern[i] != path[i])
      return false;
  }
  return pattern.size() == path.size();
}

/// What the parameters of a pattern stand for in a path that fits it.
router::parameters values_of(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  router::parameters values;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const auto& expected = pattern[i];
    if (!is_parameter(expected))
      continue;
    bool rest = takes_the_rest(expected);
    auto value = path[i];
    for (auto j = i + 1; rest && j < path.size(); ++j)
      value.append("/").append(path[j]);
    values.emplace_back(expected.substr(1, expected.size() - (rest ? 3 : 2)), std::move(value));
  }
  return values;
}

} // namespace

router::router(std::vector<route> routes) : routes_(std::move(routes)) {
  for (const auto& x : routes_)
    patterns_.push_back(split(x.pattern));
}

router::match router::find(std::string_view method, const std::vector<std::string>& segments) const {
  static const std::vector<std::string> root{""};
  const auto& path = segments.empty() ? root : segments;
  match result;
  for (size_t i = 0; i < routes_.size(); ++i) {
    const auto& x = routes_[i];
    bool answers = x.method == method || (method == "HEAD" && x.method == "GET");
    if (answers && fits(patterns_[i], path))
      return {&x, values_of(patterns_[i], path), {}};
  }
  for (size_t i = 0; i < routes_.size(); ++i) {
    const auto& x = routes_[i];
    if (x.method != "OPTIONS" && fits(patterns_[i], path) && result.allowed.find(x.method) == std::string::npos)
      result.allowed += (result.allowed.empty() ? "" : ", ") + x.method + (x.method == "GET" ? ", HEAD" : "");
  }
  bool asked_about = std::any_of(routes_.begin(), routes_.end(), [&](const route& x) { // which makes no path of its own
    return x.method == "OPTIONS" && fits(patterns_[static_cast<size_t>(&x - routes_.data())], path);
  });
  if (asked_about && !result.allowed.empty())
    result.allowed += ", OPTIONS";
  return result;
}

} // namespace segue::http
