#include "tools/client/generation.hpp"

namespace segue::client {

std::optional<generation> parse_generation(const nlohmann::json& object) try {
  generation result;
  object.at("request_id").get_to(result.id);
  object.at("state").get_to(result.state);
  result.prompt = object.value("prompt", "");
  result.reason = object.value("reason", "");
  result.created_at = object.value("created_at", "");
  result.duration_s = object.value("duration_s", 0.0);
  result.audio_ms = object.value("audio_ms", std::uint64_t{0});
  result.audio_bytes = object.value("audio_bytes", std::uint64_t{0});
  result.percent = object.value("percent", 0.0);
  result.raw = object;
  return result;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

} // namespace segue::client
