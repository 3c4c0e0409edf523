// The second voice: guide tones under the melody, thirds along with it, or answers in its rests.
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <cstdlib>

namespace segue::fluidsynth {

namespace {

class second {
public:
  second(const sketch& s, const notes& melody) : s_(s), b_(s.words), range_(range_of(*s.words.second, s.words)) {
    for (auto& n : melody)
      if (n.who == part::lead)
        lead_.push_back(n);
  }

  notes write() {
    for (size_t i = 0; i < s_.shape.sections.size(); ++i) {
      auto& sec = s_.shape.sections[i];
      if (!sec.has(part::second))
        continue;
      auto from = sec.first_bar * s_.shape.bar_ticks(), to = from + sec.bars * s_.shape.bar_ticks();
      switch (b_.genre->second) {
        case second_voice::thirds: thirds(from, to); break;
        case second_voice::answers: answers(from, to, dice(b_.seed, "answers", i)); break;
        default: guide_tones(from, to); break;
      }
    }
    last_note();
    return std::move(out_);
  }

private:
  // Thirds and sevenths say what a chord is; the nearest one makes a line.
  void guide_tones(int64_t from, int64_t to) {
    int p = range_.middle - 4;
    for (auto& span : s_.chords.spans()) {
      if (span.start < from || span.start >= to)
        continue;
      pitch_set guides;
      for (size_t i = 1; i < span.harmony.tones.size(); i += 2) // third, seventh
        guides.set(static_cast<size_t>(mod(span.harmony.root + span.harmony.tones[i], 12)));
      p = nearest(p, guides, p < range_.middle);
      if (!out_.empty() && out_.back().key == p && out_.back().end() == span.start)
        out_.back().length += span.end - span.start;
      else
        out_.push_back({span.start, span.end - span.start, p, 70, part::second});
    }
  }

  void thirds(int64_t from, int64_t to) {
    for (auto& n : lead_) {
      if (n.start < from || n.start >= to || n.length < 2 * step_ticks)
        continue;
      auto& harmony = s_.chords.under(n.start, n.length);
      auto p = step(n.key, -2, scale_on(harmony, b_.key));
      if (n.length >= quarter_ticks && !harmony.has(p)) {
        p = step(n.key - 2, -1, harmony.pitches());
        if (n.key - p > 9)
          continue;
      }
      if (p >= b_.second->low - 4)
        out_.push_back({n.start, n.length, p, n.velocity - 14, part::second});
    }
  }

  void answers(int64_t from, int64_t to, dice chance) {
    for (size_t i = 0; i + 1 < lead_.size(); ++i) {
      auto gap = lead_[i].end(), until = lead_[i + 1].start;
      if (lead_[i].start < from || gap >= to || lead_[i].length < quarter_ticks / 2)
        continue;
      gap = (gap + 2 * step_ticks - 1) / (2 * step_ticks) * (2 * step_ticks);
      auto room = static_cast<int>((std::min(until, to) - gap) / (2 * step_ticks)); // eighths
      if (room < 4)
        continue;
      auto count = std::min(room - 1, chance.between(3, 5));
      bool up = chance.chance(50);
      int p = range_.middle + (up ? -6 : 4);
      for (int k = 0; k < count; ++k) {
        auto start = gap + 2 * k * step_ticks;
        auto& harmony = s_.chords.at(start).harmony;
        p = k % 2 == 0 ? nearest(p, harmony.pitches(), up) : step(p, up ? 1 : -1, scale_on(harmony, b_.key));
        out_.push_back({start, (k + 1 == count ? 3 : 2) * step_ticks - 20, p, 76 + chance.around(4), part::second});
        p += up ? 2 : -2;
      }
    }
  }

  void last_note() {
    if (out_.empty() || b_.genre->second == second_voice::answers)
      return;
    auto end = s_.shape.last_chord();
    auto& harmony = s_.chords.at(end).harmony;
    auto third = harmony.tones.size() > 2 ? harmony.tones[1] : 7;
    auto p = nearest(out_.back().key, pitch_set().set(static_cast<size_t>(mod(harmony.root + third, 12))));
    auto ring = s_.shape.ring_ticks();
    out_.push_back({end, ring * 3 / 4, p, 74, part::second});
  }

  const sketch& s_;
  const brief& b_;
  melody_range range_;
  notes lead_, out_;
};

} // namespace

notes write_second_voice(const sketch& s, const notes& melody) {
  return s.words.second ? second(s, melody).write() : notes{};
}

} // namespace segue::fluidsynth
