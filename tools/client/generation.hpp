#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace segue::client {

/// Sound is CBR MP3 at 128 kbit/s, so bytes and time are one number.
inline constexpr double bytes_per_second = 16000.0;

/// One piece of music as the server describes it.
struct generation {
  std::string id;
  std::string prompt;
  /// queued | running | completed | failed | cancelled
  std::string state;
  /// Why it failed; may be empty.
  std::string reason;
  /// ISO 8601, UTC.
  std::string created_at;
  /// The length that was asked for.
  double duration_s = 0;
  std::uint64_t audio_ms = 0;
  std::uint64_t audio_bytes = 0;
  double percent = 0;
  /// The object as it came.
  nlohmann::json raw;

  /// Nothing more will be made.
  [[nodiscard]] bool ended() const { return state == "completed" || state == "failed" || state == "cancelled"; }
};

/// Nothing if it is not a generation object.
[[nodiscard]] std::optional<generation> parse_generation(const nlohmann::json& object);

} // namespace segue::client
