#include "actors/sound.hpp"

#include <algorithm>

namespace segue {

int percent_made(const generation_row& row) {
  if (row.state == generation_state::completed)
    return 100;
  if (row.expected_bytes == 0)
    return 0;
  return static_cast<int>(std::min<uint64_t>(99, row.audio_bytes * 100 / row.expected_bytes));
}

std::string audio_path(const std::string& request_id) { return "generations/" + request_id + "/audio"; }

std::string events_path(const std::string& request_id) { return "generations/" + request_id + "/events"; }

} // namespace segue
