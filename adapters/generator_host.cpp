#include "actors/sound.hpp"
#include "adapters/host.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace segue {

namespace {

constexpr size_t block = frame_samples; ///< samples rendered at a time, so that frames come steadily

/// One piece: pulls samples through the encoder, as many as are asked for.
class generator_state {
public:
  static inline const char* name = "generator";

  void open(sound_source source) { source_ = std::move(source); }

  caf::result<sound_opened> on(const open_sound& x) {
    auto opened = guarded("beginning a piece", [&] {
      generator_ = source_.make_generator({x.prompt, x.duration_s, x.seed});
      encoder_ = source_.make_encoder();
      // One frame more than the samples need: the encoder's own delay.
      auto frames = generator_->length() / frame_samples + 2;
      return sound_opened{source_.name, source_.version, generator_->plan(), frames * encoder_->frame_bytes()};
    });
    if (!opened)
      return opened.error();
    return *opened;
  }

  caf::result<sound_rendered> on(const render_sound& x) {
    if (!generator_)
      return caf::make_error(ec::invalid_argument, std::string{"the piece was not begun"});
    auto rendered = guarded("making sound", [&] { return render(x.bytes); });
    if (!rendered)
      return rendered.error();
    return *rendered;
  }

private:
  sound_rendered render(size_t bytes) {
    auto whole = std::max(bytes / encoder_->frame_bytes(), size_t{1}) * encoder_->frame_bytes();
    std::vector<int16_t> samples(block * channels);
    while (!over_ && ready_.size() < whole) {
      auto count = generator_->render(samples);
      if (count > 0) {
        encoder_->encode(std::span{samples}.first(count * channels), ready_);
      } else {
        encoder_->finish(ready_);
        over_ = true;
      }
    }
    auto taken = std::min(whole, ready_.size());
    sound_rendered out{payload{ready_.substr(0, taken)}, false};
    ready_.erase(0, taken);
    out.at_end = over_ && ready_.empty();
    return out;
  }

  sound_source source_;
  std::unique_ptr<generator> generator_;
  std::unique_ptr<encoder> encoder_;
  std::string ready_; ///< frames not asked for yet
  bool over_ = false;
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
