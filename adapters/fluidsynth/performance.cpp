// How written notes are played, and how the players are mixed.
#include "adapters/fluidsynth/composer.hpp"
#include "adapters/fluidsynth/dice.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace segue::fluidsynth {

namespace {

struct seat {
  int level; // dB below the lead
  int pan;   // 0 left, 64 middle, 127 right
  int reverb; // per cent of the room
  int chorus;
};

// clang-format off
constexpr std::array<seat, part_count> seats{{
  {  0, 60, 100, 0}, // lead
  {  0, 72, 100, 0}, // soloist
  { -3, 88, 110, 8}, // second
  { -5, 42,  80, 12}, // comp
  { -8, 70, 120, 30}, // pad
  { -1, 64,  25, 0}, // bass
  { -1, 64,  55, 0}, // drums
}};
// clang-format on

const instrument* player_of(const brief& b, part p) {
  switch (p) {
    case part::lead: return b.lead;
    case part::soloist: return b.soloist;
    case part::second: return b.second;
    case part::comp: return b.comp;
    case part::pad: return b.pad;
    case part::bass: return b.bass;
    case part::drums: return nullptr;
  }
  return nullptr;
}

// Some kits of the soundfont are louder than others.
int trim_of_kit(int program) {
  switch (program) {
    case 0: return 3;
    case 16: return -2;
    case 25: return 2;
    case 48: return 1;
    default: return 0;
  }
}

// The place of a tick once the beat swings: second halves come late, everything between is stretched along.
double swing(double tick, double unit, int per_cent) {
  auto whole = std::floor(tick / unit) * unit;
  auto x = (tick - whole) / unit;
  auto middle = 0.5 + per_cent / 600.0; // 100 %: two thirds
  return whole + unit * (x < 0.5 ? x * 2 * middle : middle + (x - 0.5) * 2 * (1 - middle));
}

struct played {
  uint64_t on, off;
  uint8_t channel, key, velocity;
  bool sings; // gets vibrato
};

class performer {
public:
  explicit performer(const sketch& s) : s_(s), b_(s.words), chance_(s.words.seed, "performance") {}

  std::vector<event> perform(const notes& score) {
    for (auto& n : score)
      play(n);
    std::stable_sort(notes_.begin(), notes_.end(), [](auto& a, auto& b) { return a.on < b.on; });
    untangle();
    for (auto& n : notes_)
      if (n.off > n.on)
        emit(n);
    std::stable_sort(events_.begin(), events_.end(),
      [](auto& a, auto& b) { return std::pair(a.frame, a.what) < std::pair(b.frame, b.what); });
    return std::move(events_);
  }

private:
  double seconds(int64_t tick) const {
    auto t = static_cast<double>(tick);
    if (b_.genre->pulse == 4)
      t = swing(swing(t, quarter_ticks, b_.genre->swing8), quarter_ticks / 2, b_.genre->swing16);
    return s_.shape.seconds(static_cast<int64_t>(std::llround(t)));
  }

  void play(const note& n) {
    auto* player = player_of(b_, n.who);
    auto loose = n.who == part::drums ? b_.genre->loose / 2 : n.who == part::pad ? 0 : b_.genre->loose;
    auto late = chance_.around(loose) + (n.who == part::bass && b_.genre->swing8 > 0 ? 4 : 0);
    auto start = std::max(0.0, seconds(n.start) + (n.start == 0 ? 0 : late) / 1'000.0);
    auto length = seconds(n.end()) - seconds(n.start);
    auto melodic = n.who == part::lead || n.who == part::soloist || n.who == part::second;
    if (melodic && n.length >= 2 * step_ticks)
      length *= player && player->sustained ? 0.97 : 0.92;
    auto velocity = std::clamp(n.velocity + chance_.around(n.who == part::drums ? 7 : 5), 16, 124);
    auto frame = [](double s) { return static_cast<uint64_t>(std::llround(s * frame_rate)); };
    bool sings = melodic && player && player->sustained && player->program >= 22 && length > 0.55;
    auto off = frame(start + std::max(length, 0.03));
    auto key = static_cast<uint8_t>(n.key);
    notes_.push_back({frame(start), off, channel_of(n.who), key, static_cast<uint8_t>(velocity), sings});
  }

  // One string plays one note: a key struck again ends its former note; of two at once the louder stays.
  void untangle() {
    std::array<std::array<played*, 128>, 16> sounding{};
    for (auto& n : notes_) {
      auto& former = sounding[n.channel][n.key];
      if (former && former->off >= n.on) {
        if (n.on - former->on < 480) { // 10 ms
          former->off = std::max(former->off, n.off);
          former->velocity = std::max(former->velocity, n.velocity);
          n.off = n.on;
          continue;
        }
        former->off = n.on;
      }
      former = &n;
    }
  }

  void emit(const played& n) {
    using enum event::kind;
    constexpr uint8_t modulation = 1;
    if (n.sings) {
      auto later = n.on + std::min<uint64_t>((n.off - n.on) / 2, frame_rate * 35 / 100);
      events_.push_back({n.on, control, n.channel, modulation, 0});
      events_.push_back({later, control, n.channel, modulation, 28});
      events_.push_back({later + frame_rate / 5, control, n.channel, modulation, 52});
    }
    events_.push_back({n.on, on, n.channel, n.key, n.velocity});
    events_.push_back({n.off, off, n.channel, n.key, 0});
  }

  const sketch& s_;
  const brief& b_;
  dice chance_;
  std::vector<played> notes_;
  std::vector<event> events_;
};

} // namespace

uint8_t channel_of(part p) { return p == part::drums ? 9 : static_cast<uint8_t>(p); }

std::vector<event> perform(const sketch& s, const notes& score) { return performer(s).perform(score); }

std::vector<channel_setup> mix(const brief& b) {
  std::vector<channel_setup> result;
  for (size_t i = 0; i < part_count; ++i) {
    auto p = static_cast<part>(i);
    auto* player = player_of(b, p);
    if (p == part::drums ? !b.drums : !player)
      continue;
    auto& seat = seats[i];
    bool chords = p == part::comp || p == part::pad;
    auto trim = p == part::drums ? trim_of_kit(b.genre->kit) : chords ? player->chord_trim : player->trim;
    auto level = seat.level + trim + b.genre->level - 4;
    if (p == part::bass && player == b.comp)
      level -= 3; // the left hand
    if (p == part::comp && player == b.lead)
      level -= 1;
    channel_setup c;
    c.channel = channel_of(p);
    c.program = player ? player->program : b.genre->kit;
    c.drums = p == part::drums;
    c.volume = static_cast<uint8_t>(std::clamp<long>(std::lround(112 * std::pow(10, level / 40.0)), 1, 127));
    bool one_player = b.comp && b.comp == b.lead && player == b.lead; // one instrument stays in one place
    c.pan = static_cast<uint8_t>(one_player ? 64 + (seat.pan - 64) / 3 : seat.pan);
    c.reverb = static_cast<uint8_t>(std::min(127, b.reverb * seat.reverb / 80));
    c.chorus = static_cast<uint8_t>(seat.chorus);
    result.push_back(c);
  }
  return result;
}

} // namespace segue::fluidsynth
