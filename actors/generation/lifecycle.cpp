#include "actors/generation/lifecycle.hpp"

namespace segue {

lifecycle::lifecycle(generation_row row) : row_(std::move(row)), ending_known_(decided()) { ++row_.attempt; }

lifecycle::step lifecycle::next() const {
  if (!streams_open_)
    return step::open_streams;
  if (events_closed_ && !ending_known_)
    return step::read_end;
  if (!announced_ && !events_closed_)
    return step::announce;
  if (decided()) {
    if (!ending_recorded_)
      return step::record_ending;
    if (!audio_closed_)
      return step::close_audio;
    if (!events_ended_ && !events_closed_)
      return step::end_events;
    return end_recorded_ ? step::done : step::record_end;
  }
  if (broken_off_)
    return step::back_off;
  if (!start_recorded_)
    return step::record_start;
  if (!sound_open_)
    return step::open_sound;
  return start_announced_ ? step::make_sound : step::announce_start;
}

void lifecycle::complete(step x) {
  switch (x) {
    case step::open_streams:
      streams_open_ = true;
      break;
    case step::announce:
      announced_ = true;
      break;
    case step::record_start:
      start_recorded_ = true;
      break;
    case step::open_sound:
      sound_open_ = true;
      break;
    case step::announce_start:
      start_announced_ = true;
      break;
    case step::back_off:
      ++row_.attempt;
      broken_off_ = start_recorded_ = sound_open_ = start_announced_ = false;
      break;
    case step::record_ending:
      ending_recorded_ = true;
      row_.ended_at_ms = unix_now_ms();
      break;
    case step::close_audio:
      audio_closed_ = true;
      break;
    case step::end_events:
      events_ended_ = true;
      row_.state = row_.decided;
      break;
    case step::record_end:
      end_recorded_ = true;
      break;
    case step::read_end:
    case step::make_sound:
    case step::done:
      break; // these end with a decision, not by themselves
  }
}

void lifecycle::found_streams(const stream_row& audio, const stream_row& events) {
  row_.audio_bytes = audio.tail;
  audio_closed_ = audio.closed;
  events_closed_ = events.closed;
  if (events.closed && ending_known_)
    row_.state = row_.decided;
}

void lifecycle::started(int64_t at_ms) {
  row_.state = generation_state::running;
  row_.started_at_ms = at_ms;
}

void lifecycle::learned_end(generation_state how, std::string reason) {
  row_.state = row_.decided = how;
  row_.reason = std::move(reason);
  ending_known_ = true;
}

void lifecycle::opened_sound(const sound_opened& x) {
  row_.generator = x.generator;
  if (row_.generator_version.empty())
    row_.generator_version = x.version;
  row_.expected_bytes = x.expected_bytes;
}

bool lifecycle::decide(generation_state how, std::string reason) {
  if (decided())
    return false;
  row_.decided = how;
  row_.reason = std::move(reason);
  return true;
}

} // namespace segue
