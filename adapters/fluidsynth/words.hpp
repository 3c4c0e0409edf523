// Words and what they mean: the vocabulary of prompts apart from styles and instruments, which bring their own.
#pragma once

#include "adapters/fluidsynth/styles.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace segue::fluidsynth {

/// A mood. A row in words.cpp.
struct mood {
  text name;
  int minor = -1;  ///< chance of a minor key in per cent; -1: as the style says
  int faster = 0;  ///< per cent to add to the tempo
  int energy = 0;  ///< -2 (hardly there) to 2 (as much as there is)
  int bright = 0;  ///< moves melody and chords, in semitones
  int reverb = 0;  ///< adds to the room
  text styles{};   ///< what fits when no style was named, separated by '|'
  text words{};    ///< phrases separated by '|', '*' ends a prefix
};

/// A word for a tempo.
struct pace {
  text words;
  int bpm = 0;    ///< absolute, or 0
  int faster = 0; ///< per cent, when `bpm` is 0
};

std::span<const mood> moods();
std::span<const pace> paces();

/// Words that say nothing on their own: left out at the edges of a title.
bool is_filler(text word);

/// Words about music as such ("song", "bpm"): never part of a title.
bool is_shop_talk(text word);

/// A word of the prompt.
struct token {
  std::string word;    ///< lower case
  std::string spelled; ///< as it came
  bool clause_ends = false; ///< punctuation follows
  bool used = false;   ///< understood as tempo, key, style or instrument
};

/// Splits into words. Letters, digits, '#' and everything beyond ASCII are parts of words.
std::vector<token> tokenize(text prompt);

/// How many tokens from `at` match one of the phrases in `words` ("lo fi|chill*"); 0 when none does.
size_t match(std::span<const token> tokens, size_t at, text words);

} // namespace segue::fluidsynth
