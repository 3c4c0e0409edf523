// The events of a generation: JSON objects, one message each of its event stream.
#pragma once

#include "actors/messages.hpp"

#include <optional>

namespace segue::events {

/// Sound is linear: 128 kbit/s are 16 bytes a millisecond.
inline constexpr uint64_t bytes_per_ms = 16;

/// Milliseconds of sound in so many bytes.
inline uint64_t sound_ms(uint64_t bytes) { return bytes / bytes_per_ms; }

/// How much of the piece is made, 0 to 100; 100 only when it completed.
int percent(const generation_row& row);

std::string queued(const generation_row& row);

/// `plan` is a JSON object of the generator; `resumed_at` is where sound was durable already.
std::string started(const generation_row& row, const std::string& plan, position resumed_at);
std::string progress(const generation_row& row);
std::string heartbeat(const generation_row& row);

/// completed, failed or cancelled, as decided.
std::string ended(const generation_row& row);

struct ending {
  generation_state how = generation_state::failed;
  std::string reason;
};

/// Reads a terminal event; nothing for any other text.
std::optional<ending> read_ending(std::string_view event);

} // namespace segue::events
