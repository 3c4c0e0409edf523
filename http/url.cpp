#include "http/url.hpp"

#include <boost/url/src.hpp> // Boost.URL is compiled here, so that nothing but headers is needed
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace segue::http {

std::optional<std::string> url::find(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name)
      return value;
  return std::nullopt;
}

size_t url::count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(query.begin(), query.end(), [&](const auto& x) { return x.first == name; }));
}

std::optional<url> parse_url(std::string_view target) {
  bool absolute = target.starts_with("http://") || target.starts_with("https://"); // as proxies are asked
  auto view = absolute ? boost::urls::parse_absolute_uri(target) : boost::urls::parse_origin_form(target);
  if (!view || view->has_userinfo())
    return std::nullopt;
  if (auto path = view->encoded_path(); !path.empty() && path.front() != '/') // Boost lets one follow a port
    return std::nullopt;
  url parsed;
  parsed.host = std::string{view->encoded_host_and_port()};
  parsed.path = std::string{view->encoded_path()};
  for (auto segment : view->segments())
    parsed.segments.push_back(std::string{segment});
  for (auto parameter : view->params())
    parsed.query.emplace_back(std::string{parameter.key}, parameter.has_value ? std::string{parameter.value} : "");
  return parsed;
}

} // namespace segue::http
