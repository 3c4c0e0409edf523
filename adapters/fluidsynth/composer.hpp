// From a request to everything that will sound, and when: a pure function.
#pragma once

#include "adapters/fluidsynth/score.hpp"

#include <cstdint>
#include <vector>

namespace segue::fluidsynth {

/// One message to the synthesizer.
struct event {
  enum class kind : uint8_t { off, control, on }; ///< in the order in which simultaneous ones are sent
  uint64_t frame = 0;
  kind what = kind::on;
  uint8_t channel = 0;
  uint8_t first = 0;  ///< key or controller
  uint8_t second = 0; ///< velocity or value
};

/// A channel and its place in the mix.
struct channel_setup {
  uint8_t channel = 0;
  int program = 0;
  bool drums = false;
  uint8_t volume = 100, pan = 64, reverb = 40, chorus = 0;
};

/// A piece, ready to be played.
struct composition {
  brief words;
  form shape;
  progression chords;
  notes score;               ///< as written, by start; the last chord included
  std::vector<channel_setup> channels;
  std::vector<event> events; ///< as played: swing, scatter and slowing down included; by frame
  uint64_t length = 0;       ///< sample frames
  uint64_t fade_start = 0;   ///< from here the sound fades to nothing at `length`
};

/// Composes a piece. The same words, seed and duration give the same composition.
composition compose(text prompt, uint64_t seed, double duration_s);

/// What `generator::plan` tells: title, tempo_bpm, key, mood, style, meter, instruments, sections, duration_ms.
std::string plan_json(const composition& x);

/// Plays the notes like people do: swings, scatters, slows down. Sorted by frame.
std::vector<event> perform(const sketch& s, const notes& score);

/// Programs, levels, places and effects of all parts.
std::vector<channel_setup> mix(const brief& b);

/// The MIDI channel of a part.
uint8_t channel_of(part p);

} // namespace segue::fluidsynth
