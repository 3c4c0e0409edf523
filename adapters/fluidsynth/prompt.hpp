// From words to a brief: what is to be played, before a single note of it is written.
#pragma once

#include "adapters/fluidsynth/instruments.hpp"
#include "adapters/fluidsynth/styles.hpp"
#include "adapters/fluidsynth/theory.hpp"
#include "adapters/fluidsynth/words.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue::fluidsynth {

/// Everything that the words and the seed decide. Instruments that are null do not play.
struct brief {
  uint64_t seed = 0; ///< for all further choices: words and seed together
  std::string title;
  std::string mood;
  const style* genre = nullptr;
  key_signature key;
  int bpm = 100;
  bool bpm_exact = false; ///< a number was given
  int steps = 16;         ///< sixteenths in a bar
  int energy = 0;         ///< -2 to 2
  int bright = 0;         ///< semitones by which melody and chords move
  int reverb = 40;        ///< 0 to 100

  const instrument* lead = nullptr;
  const instrument* second = nullptr; ///< guide tones, thirds or answers
  const instrument* soloist = nullptr; ///< leads in the solos of long pieces
  const instrument* comp = nullptr;
  const instrument* pad = nullptr;
  const instrument* bass = nullptr;
  bool drums = false;

  std::string meter() const; ///< e.g. "4/4"
  std::vector<std::string> instrument_names() const;
};

/// Reads a prompt. Pure: the same words and seed give the same brief. Words it does not know steer the choices that are
/// left open, so every text gives a piece of its own.
brief read_prompt(text prompt, uint64_t seed);

/// A short title from words that are not about music, e.g. "Rain on the Window"; `otherwise` when there are none.
std::string title_of(std::vector<token> words, const std::string& otherwise);

} // namespace segue::fluidsynth
