#include "actors/generation/events.hpp"

#include "actors/sound.hpp"

#include <nlohmann/json.hpp>

namespace segue::events {

namespace {

using json = nlohmann::ordered_json;

json event(const char* type) { return {{"type", type}, {"at", format_time(unix_now_ms())}}; }

std::string text_at(const json& x, const char* key) {
  auto at = x.find(key);
  return at != x.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

std::string text(const json& x) { return x.dump(-1, ' ', false, json::error_handler_t::replace); }

} // namespace

std::string queued(const generation_row& row) {
  auto x = event("queued");
  x["request_id"] = row.request_id;
  if (row.place > 0)
    x["place"] = row.place;
  return text(x);
}

std::string started(const generation_row& row, const std::string& plan, position resumed_at) {
  auto x = event("started");
  x["attempt"] = row.attempt;
  x["resumed_at_ms"] = sound_ms(resumed_at);
  x["seed"] = row.seed;
  x["generator"] = row.generator;
  x["version"] = row.generator_version;
  x["expected_bytes"] = row.expected_bytes;
  auto parsed = json::parse(plan, nullptr, false);
  x["plan"] = parsed.is_discarded() ? json{} : std::move(parsed);
  return text(x);
}

std::string progress(const generation_row& row) {
  auto x = event("progress");
  x["offset"] = format_offset(row.audio_bytes);
  x["bytes"] = row.audio_bytes;
  x["audio_ms"] = sound_ms(row.audio_bytes);
  x["percent"] = percent_made(row);
  return text(x);
}

std::string heartbeat(const generation_row& row) {
  auto x = event("heartbeat");
  x["audio_ms"] = sound_ms(row.audio_bytes);
  return text(x);
}

std::string ended(const generation_row& row) {
  auto x = event(to_string(row.decided).c_str());
  x["offset"] = format_offset(row.audio_bytes);
  x["bytes"] = row.audio_bytes;
  x["audio_ms"] = sound_ms(row.audio_bytes);
  if (row.decided == generation_state::failed)
    x["reason"] = row.reason;
  return text(x);
}

std::optional<ending> read_ending(std::string_view event) {
  auto x = json::parse(event, nullptr, false);
  if (!x.is_object())
    return std::nullopt;
  auto type = text_at(x, "type");
  for (auto how : {generation_state::completed, generation_state::failed, generation_state::cancelled})
    if (type == to_string(how))
      return ending{how, text_at(x, "reason")};
  return std::nullopt;
}

} // namespace segue::events
