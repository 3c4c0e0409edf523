// The events of a generation: JSON objects, one message each of its event stream.
#pragma once

#include "actors/messages.hpp"

#include <optional>

namespace segue::events {

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
