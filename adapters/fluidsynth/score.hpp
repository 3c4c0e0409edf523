// What a composition is made of. Time is in ticks: 120 to a sixteenth, 480 to a quarter.
#pragma once

#include "adapters/fluidsynth/prompt.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace segue::fluidsynth {

inline constexpr uint32_t frame_rate = 48'000; ///< sample frames per second
inline constexpr int64_t step_ticks = 120, quarter_ticks = 480;

/// The players.
enum class part : uint8_t { lead, soloist, second, comp, pad, bass, drums };
inline constexpr size_t part_count = 7;

/// A note as written: no swing, no scatter.
struct note {
  int64_t start = 0, length = 0;
  int key = 60;
  int velocity = 80;
  part who = part::lead;
  int64_t end() const { return start + length; }
};

using notes = std::vector<note>;

/// A stretch of bars with one idea.
struct section {
  std::string name; ///< "intro", "A", "B", "solo", "break", "outro"...
  char theme = 'A'; ///< sections with the same letter share chords and melody
  int first_bar = 0, bars = 0;
  int pass = 0;     ///< how many sections of the same theme came before
  int energy = 2;   ///< 0 (almost nothing) to 4 (everything)
  bool solo = false;
  bool last = false; ///< nothing but the last chord follows
  std::array<bool, part_count> plays{};
  bool has(part p) const { return plays[static_cast<size_t>(p)]; }
};

/// The shape of a piece: bars, then one last chord that rings out.
struct form {
  int bars = 0; ///< before the last chord
  std::vector<section> sections;
  double step_s = 0.1;  ///< seconds of a sixteenth, before any slowing down
  double slowing = 0;   ///< how much slower the last step before the last chord is: 0.3 = 30 %
  int slow_steps = 0;   ///< how long it slows down
  double ring_s = 3;    ///< from the last chord to the end
  int steps = 16;       ///< sixteenths in a bar
  int64_t bar_ticks() const { return steps * step_ticks; }
  int64_t last_chord() const { return bars * bar_ticks(); }
  int64_t ring_ticks() const { return static_cast<int64_t>(ring_s / step_s * step_ticks); }
  double seconds(int64_t tick) const; ///< when a tick sounds
};

/// A chord and how long it lasts.
struct chord_span {
  int64_t start = 0, end = 0;
  chord harmony;
};

/// Chords from the beginning to the end; the last one is open-ended.
class progression {
public:
  explicit progression(std::vector<chord_span> spans) : spans_(std::move(spans)) {}
  const chord_span& at(int64_t tick) const;
  /// The chord that fits a note: the one it sounds longest in.
  const chord& under(int64_t start, int64_t length) const;
  const std::vector<chord_span>& spans() const { return spans_; }

private:
  std::vector<chord_span> spans_;
};

/// Divides `duration_s` into sections. The piece is at most a bar longer and never a second shorter.
form plan_form(const brief& b, double duration_s);

/// Chords for every bar.
progression plan_harmony(const brief& b, const form& f);

/// What the writers of the parts work from.
struct sketch {
  const brief& words;
  const form& shape;
  const progression& chords;
};

} // namespace segue::fluidsynth
