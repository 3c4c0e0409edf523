#include "http/exchange.hpp"

#include "http/admission.hpp"

namespace segue::http {

namespace {

template <class Pairs>
const std::string* look_up(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs)
    if (key == name)
      return &value;
  return nullptr;
}

} // namespace

std::string_view exchange::header(std::string_view lower_case_name) const {
  auto found = look_up(request_.headers, lower_case_name);
  return found ? std::string_view{*found} : std::string_view{};
}

const std::string& exchange::parameter(std::string_view name) const {
  static const std::string none;
  auto found = look_up(parameters_, name);
  return found ? *found : none;
}

asio::awaitable<caf::expected<tenant_services>> exchange::services() {
  return addresses_.services(session_, where().auth ? credential_of(request_) : std::string{});
}

asio::awaitable<void> exchange::send_text(unsigned status, std::string type, std::string body, header_list headers) {
  response x{status, std::move(headers), {payload{std::move(body)}}};
  x.headers.emplace_back("Content-Type", std::move(type));
  return send(std::move(x));
}

asio::awaitable<void> exchange::send_problem(problem x, header_list headers) {
  if (x.retry_after_s > 0)
    headers.emplace_back("Retry-After", std::to_string(x.retry_after_s));
  headers.emplace_back("Cache-Control", "no-store");
  return send_text(x.status, "application/problem+json", to_json(x), std::move(headers));
}

asio::awaitable<void> exchange::send_error(const caf::error& error) { return send_problem(problem_of(error)); }

} // namespace segue::http
