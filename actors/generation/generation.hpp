// One generation: drives its life cycle from the row to the terminal event.
#pragma once

#include "actors/bond.hpp"
#include "actors/generation/attempts.hpp"
#include "actors/generation/lifecycle.hpp"
#include "actors/generation/outbox.hpp"
#include "actors/generation/take.hpp"
#include "actors/metrics.hpp"
#include "actors/sound.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>

namespace segue {

/// Makes the actor that makes the sound of one piece.
using generator_factory = std::function<generator_actor(caf::actor_system&)>;

struct generation_options {
  uint32_t chunk_bytes = 10 * frame_bytes; ///< of one append: 240 ms of sound, whole frames
  size_t unacknowledged = 8;               ///< appends under way; beyond it no sound is made
  std::chrono::milliseconds progress{250}; ///< shortest time between two progress events
  std::chrono::milliseconds heartbeat{5'000};
  std::chrono::milliseconds lead{3'000};   ///< how far a real-time piece is ahead of the clock
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds retry{200};    ///< pause before a failed step is tried again
  attempt_limits attempts;                 ///< when the generator breaks off
};

/// What a generation works with.
struct generation_context {
  manager_actor manager; ///< told of every change; the generation ends with it
  directory_actor directory;
  catalogue_actor catalogue;
  transfers_actor transfers; ///< null: what is finished stays where it is
  generator_factory make_generator;
  generation_options options;
  metrics* counters = nullptr;
};

/// `generation_actor` and the messages it sends to itself.
using generation_impl = generation_actor::extend<reacts_to<retry_step>, reacts_to<begin_attempt>,
    reacts_to<resend_appends>, reacts_to<pace_sound>, reacts_to<send_heartbeat>>;

class generation_performer {
public:
  static inline const char* name = "generation";

  explicit generation_performer(generation_impl::pointer self)
      : self_(self), to_manager_(self), audio_(self, generation_stream::audio), events_(self, generation_stream::events) {}

  void begin(generation_row row, generation_context context);

  void on(const cancel_generation&);
  actor_description on(const describe_actor&);

  void on(const retry_step&) { advance(); }
  void on(const resend_appends& x) { (x.which == generation_stream::audio ? audio_ : events_).resend(); }
  void on(const begin_attempt&);
  void on(const pace_sound&);
  void on(const send_heartbeat&);

private:
  using time_point = caf::actor_clock::time_point;

  // -- steps
  void advance();
  void perform(lifecycle::step step);
  void done(lifecycle::step step);
  void failed(const char* doing, const caf::error& why);
  void open_streams();
  void announce();
  void read_end(position after, std::string last);
  void store_row(lifecycle::step step);
  void hand_over(lifecycle::step step);
  void started(int64_t at_ms);
  void end();

  // -- sound
  void open_sound();
  void opened(sound_opened& x);
  void make_sound();
  void follow_producer();
  void rendered(const sound_rendered& x);
  void broke_off(const char* doing, const caf::error& why);
  void stored(position tail);
  std::chrono::milliseconds ahead() const;

  // -- events
  void event(std::string text, bool close, outbox<generation_impl::pointer>::acknowledged on_stored = {});
  void report();

  generation_impl::pointer self_;
  bond to_manager_;
  generation_context context_;
  lifecycle life_{generation_row{}};
  outbox<generation_impl::pointer> audio_;
  outbox<generation_impl::pointer> events_;

  generator_actor generator_;
  std::string plan_;
  take take_;
  attempts attempts_;
  std::chrono::milliseconds pause_{0}; ///< before the next attempt
  bool making_ = false;                ///< the generator is at work, or the producer is waited for
  bool all_made_ = false; ///< nothing follows what was appended
  bool pacing_ = false;  ///< a timer will go on
  bool beating_ = false; ///< likewise, for the heartbeat
  time_point sound_began_;
  time_point last_progress_;
  position last_progress_at_ = 0;
};

/// Starts a generation; it ends with its work, or with its manager.
generation_impl::behavior_type generation(
    generation_impl::stateful_pointer<generation_performer> self, generation_row row, generation_context context);

} // namespace segue
