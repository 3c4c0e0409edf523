// The instruments of the General MIDI soundfont: what they can do and how loud they are.
#pragma once

#include <span>
#include <string_view>

namespace segue::fluidsynth {

/// One instrument. A row in instruments.cpp.
struct instrument {
  std::string_view name;
  std::string_view words; ///< what it is called in a prompt: phrases separated by '|', '*' ends a prefix
  int program = 0;        ///< General MIDI program
  int low = 48, high = 84; ///< range for a melody
  int trim = 0;            ///< dB to add so that all melodies are equally loud
  int chord_trim = 0;      ///< the same for chords
  std::string_view roles;  ///< what it can be, best first: l(ead), c(hords), p(ad), b(ass)
  bool sustained = false;  ///< keeps sounding while held: wind, bow, organ
  bool strummed = false;   ///< its chords are spread like a strum
  bool can(char role) const { return roles.find(role) != std::string_view::npos; }
};

std::span<const instrument> instruments();

/// By name. Throws `std::invalid_argument` for an unknown one: a typing error in a table.
const instrument& instrument_named(std::string_view name);

} // namespace segue::fluidsynth
