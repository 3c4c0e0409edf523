#include "http/admission.hpp"

#include <boost/beast/core/string.hpp>
#include <openssl/crypto.h>

namespace segue::http {

namespace {

/// In a time that does not tell how much of it is right.
bool same_secret(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

std::string credential_of(const exchange::request& x) {
  for (const auto& [name, value] : x.headers) {
    if (!boost::beast::iequals(name, "authorization"))
      continue;
    constexpr std::string_view scheme = "bearer ";
    if (value.size() > scheme.size() && boost::beast::iequals(value.substr(0, scheme.size()), scheme))
      return std::string{value.substr(scheme.size())};
    return "?"; // another scheme: good for nothing, but not nothing
  }
  bool looks = x.method == "GET" || x.method == "HEAD";
  return looks ? x.target.find("access_token").value_or("") : std::string{};
}

bool is_operator(const exchange& x) {
  const auto& token = x.where().metrics_token;
  return !x.where().auth || (!token.empty() && same_secret(credential_of(x.asked()), token));
}

asio::awaitable<bool> admit(exchange& x, const route& to) {
  auto needed = to.needs;
  if (needed == role::nobody || (to.of_process && is_operator(x)))
    co_return true;
  auto failed = co_await x.open_services();
  if (failed && code_of(failed) == ec::unauthenticated) {
    header_list headers{{"WWW-Authenticate", "Bearer realm=\"segue\""}};
    auto why = problem_of(failed);
    co_await x.send_problem(std::move(why), std::move(headers));
    co_return false;
  }
  if (failed) {
    co_await x.send_error(failed);
    co_return false;
  }
  auto may = x.services().may;
  if (may >= needed)
    co_return true;
  auto why = refused(403, "forbidden", "This is not for everybody",
      "The role " + to_string(needed) + " is needed, and the one shown is " + to_string(may) + ".");
  co_await x.send_problem(std::move(why));
  co_return false;
}

problem no_such_thing() {
  return refused(404, "not_found", "There is no such thing", "Nothing of yours has this name.");
}

} // namespace segue::http
