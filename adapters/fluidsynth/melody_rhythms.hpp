// The rhythms melodies are made of.
#pragma once

#include "adapters/fluidsynth/styles.hpp"

namespace segue::fluidsynth {

/// Bars of a family: x starts a note, '-' holds it, '.' rests. `dense` gives the busier ones, for solos.
texts melody_rhythms(text family, bool dense);

} // namespace segue::fluidsynth
