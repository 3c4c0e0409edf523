// A generator whose every byte is known, behind the real generator host.
#pragma once

#include "actors/sound.hpp"
#include "adapters/host.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>

namespace segue {

/// What scripted generators do, and what was seen of them.
struct sound_script {
  // -- what they do
  size_t fails_at_frame = SIZE_MAX; ///< the generator throws there
  bool cannot_begin = false;
  std::deque<size_t> breaks; ///< frames of the piece at which it breaks off, one for each attempt; 0: before it begins
  bool resumes = false;      ///< begins where it is asked to; else at the beginning
  uint64_t late = 0;         ///< sample frames by which it begins behind that
  size_t thinks = 0;         ///< calls in a row that it keeps waiting
  bool has_tail = true; ///< the encoder holds one frame back until the end, as a real one does

  // -- what was seen
  std::vector<uint64_t> begun;             ///< the seeds of the pieces, in the order they were begun
  std::vector<open_sound> asked;           ///< every request to begin
  std::vector<caf::actor_addr> performers; ///< who began them: generation actors
  size_t rendered = 0;                     ///< requests for sound

  /// Frames of a piece without its tail.
  static size_t frames(double duration_s) { return static_cast<size_t>(std::lround(duration_s / 0.024)); }

  /// One frame of the piece with this seed; no two are alike.
  static std::string frame(uint64_t seed, uint64_t index) {
    std::string bytes(frame_bytes, '\0');
    auto x = (seed + 1) * 0x9e3779b97f4a7c15ull + (index + 1) * 0xbf58476d1ce4e5b9ull;
    for (auto& byte : bytes) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      byte = static_cast<char>(x);
    }
    return bytes;
  }

  /// The whole piece.
  std::string piece(uint64_t seed, double duration_s) const {
    std::string bytes;
    auto count = frames(duration_s);
    for (size_t i = 0; i < count; ++i)
      bytes += frame(seed, i);
    return has_tail ? bytes + tail() : bytes;
  }

  static std::string tail() { return std::string(frame_bytes, 't'); }
};

/// Hides the bytes of each frame in the first samples of the block it stands for.
class scripted_sound final : public generator {
public:
  scripted_sound(sound_script& script, const sound_request& x)
      : script_(script), seed_(x.seed), frames_(sound_script::frames(x.duration_s)) {
    if (script_.resumes && x.resume_at_ms > 0)
      first_ = std::min(x.resume_at_ms * (sample_rate / 1'000) + script_.late, length());
    at_ = first_;
    if (!script_.breaks.empty()) {
      breaks_at_ = script_.breaks.front();
      script_.breaks.pop_front();
    }
  }

  bool begin() override {
    if (breaks_at_ == 0)
      throw adapter_error{ec::unavailable, "nobody there"};
    return !thinking();
  }

  uint64_t starts_at() const override { return first_; }
  bool waiting() const override { return waiting_; }
  std::string plan() const override { return R"({"key":"C major"})"; }
  uint64_t length() const override { return frames_ * frame_samples; }

  size_t render(std::span<int16_t> out) override {
    size_t done = 0;
    waiting_ = thinking();
    for (; !waiting_ && done < out.size() / channels && at_ < length(); ++done, ++at_) {
      if (at_ % frame_samples == 0 || at_ == first_)
        next_frame();
      for (size_t channel = 0; channel < channels; ++channel)
        out[done * channels + channel] = block_[at_ % frame_samples * channels + channel];
    }
    return done;
  }

private:
  bool thinking() {
    thought_ = thought_ < script_.thinks ? thought_ + 1 : 0;
    return thought_ > 0;
  }

  void next_frame() {
    auto index = at_ / frame_samples;
    if (index >= breaks_at_)
      throw adapter_error{ec::unavailable, "the line went dead"};
    if (index >= script_.fails_at_frame)
      throw std::runtime_error{"the strings broke"};
    auto bytes = sound_script::frame(seed_, index);
    std::memcpy(block_.data(), bytes.data(), bytes.size());
  }

  sound_script& script_;
  uint64_t seed_;
  uint64_t frames_;
  uint64_t first_ = 0;
  uint64_t at_ = 0;
  size_t breaks_at_ = SIZE_MAX;
  size_t thought_ = 0;
  bool waiting_ = false;
  std::vector<int16_t> block_ = std::vector<int16_t>(frame_samples * channels);
};

/// Takes the bytes out again.
class scripted_encoder final : public encoder {
public:
  explicit scripted_encoder(const sound_script& script) : script_(script) {}

  void encode(std::span<const int16_t> samples, std::string& out) override {
    waiting_.insert(waiting_.end(), samples.begin(), samples.end());
    constexpr auto block = frame_samples * channels;
    for (; waiting_.size() >= block; waiting_.erase(waiting_.begin(), waiting_.begin() + block))
      out.append(reinterpret_cast<const char*>(waiting_.data()), segue::frame_bytes);
  }

  void finish(std::string& out) override {
    if (script_.has_tail)
      out += sound_script::tail();
  }

  size_t frame_bytes() const override { return segue::frame_bytes; }

private:
  const sound_script& script_;
  std::vector<int16_t> waiting_;
};

/// Passes requests on to the generator's host and keeps what was seen.
inline generator_actor::behavior_type scripted_generator(
    generator_actor::pointer self, generator_actor host, std::shared_ptr<sound_script> script) {
  return {
      [=](const open_sound& x) {
        script->begun.push_back(x.seed);
        script->asked.push_back(x);
        script->performers.push_back(caf::actor_cast<caf::actor_addr>(self->current_sender()));
        return self->delegate(host, x);
      },
      [=](const render_sound& x) {
        ++script->rendered;
        return self->delegate(host, x);
      },
  };
}

inline std::function<generator_actor(caf::actor_system&)> scripted_factory(
    const std::shared_ptr<sound_script>& script) {
  sound_source source{"scripted", "1",
      [script](const sound_request& x) -> std::unique_ptr<generator> {
        if (script->cannot_begin)
          throw std::runtime_error{"no strings"};
        return std::make_unique<scripted_sound>(*script, x);
      },
      [script]() -> std::unique_ptr<encoder> { return std::make_unique<scripted_encoder>(*script); }};
  return [source, script](caf::actor_system& system) {
    return system.spawn(scripted_generator, spawn_generator_host(system, source, {false, 1}), script);
  };
}

} // namespace segue
