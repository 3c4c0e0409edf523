#include "actors/sound.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr std::string_view home = "generations/";
constexpr std::string_view audio = "/audio";

/// The four bytes of a frame's header, see `whole_frames`. The low bits say things that do not matter: joint stereo, private,
/// copyright, original, emphasis.
bool is_canonical_header(std::string_view x) {
  auto at = [x](size_t i) { return static_cast<unsigned char>(x[i]); };
  constexpr unsigned dual_channel = 0x80; // and mono, which is 0xc0
  return at(0) == 0xff && at(1) == 0xfb && (at(2) & 0xfe) == 0x94 && (at(3) & dual_channel) == 0;
}

} // namespace

size_t whole_frames(std::string_view bytes) {
  size_t at = 0;
  while (bytes.size() - at >= frame_bytes && is_canonical_header(bytes.substr(at, 4)))
    at += frame_bytes;
  return at;
}

int percent_made(const generation_row& row) {
  if (row.state == generation_state::completed)
    return 100;
  if (row.expected_bytes == 0)
    return 0;
  return static_cast<int>(std::min<uint64_t>(99, row.audio_bytes * 100 / row.expected_bytes));
}

std::string audio_path(const std::string& request_id) { return std::string{home} + request_id + std::string{audio}; }

std::string events_path(const std::string& request_id) { return std::string{home} + request_id + "/events"; }

std::string transfers_path(const std::string& request_id) { return std::string{home} + request_id + "/transfers"; }

bool is_of_generation(std::string_view path) { return path.starts_with(home); }

std::optional<std::string> whose_audio(std::string_view path) {
  if (!path.starts_with(home) || !path.ends_with(audio) || path.size() < home.size() + audio.size())
    return std::nullopt;
  std::string id{path.substr(home.size(), path.size() - home.size() - audio.size())};
  return is_uuid(id) ? std::optional{std::move(id)} : std::nullopt;
}

} // namespace segue
