// What a caller shows at the door: an API key, or a token somebody else has signed. Plain functions.
#pragma once

#include "actors/messages.hpp"

#include <optional>
#include <string>

namespace segue {

/// Who a credential says it is.
struct identity {
  std::string user_id;
  role may = role::nobody;
  int64_t until_ms = INT64_MAX; ///< it ends then
};

/// A new API key of a tenant: `sk_TENANT_SECRET`. The secret is 32 random bytes.
std::string new_api_key(const std::string& tenant);

/// What is kept of it.
api_key describe_key(const std::string& key, std::string user_id, role may, std::string note);

/// The tenant that a credential names, before anything of it is believed. Empty: it names none. Nothing: it is neither an API
/// key nor a token.
struct claimed {
  std::string tenant;
  bool is_token = false;
};
std::optional<claimed> read_claim(const std::string& credential);

/// Checks a JWT: HS256 alone, signed with `secret`, not ended, not before its time. `sub` is the user, `role` one of reader (the
/// default), writer, admin. Nothing: it is not good.
std::optional<identity> check_token(const std::string& token, const std::string& secret, int64_t now_ms);

/// Nothing: there is no such role.
std::optional<role> read_role(const std::string& text);

} // namespace segue
