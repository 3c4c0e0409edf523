// Who may do what.
#pragma once

#include "actors/messages/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

/// Each may do what those before it may.
enum class role : uint8_t {
  nobody,
  reader, ///< looks and listens
  writer, ///< makes and removes
  admin,  ///< everything of everybody in the tenant
};

std::string to_string(role x);

/// A key of an API client, as it is kept: only its hash.
struct api_key {
  std::string id;   ///< to name it by, the beginning of the key
  std::string hash; ///< SHA-256 of the whole key, in hexadecimal digits
  std::string user_id;
  role may = role::nobody;
  std::string note;
  int64_t created_at_ms = 0;

  friend bool operator==(const api_key&, const api_key&) = default;
};

/// Reply: `api_key_found`, or `ec::not_found`.
struct find_api_key {
  std::string hash;
};

struct api_key_found {
  api_key key;
};

SEGUE_INSPECT(api_key, x.id, x.hash, x.user_id, x.may, x.note, x.created_at_ms)
SEGUE_INSPECT(find_api_key, x.hash)
SEGUE_INSPECT(api_key_found, x.key)

} // namespace segue
