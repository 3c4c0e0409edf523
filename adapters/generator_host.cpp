#include "actors/sound.hpp"
#include "adapters/host.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>

namespace segue {

namespace {

constexpr size_t block = frame_samples; ///< samples rendered at a time, so that frames come steadily
constexpr auto away = log::level::debug; ///< the generation tells what follows of it
constexpr auto patience = std::chrono::seconds{1}; ///< after so long it answers with what it has

/// One piece: pulls samples through the encoder, as many as are asked for.
class generator_state {
public:
  static inline const char* name = "generator";

  void open(sound_source source) { source_ = std::move(source); }

  caf::result<sound_opened> on(const open_sound& x) {
    auto opened = guarded("beginning a piece", [&] { return begin(x); }, away);
    if (!opened)
      return opened.error();
    return *opened;
  }

  caf::result<sound_rendered> on(const render_sound& x) {
    if (!encoder_)
      return caf::make_error(ec::invalid_argument, std::string{"the piece was not begun"});
    auto whole = std::max(x.bytes / encoder_->frame_bytes(), size_t{1}) * encoder_->frame_bytes();
    if (!broken_) {
      auto made = guarded("making sound", [&] { return render(whole), true; }, away);
      if (!made)
        broken_ = made.error();
    }
    if (broken_ && ready_.empty())
      return broken_;
    return take(whole); // what was made before it broke comes first
  }

private:
  sound_opened begin(const open_sound& x) {
    if (!generator_)
      generator_ = source_.make_generator({x.prompt, x.duration_s, x.seed, x.user_id, x.request_id, x.attempt, x.resume_at_ms});
    sound_opened opened{source_.name, source_.version};
    opened.begun = generator_->begin();
    if (!opened.begun)
      return opened;
    encoder_ = source_.make_encoder();
    // The log goes on at frame boundaries only: samples before the next one are left out.
    auto first = generator_->starts_at();
    auto first_frame = (first + frame_samples - 1) / frame_samples;
    left_out_ = first_frame * frame_samples - first;
    opened.starts_at = first_frame * encoder_->frame_bytes();
    // One frame more than the samples need: the encoder's own delay.
    opened.expected_bytes = (generator_->length() / frame_samples + 2) * encoder_->frame_bytes();
    opened.plan = generator_->plan();
    return opened;
  }

  void render(size_t bytes) {
    std::vector<int16_t> samples(block * channels);
    auto deadline = std::chrono::steady_clock::now() + patience;
    while (!over_ && ready_.size() < bytes && std::chrono::steady_clock::now() < deadline) {
      auto count = generator_->render(samples);
      auto skipped = std::min<uint64_t>(left_out_, count);
      left_out_ -= skipped;
      encoder_->encode(std::span{samples}.first(count * channels).subspan(skipped * channels), ready_);
      if (generator_->waiting())
        break;
      if (count == 0) {
        encoder_->finish(ready_);
        over_ = true;
      }
    }
  }

  sound_rendered take(size_t bytes) {
    auto taken = std::min(bytes, ready_.size());
    sound_rendered out{payload{ready_.substr(0, taken)}, false};
    ready_.erase(0, taken);
    out.at_end = over_ && ready_.empty();
    return out;
  }

  sound_source source_;
  std::unique_ptr<generator> generator_;
  std::unique_ptr<encoder> encoder_; ///< null: the piece has not begun
  uint64_t left_out_ = 0;            ///< sample frames still to be left out
  std::string ready_;                ///< frames not asked for yet
  bool over_ = false;
  caf::error broken_;
};

generator_actor::behavior_type generate(
    generator_actor::stateful_pointer<generator_state> self, sound_source source) {
  auto& st = self->state;
  st.open(std::move(source));
  return {
      [&st](const open_sound& x) { return st.on(x); },
      [&st](const render_sound& x) { return st.on(x); },
  };
}

} // namespace

generator_actor spawn_generator_host(caf::actor_system& system, sound_source source, host_options options) {
  return options.own_threads ? system.spawn<caf::detached>(generate, std::move(source))
                             : system.spawn(generate, std::move(source));
}

} // namespace segue
