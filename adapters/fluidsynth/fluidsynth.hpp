// The embedded generator: composes a piece from words and plays it through a soundfont.
#pragma once

#include "adapters/ports.hpp"

#include <memory>
#include <string>

namespace segue::fluidsynth {

/// Where Debian's package timgm6mb-soundfont puts its General MIDI soundfont.
inline constexpr const char* default_soundfont = "/usr/share/sounds/sf2/TimGM6mb.sf2";

/// Composes and gets ready to play; the first samples are there within some 20 ms. Generators are independent of each
/// other and may live on different threads.
/// Throws `std::runtime_error` when the soundfont cannot be read.
std::unique_ptr<segue::generator> make_synth(const segue::sound_request& request, const std::string& soundfont_path);

/// What besides the request decides the samples: "synth-1 fluidsynth-2.3.1 soundfont-<size>-<hash>". Reads the whole
/// soundfont; "soundfont-none" when it cannot be read.
std::string version(const std::string& soundfont_path = default_soundfont);

} // namespace segue::fluidsynth
