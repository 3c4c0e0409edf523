#include "adapters/fluidsynth/fluidsynth.hpp"

#include "adapters/fluidsynth/composer.hpp"
#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/limiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fluidsynth.h>
#include <fstream>
#include <iterator>
#include <mutex>
#include <numbers>
#include <stdexcept>
#include <string_view>

namespace segue::fluidsynth {

namespace {

static_assert(frame_rate == sample_rate);
constexpr double duration_min = 1, duration_max = 3'600; // guards; the doors allow less

template <auto Delete>
struct deleter {
  void operator()(auto* x) const { Delete(x); }
};

using settings_ptr = std::unique_ptr<fluid_settings_t, deleter<delete_fluid_settings>>;
using synth_ptr = std::unique_ptr<fluid_synth_t, deleter<delete_fluid_synth>>;

// FluidSynth sets up and shares some tables and sample data globally.
std::mutex& library_mutex() {
  static std::mutex m;
  return m;
}

// Looks before FluidSynth does: its loaders write to stderr what they think of strange files.
void check(const std::string& soundfont) {
  std::ifstream file(soundfont, std::ios::binary);
  std::array<char, 12> head{};
  if (!file.read(head.data(), head.size()))
    throw std::runtime_error("cannot read the soundfont " + soundfont
                             + " (Debian: apt install timgm6mb-soundfont puts one at " + default_soundfont + ')');
  std::string_view x(head.data(), head.size());
  if (!x.starts_with("RIFF") || !x.ends_with("sfbk"))
    throw std::runtime_error("not a soundfont: " + soundfont);
}

class synth : public segue::generator {
public:
  synth(const sound_request& request, const std::string& soundfont)
    : piece_(compose(request.prompt, request.seed, std::clamp(request.duration_s, duration_min, duration_max))) {
    check(soundfont);
    std::lock_guard guard(library_mutex());
    for (int level : {FLUID_PANIC, FLUID_ERR, FLUID_WARN, FLUID_INFO, FLUID_DBG})
      fluid_set_log_function(level, nullptr, nullptr);
    open(soundfont);
    set_up_channels();
  }

  ~synth() override {
    std::lock_guard guard(library_mutex());
    synth_.reset();
    settings_.reset();
  }

  std::string plan() const override { return plan_json(piece_); }

  uint64_t length() const override { return piece_.length; }

  size_t render(std::span<int16_t> out) override {
    size_t done = 0, wanted = out.size() / channels;
    while (done < wanted && position_ < piece_.length) {
      if (in_block_ == block_frames)
        next_block();
      for (; done < wanted && in_block_ < block_frames && position_ < piece_.length; ++done, ++in_block_, ++position_) {
        out[2 * done] = block_[2 * in_block_];
        out[2 * done + 1] = block_[2 * in_block_ + 1];
      }
    }
    return done;
  }

private:
  void open(const std::string& soundfont) {
    settings_.reset(new_fluid_settings());
    auto* s = settings_.get();
    auto room = piece_.words.reverb / 100.0;
    fluid_settings_setnum(s, "synth.sample-rate", sample_rate);
    fluid_settings_setint(s, "synth.cpu-cores", 1);
    fluid_settings_setint(s, "synth.polyphony", 192);
    fluid_settings_setint(s, "synth.threadsafe-api", 0);
    fluid_settings_setint(s, "synth.dynamic-sample-loading", 1); // only the presets that play: 3 ms instead of 30
    fluid_settings_setnum(s, "synth.gain", 1.2);
    fluid_settings_setint(s, "synth.reverb.active", 1);
    fluid_settings_setnum(s, "synth.reverb.room-size", 0.35 + 0.5 * room);
    fluid_settings_setnum(s, "synth.reverb.damp", 0.35);
    fluid_settings_setnum(s, "synth.reverb.width", 0.8);
    fluid_settings_setnum(s, "synth.reverb.level", 0.45 + 0.45 * room);
    fluid_settings_setint(s, "synth.chorus.active", 1);
    fluid_settings_setnum(s, "synth.chorus.level", 1.2);
    synth_.reset(s ? new_fluid_synth(s) : nullptr);
    if (!synth_)
      throw std::runtime_error("FluidSynth could not be set up");
    if (fluid_synth_sfload(synth_.get(), soundfont.c_str(), 1) == FLUID_FAILED)
      throw std::runtime_error("not a soundfont that FluidSynth can read: " + soundfont);
  }

  void set_up_channels() {
    constexpr int volume = 7, pan = 10, reverb = 91, chorus = 93;
    for (auto& c : piece_.channels) {
      auto* s = synth_.get();
      fluid_synth_set_channel_type(s, c.channel, c.drums ? CHANNEL_TYPE_DRUM : CHANNEL_TYPE_MELODIC);
      fluid_synth_program_change(s, c.channel, c.program);
      fluid_synth_cc(s, c.channel, volume, c.volume);
      fluid_synth_cc(s, c.channel, pan, c.pan);
      fluid_synth_cc(s, c.channel, reverb, c.reverb);
      fluid_synth_cc(s, c.channel, chorus, c.chorus);
    }
  }

  void send(const event& e) {
    auto* s = synth_.get();
    switch (e.what) {
      case event::kind::on: fluid_synth_noteon(s, e.channel, e.first, e.second); break;
      case event::kind::off: fluid_synth_noteoff(s, e.channel, e.first); break;
      case event::kind::control: fluid_synth_cc(s, e.channel, e.first, e.second); break;
    }
  }

  // Plays the next 64 frames into `coming_.back()`: floats, because FluidSynth's own 16 bit dither is shared state.
  void synthesize() {
    while (next_event_ < piece_.events.size() && piece_.events[next_event_].frame < rendered_ + block_frames / 2)
      send(piece_.events[next_event_++]);
    auto& b = coming_.back();
    if (fluid_synth_write_float(synth_.get(), block_frames, b.left.data(), 0, 1, b.right.data(), 0, 1) != FLUID_OK)
      throw std::runtime_error("FluidSynth stopped rendering");
    rendered_ += block_frames;
  }

  double fade(uint64_t frame) const {
    if (frame < piece_.fade_start)
      return 1;
    auto x = static_cast<double>(frame - piece_.fade_start) / static_cast<double>(piece_.length - piece_.fade_start);
    return x >= 1 ? 0 : 0.5 + 0.5 * std::cos(x * std::numbers::pi);
  }

  void next_block() {
    auto advance = [&] {
      std::move(coming_.begin() + 1, coming_.end(), coming_.begin());
      synthesize();
    };
    if (rendered_ == 0)
      for (size_t i = 1; i < coming_.size(); ++i)
        advance();
    advance();
    auto from = gain_, to = limiter_.next(coming_);
    for (size_t i = 0; i < block_frames; ++i) {
      auto x = static_cast<float>(i + 1) / block_frames;
      auto gain = static_cast<double>(from + (to - from) * x) * fade(position_ + i) * 32'767;
      auto sample = [gain](float v) {
        return static_cast<int16_t>(std::lround(std::clamp(v * gain, -32'768.0, 32'767.0)));
      };
      block_[2 * i] = sample(coming_[0].left[i]);
      block_[2 * i + 1] = sample(coming_[0].right[i]);
    }
    gain_ = to;
    in_block_ = 0;
  }

  composition piece_;
  settings_ptr settings_;
  synth_ptr synth_;
  limiter limiter_;
  float gain_ = 1;
  std::array<sound_block, limiter::ahead> coming_{};
  std::array<int16_t, block_frames * channels> block_{};
  size_t in_block_ = block_frames; // frames of `block_` that were handed out
  size_t next_event_ = 0;
  uint64_t rendered_ = 0, position_ = 0;
};

} // namespace

std::unique_ptr<segue::generator> make_synth(const segue::sound_request& request, const std::string& soundfont_path) {
  return std::make_unique<synth>(request, soundfont_path);
}

std::string version(const std::string& soundfont_path) {
  auto result = std::string("synth-1 fluidsynth-") + fluid_version_str() + " soundfont-";
  std::ifstream file(soundfont_path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty())
    return result + "none";
  constexpr const char* digits = "0123456789abcdef";
  result += std::to_string(bytes.size()) + '-';
  for (auto h = hash_of(bytes), i = uint64_t{0}; i < 8; ++i, h >>= 4)
    result += digits[h & 15];
  return result;
}

} // namespace segue::fluidsynth
