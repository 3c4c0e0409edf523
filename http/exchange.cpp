#include "http/exchange.hpp"

#include "http/admission.hpp"

#include <boost/beast/core/string.hpp>
#include <nlohmann/json.hpp>

namespace segue::http {

std::string_view exchange::header(std::string_view name) const {
  for (const auto& [key, value] : request_.headers)
    if (boost::beast::iequals(key, name))
      return value;
  return {};
}

bool exchange::has(std::string_view tag) const {
  auto known = header("if-none-match");
  return known == "*" || known.find(tag) != known.npos;
}

const std::string& exchange::parameter(std::string_view name) const {
  static const std::string none;
  for (const auto& [key, value] : parameters_)
    if (key == name)
      return value;
  return none;
}

asio::awaitable<caf::error> exchange::open_services() {
  auto credential = where().auth ? credential_of(request_) : std::string{};
  auto opened = co_await addresses_.services(session_, std::move(credential));
  if (!opened)
    co_return opened.error();
  services_ = std::move(*opened);
  co_return caf::error{};
}

asio::awaitable<void> exchange::send_text(unsigned status, std::string type, std::string body, header_list headers) {
  response x{status, std::move(headers), {payload{std::move(body)}}};
  x.headers.emplace_back("Content-Type", std::move(type));
  return send(std::move(x));
}

asio::awaitable<void> exchange::send_json(const nlohmann::ordered_json& body, unsigned status) {
  header_list headers{{"Cache-Control", "no-store"}};
  auto text = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return send_text(status, "application/json", std::move(text), std::move(headers));
}

asio::awaitable<void> exchange::send_problem(problem x, header_list headers) {
  if (x.retry_after_s > 0)
    headers.emplace_back("Retry-After", std::to_string(x.retry_after_s));
  headers.emplace_back("Cache-Control", "no-store");
  return send_text(x.status, "application/problem+json", to_json(x), std::move(headers));
}

asio::awaitable<void> exchange::send_error(const caf::error& error) { return send_problem(problem_of(error)); }

} // namespace segue::http
