// The half of a generation that makes its sound: from a generator, attempt after attempt, into the log. Or that watches it
// grow, when a producer outside appends it.
#include "actors/generation/generation.hpp"

#include "actors/generation/events.hpp"
#include "actors/log.hpp"
#include "actors/sound.hpp"

namespace segue {

namespace {

constexpr uint32_t producer_wait_ms = 20'000;

} // namespace

// -- a generator -------------------------------------------------------------------------------------------------------

void generation_performer::open_sound() {
  const auto& row = life_.row();
  if (!row.producer.empty()) {
    take_ = take{row.audio_bytes};
    life_.opened_sound({.generator = row.generator, .expected_bytes = sound_bytes(row.duration_s)});
    return done(lifecycle::step::open_sound);
  }
  if (!generator_) {
    generator_ = context_.make_generator(self_->system());
    take_ = take{row.audio_bytes};
    all_made_ = false;
  }
  segue::open_sound wish{row.prompt, row.duration_s, row.seed, row.user_id, row.request_id, row.attempt,
      sound_ms(priming_start(take_.known()))};
  self_->request(generator_, context_.options.timeout, std::move(wish))
      .then([this](sound_opened& x) { opened(x); },
          [this](const caf::error& why) {
            if (life_.decided())
              advance();
            else
              broke_off("could not begin", why);
          });
}

void generation_performer::opened(sound_opened& x) {
  if (life_.decided())
    return advance();
  if (!x.begun)
    return open_sound();
  if (!take_.begin(x.starts_at))
    return broke_off("left a gap", caf::make_error(ec::unavailable, "it began at " + std::to_string(sound_ms(x.starts_at))
        + " ms, and the sound so far ends at " + std::to_string(sound_ms(take_.known())) + " ms"));
  plan_ = std::move(x.plan);
  life_.opened_sound(x);
  done(lifecycle::step::open_sound);
}

/// The generator gives no more sound. What another attempt may mend is tried again, but not for ever.
void generation_performer::broke_off(const char* doing, const caf::error& why) {
  auto code = code_of(why);
  auto detail = detail_of(why);
  auto reason = std::string{"the generator "} + doing + ": " + (detail.empty() ? to_string(code) : detail);
  bool mendable = code == ec::unavailable || code == ec::timeout;
  generator_ = nullptr;
  if (!mendable) {
    life_.decide(generation_state::failed, reason);
  } else if (auto pause = attempts_.broke_off(take_.added() > 0)) {
    log::warning("generation", "attempt_broken", life_.row().request_id + " attempt " + std::to_string(life_.row().attempt)
        + ", trying again in " + std::to_string(pause->count()) + " ms: " + reason);
    context_.counters->attempts_broken.Increment();
    pause_ = *pause;
    life_.broke_off();
  } else {
    life_.decide(generation_state::failed,
        "given up after " + std::to_string(attempts_.fruitless()) + " attempts in a row that added no sound; " + reason);
  }
  advance();
}

/// A new attempt has a new epoch, which begins when everything of the old one is acknowledged.
void generation_performer::on(const begin_attempt&) {
  if (life_.next() != lifecycle::step::back_off)
    return; // cancelled meanwhile
  if (audio_.unacknowledged() + events_.unacknowledged() > 0)
    self_->delayed_send(self_, context_.options.retry, begin_attempt{});
  else
    done(lifecycle::step::back_off);
}

// -- its sound ---------------------------------------------------------------------------------------------------------

/// Asks for the next frames, unless that is forbidden by something decided, too many appends under way, or the clock.
void generation_performer::make_sound() {
  if (life_.next() != lifecycle::step::make_sound || making_ || all_made_
      || audio_.unacknowledged() >= context_.options.unacknowledged)
    return;
  if (!life_.row().producer.empty())
    return follow_producer();
  if (auto early = ahead() - context_.options.lead; life_.row().realtime && early.count() > 0) {
    if (!pacing_)
      self_->delayed_send(self_, early, pace_sound{});
    pacing_ = true;
    return;
  }
  making_ = true;
  self_->request(generator_, context_.options.timeout, render_sound{context_.options.chunk_bytes})
      .then([this](const sound_rendered& x) { rendered(x); },
          [this](const caf::error& why) {
            making_ = false;
            if (!life_.decided())
              broke_off("failed", why);
          });
}

/// How far the sound made in this attempt is ahead of the clock.
std::chrono::milliseconds generation_performer::ahead() const {
  if (take_.added() == 0)
    return std::chrono::milliseconds{0};
  auto clock = std::chrono::duration_cast<std::chrono::milliseconds>(self_->clock().now() - sound_began_);
  return std::chrono::milliseconds{sound_ms(take_.added())} - clock;
}

void generation_performer::rendered(const sound_rendered& x) {
  making_ = false;
  if (life_.decided())
    return;
  auto fresh = take_.add(x.frames);
  all_made_ = x.at_end;
  if (!fresh.bytes.empty())
    audio_.push({.bytes = fresh.bytes, .at = fresh.at}, [this](const chunk_appended& done) { stored(done.next); });
  if (all_made_ && audio_.unacknowledged() == 0)
    stored(life_.row().audio_bytes); // everything was durable before
  else
    make_sound();
}

void generation_performer::stored(position tail) {
  life_.stored_audio(tail);
  auto now = self_->clock().now();
  if (now - last_progress_ >= context_.options.progress && tail > last_progress_at_) {
    last_progress_ = now;
    last_progress_at_ = tail;
    event(events::progress(life_.row()), false);
    report();
  }
  if (life_.decided())
    return;
  if (all_made_ && audio_.unacknowledged() == 0) {
    life_.decide(generation_state::completed);
    advance();
  } else {
    make_sound();
  }
}

/// The stream takes what the producer appends; here it is only seen. However long the producer is silent, it may come back.
void generation_performer::follow_producer() {
  making_ = true;
  self_->request(audio_.stream(), context_.options.timeout, read_chunks{life_.row().audio_bytes, 1, producer_wait_ms})
      .then(
          [this](const chunk_batch& x) {
            making_ = false;
            all_made_ = x.closed;
            if (x.closed)
              life_.found_audio_closed();
            stored(x.tail);
            report(); // it may be long until the next append
          },
          [this](const caf::error& why) {
            making_ = false;
            log::warning("generation", "producer_lost_sight_of", life_.row().request_id + ": " + to_string(code_of(why)));
            audio_.resend(); // it may be another actor by now
            pacing_ = true;
            self_->delayed_send(self_, context_.options.retry, pace_sound{});
          });
}

void generation_performer::on(const pace_sound&) {
  pacing_ = false;
  make_sound();
}

} // namespace segue
