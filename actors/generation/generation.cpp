#include "actors/generation/generation.hpp"

#include "actors/generation/events.hpp"
#include "actors/log.hpp"
#include "actors/sound.hpp"

namespace segue {

namespace {

constexpr uint64_t read_limit = 1 << 20;

std::string producer_of(const generation_row& row) { return "gen/" + row.request_id; }

} // namespace

void generation_performer::begin(generation_row row, generation_context context) {
  context_ = std::move(context);
  life_ = lifecycle{std::move(row)};
  attempts_ = attempts{context_.options.attempts, std::hash<std::string>{}(life_.row().request_id)};
  to_manager_.tie(context_.manager);
  advance();
}

// -- steps -------------------------------------------------------------------------------------------------------------

void generation_performer::advance() { perform(life_.next()); }

void generation_performer::done(lifecycle::step step) {
  life_.complete(step);
  advance();
}

/// An error on the way is no end: the step is tried again, for a store that is away comes back.
void generation_performer::failed(const char* doing, const caf::error& why) {
  log::warning("generation", "step_failed",
      life_.row().request_id + " " + doing + ": " + to_string(code_of(why)) + " " + detail_of(why));
  self_->delayed_send(self_, context_.options.retry, retry_step{});
}

void generation_performer::perform(lifecycle::step step) {
  switch (step) {
    case lifecycle::step::open_streams:
      return open_streams();
    case lifecycle::step::announce:
      return announce();
    case lifecycle::step::read_end:
      return read_end(0, {});
    case lifecycle::step::record_ending:
      generator_ = nullptr; // whatever it still does is of no use
      return store_row(step);
    case lifecycle::step::record_start:
      return store_row(step);
    case lifecycle::step::record_end:
      return hand_over(step);
    case lifecycle::step::open_sound:
      return open_sound();
    case lifecycle::step::announce_start:
      event(events::started(life_.row(), plan_, take_.known()), false);
      sound_began_ = self_->clock().now();
      return done(step);
    case lifecycle::step::make_sound:
      return make_sound();
    case lifecycle::step::back_off:
      self_->delayed_send(self_, pause_, begin_attempt{});
      return;
    case lifecycle::step::close_audio:
      return audio_.push({.close = true}, [this, step](const chunk_appended& x) {
        life_.stored_audio(x.next);
        done(step);
      });
    case lifecycle::step::end_events:
      return event(events::ended(life_.row()), true, [this, step](const chunk_appended&) { done(step); });
    case lifecycle::step::done:
      return end();
  }
}

void generation_performer::open_streams() {
  auto refused = [this](const caf::error& why) {
    // Purged meanwhile, fenced by a newer attempt, or the streams end elsewhere than they should, as an older attempt went on
    // after all or the store has lost something: if there is something left to do, the manager has it begun anew.
    log::warning("generation", "superseded", life_.row().request_id + ": " + to_string(code_of(why)));
    self_->quit();
  };
  auto open = [this, refused](auto& box, std::string path, const char* type, auto next) {
    stream_wish wish{.path = std::move(path), .content_type = type, .user_id = life_.row().user_id};
    self_->request(context_.directory, context_.options.timeout, open_stream{std::move(wish)})
        .then(
            [this, &box, refused, next](stream_opened& x) {
              auto stream = x.stream;
              box.open(context_.directory, std::move(x), producer_of(life_.row()), life_.row().attempt, refused);
              // The row that came with the stream may be old: ask the stream itself.
              self_->request(stream, context_.options.timeout, inspect_stream{.settled = true})
                  .then([next](const stream_loaded& loaded) { next(loaded.row); },
                      [this](const caf::error& why) { failed("inspecting a stream", why); });
            },
            [this](const caf::error& why) { failed("opening a stream", why); });
  };
  const auto& id = life_.row().request_id;
  open(audio_, audio_path(id), "audio/mpeg", [this, open, id](const stream_row& audio) {
    open(events_, events_path(id), "application/json", [this, audio](const stream_row& events) {
      life_.found_streams(audio, events);
      done(lifecycle::step::open_streams);
    });
  });
}

/// Epoch 0 belongs to this event alone, whoever appends it first.
void generation_performer::announce() {
  auto text = events::queued(life_.row());
  auto length = static_cast<uint32_t>(text.size());
  self_->request(events_.stream(), context_.options.timeout,
           append_chunk{.bytes = payload{std::move(text)}, .lengths = {length}, .producer = {producer_of(life_.row()), 0, 0}})
      .then([this](const chunk_appended&) { done(lifecycle::step::announce); },
          [this](const caf::error& why) {
            if (code_of(why) == ec::stale_producer)
              return done(lifecycle::step::announce);
            events_.resend(); // it may be another actor by now
            failed("announcing", why);
          });
}

/// A closed event stream is the truth, whatever the row says.
void generation_performer::read_end(position after, std::string last) {
  self_->request(events_.stream(), context_.options.timeout, read_chunks{after, read_limit, 0})
      .then(
          [this, last](const chunk_batch& batch) mutable {
            for (const auto& record : batch.chunks)
              last = record.bytes.view().substr(record.bytes.size() - record.lengths.back());
            if (!batch.up_to_date())
              return read_end(batch.next, std::move(last));
            auto ending = events::read_ending(last);
            life_.learned_end(ending ? ending->how : generation_state::failed, ending ? ending->reason : "unreadable end");
            advance();
          },
          [this](const caf::error& why) {
            events_.resend(); // it may be another actor by now
            failed("reading how it ended", why);
          });
}

void generation_performer::store_row(lifecycle::step step) {
  auto row = life_.row();
  if (step == lifecycle::step::record_start) {
    row.state = generation_state::running;
    row.started_at_ms = unix_now_ms();
  }
  self_->request(context_.catalogue, context_.options.timeout, store_generation{row})
      .then(
          [this, step, row](const generation_status&) {
            // The attempt in the row is durable: only now it may be that of an append.
            audio_.renew(row.attempt);
            events_.renew(row.attempt);
            if (step == lifecycle::step::record_start)
              started(row.started_at_ms);
            done(step);
            report();
          },
          [this](const caf::error& why) {
            if (code_of(why) == ec::not_found)
              self_->quit(); // purged meanwhile
            else
              failed("storing the row", why);
          });
}

/// The sound is complete: it may be archived. Only then the row says that nothing is left to do.
void generation_performer::hand_over(lifecycle::step step) {
  if (!context_.transfers || life_.row().audio_bytes == 0)
    return store_row(step);
  self_->request(context_.transfers, context_.options.timeout, enqueue_upload{audio_path(life_.row().request_id)})
      .then([this, step](const transfer_accepted&) { store_row(step); },
          [this](const caf::error& why) { failed("handing over to the archive", why); });
}

/// From here on, as long as nothing is decided, the events give a sign of life, also while a generator thinks.
void generation_performer::started(int64_t at_ms) {
  life_.started(at_ms);
  if (!beating_)
    self_->delayed_send(self_, context_.options.heartbeat, send_heartbeat{});
  beating_ = true;
}

void generation_performer::end() {
  const auto& row = life_.row();
  auto& m = *context_.counters;
  (row.state == generation_state::completed   ? m.generations_completed
          : row.state == generation_state::failed ? m.generations_failed
                                                  : m.generations_cancelled)
      .Increment();
  log::info("generation", to_string(row.state), row.request_id + " after " + std::to_string(sound_ms(row.audio_bytes)) + " ms of sound"
      + (row.reason.empty() ? "" : ": " + row.reason));
  self_->quit();
}

// -- events ------------------------------------------------------------------------------------------------------------

void generation_performer::on(const send_heartbeat&) {
  if (life_.decided())
    return;
  if (life_.under_way())
    event(events::heartbeat(life_.row()), false);
  self_->delayed_send(self_, context_.options.heartbeat, send_heartbeat{});
}

void generation_performer::event(
    std::string text, bool close, outbox<generation_impl::pointer>::acknowledged on_stored) {
  auto length = static_cast<uint32_t>(text.size());
  events_.push({.bytes = payload{std::move(text)}, .lengths = {length}, .close = close}, std::move(on_stored));
}

void generation_performer::report() { self_->send(context_.manager, generation_progressed{life_.row()}); }

// -- requests ----------------------------------------------------------------------------------------------------------

void generation_performer::on(const cancel_generation&) {
  bool idle = life_.next() == lifecycle::step::make_sound || life_.next() == lifecycle::step::back_off;
  life_.decide(generation_state::cancelled);
  if (idle)
    advance(); // otherwise a step is under way, and the next one follows it
}

actor_description generation_performer::on(const describe_actor&) {
  const auto& row = life_.row();
  return {row.request_id, to_string(row.state) + ", " + std::to_string(percent_made(row)) + " %",
      self_->mailbox().size() + audio_.unacknowledged() + events_.unacknowledged(), 0, {}};
}

generation_impl::behavior_type generation(
    generation_impl::stateful_pointer<generation_performer> self, generation_row row, generation_context context) {
  auto& st = self->state;
  st.begin(std::move(row), std::move(context));
  return {
      [&st](const cancel_generation& x) { st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const retry_step& x) { return st.on(x); },
      [&st](const begin_attempt& x) { return st.on(x); },
      [&st](const resend_appends& x) { return st.on(x); },
      [&st](const pace_sound& x) { return st.on(x); },
      [&st](const send_heartbeat& x) { return st.on(x); },
  };
}

} // namespace segue
