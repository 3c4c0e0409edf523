#include "actors/tenant/credentials.hpp"

#include "actors/sha256.hpp"

#include <jwt.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace segue {

namespace {

constexpr std::string_view key_prefix = "sk_";
constexpr size_t longest = 4096;        ///< of a token
constexpr size_t shortest_secret = 32;  ///< as RFC 7518 wants it for HS256

struct jwt_closer {
  void operator()(jwt_t* x) const { jwt_free(x); }
};
using jwt_ptr = std::unique_ptr<jwt_t, jwt_closer>;

/// With a key the signature is checked; without one nothing is.
jwt_ptr decode(const std::string& token, const std::string& key) {
  jwt_t* decoded = nullptr;
  auto* bytes = key.empty() ? nullptr : reinterpret_cast<const unsigned char*>(key.data());
  if (jwt_decode(&decoded, token.c_str(), bytes, static_cast<int>(key.size())) != 0)
    return nullptr;
  return jwt_ptr{decoded};
}

std::string text_of(const jwt_ptr& token, const char* name) {
  const auto* value = jwt_get_grant(token.get(), name);
  return value ? value : "";
}

/// A claim of whatever type, as JSON; nothing: it is not there.
std::optional<std::string> json_of(const jwt_ptr& token, const char* name) {
  std::unique_ptr<char, decltype(&std::free)> json{jwt_get_grants_json(token.get(), name), &std::free};
  return json ? std::optional<std::string>{json.get()} : std::nullopt;
}

/// Milliseconds since 1970 of a claim, or `missing`. Throws when it is there and no number.
double time_of(const jwt_ptr& token, const char* name, double missing) {
  auto json = json_of(token, name);
  return json ? std::stod(*json) * 1000 : missing;
}

/// Without a claim it is a reader; nothing: there is one that nobody knows.
std::optional<role> role_of(const jwt_ptr& token) {
  return json_of(token, "role") ? read_role(text_of(token, "role")) : role::reader;
}

} // namespace

std::string new_api_key(const std::string& tenant) {
  std::array<unsigned char, 32> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1)
    throw std::runtime_error{"there is no randomness"};
  return std::string{key_prefix} + tenant + "_" + sha256_of({reinterpret_cast<char*>(bytes.data()), bytes.size()});
}

api_key describe_key(const std::string& key, std::string user_id, role may, std::string note) {
  auto secret = key.rfind('_') + 1;
  return {key.substr(secret, 8), sha256_of(key), std::move(user_id), may, std::move(note), unix_now_ms()};
}

std::optional<claimed> read_claim(const std::string& credential) {
  if (credential.size() > longest)
    return std::nullopt;
  if (credential.starts_with(key_prefix)) {
    auto end = credential.find('_', key_prefix.size());
    if (end == std::string::npos)
      return std::nullopt;
    return claimed{credential.substr(key_prefix.size(), end - key_prefix.size()), false};
  }
  if (std::count(credential.begin(), credential.end(), '.') != 2)
    return std::nullopt;
  auto token = decode(credential, {});
  if (!token)
    return std::nullopt;
  return claimed{text_of(token, "tenant"), true};
}

std::optional<identity> check_token(const std::string& token, const std::string& secret, int64_t now_ms) {
  if (secret.size() < shortest_secret)
    return std::nullopt;
  auto good = decode(token, secret);
  if (!good || jwt_get_alg(good.get()) != JWT_ALG_HS256)
    return std::nullopt;
  constexpr auto never = static_cast<double>(INT64_MAX);
  auto now = static_cast<double>(now_ms);
  auto ends = never;
  try {
    ends = time_of(good, "exp", never);
    if (!(ends > now) || !(time_of(good, "nbf", 0) <= now))
      return std::nullopt;
  } catch (const std::exception&) { // no number
    return std::nullopt;
  }
  auto may = role_of(good);
  auto user = text_of(good, "sub");
  if (!is_user_id(user) || !may)
    return std::nullopt;
  return identity{std::move(user), *may, ends < never ? static_cast<int64_t>(ends) : INT64_MAX};
}

std::optional<role> read_role(const std::string& text) {
  for (auto x : {role::reader, role::writer, role::admin})
    if (to_string(x) == text)
      return x;
  return std::nullopt;
}

} // namespace segue
