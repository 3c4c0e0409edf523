// The one format of sound in a log: MP3 of constant bit rate without a bit reservoir. Bytes and time are proportional, and
// every frame boundary is a place to cut.
#pragma once

#include "actors/messages.hpp"

#include <optional>
#include <string_view>

namespace segue {

inline constexpr uint64_t frame_bytes = 384;    ///< at 128 kbit/s and 48 kHz
inline constexpr uint64_t frame_samples = 1152; ///< 24 ms
inline constexpr uint64_t bytes_per_ms = 16;

/// Milliseconds of sound in so many bytes.
inline uint64_t sound_ms(uint64_t bytes) { return bytes / bytes_per_ms; }

/// Bytes of so many seconds of sound, in whole frames.
inline uint64_t sound_bytes(double seconds) {
  return static_cast<uint64_t>(seconds * 1000 * bytes_per_ms / frame_bytes + 0.5) * frame_bytes;
}

/// Where a generator is asked to begin when so much is durable already: at least ten frames earlier, so that its encoder
/// is primed when it comes to the tail; and on a multiple of 240 ms, which is a whole number of samples at every usual rate.
inline position priming_start(position tail) {
  constexpr position step = 10 * frame_bytes;
  return tail < step ? 0 : (tail - step) / step * step;
}

/// How many bytes from the beginning are whole frames of this format: MPEG-1 layer III, 128 kbit/s, 48 kHz, two channels,
/// no CRC, no padding.
size_t whole_frames(std::string_view bytes);

/// How much of a piece is made, 0 to 100; 100 only when it completed.
int percent_made(const generation_row& row);

/// Paths of the two streams of a generation.
std::string audio_path(const std::string& request_id);
std::string events_path(const std::string& request_id);

/// Path of what is told about transfers of its sound.
std::string transfers_path(const std::string& request_id);

/// Whether a stream belongs to a generation: the server writes it.
bool is_of_generation(std::string_view path);

/// Whose sound is kept at this path; nothing: it is not the sound of a generation.
std::optional<std::string> whose_audio(std::string_view path);

} // namespace segue
