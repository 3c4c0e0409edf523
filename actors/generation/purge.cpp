#include "actors/generation/purge.hpp"

#include "actors/log.hpp"
#include "actors/sound.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr auto first_pause = std::chrono::milliseconds{500}; ///< before another try, doubled by each one that fails …
constexpr auto longest_pause = std::chrono::milliseconds{30'000}; ///< … up to here

} // namespace

const char* purge_state::to_string(step x) {
  switch (x) {
    case step::cancel:
      return "ending it";
    case step::mark:
      return "recording that it goes";
    case step::hand_over:
      return "handing its objects over";
    case step::remove_audio:
      return "removing its sound";
    case step::remove_events:
      return "removing its events";
    case step::remove_transfers:
      return "removing what was told of its transfers";
    case step::erase:
      return "erasing its row";
    case step::done:
      return "done";
  }
  return "";
}

void purge_state::begin(generation_row row, purge_ground ground) {
  row_ = std::move(row);
  ground_ = std::move(ground);
  pause_ = first_pause;
  to_manager_.tie(ground_.manager);
  go_on(row_.state == generation_state::purging ? step::hand_over : step::cancel);
}

purge_state::~purge_state() { answer(caf::make_error(ec::unavailable, std::string{"the purge was interrupted"})); }

// -- requests ----------------------------------------------------------------------------------------------------------

caf::result<generation_purged> purge_state::on(const purge_generation&) {
  auto promise = self_->make_response_promise<purged_promise>();
  who_waits_.push_back(promise);
  if (!trying_)
    advance(); // who asks does not wait for the timer
  return promise;
}

void purge_state::on(const retry_step&) {
  waiting_ = false;
  if (!trying_)
    advance();
}

actor_description purge_state::on(const describe_actor&) const {
  auto state = to_string(next_) + (failures_ == 0 ? std::string{} : ", failed " + std::to_string(failures_) + " times");
  return {"purge of " + row_.request_id, state, self_->mailbox().size() + who_waits_.size(), 0, {}};
}

void purge_state::answer(const caf::error& why) {
  for (auto& promise : std::exchange(who_waits_, {}))
    if (why)
      promise.deliver(why);
    else
      promise.deliver(generation_purged{});
}

// -- steps -------------------------------------------------------------------------------------------------------------

void purge_state::advance() {
  const auto& id = row_.request_id;
  trying_ = true;
  switch (next_) {
    case step::cancel:
      return cancel();
    case step::mark:
      return mark();
    case step::hand_over:
      if (!ground_.transfers)
        return go_on(step::remove_audio);
      return ask<transfer_accepted>(ground_.transfers, enqueue_removal{audio_path(id)}, step::remove_audio);
    case step::remove_audio:
      return ask<stream_removed>(ground_.directory, remove_stream{audio_path(id)}, step::remove_events);
    case step::remove_events:
      return ask<stream_removed>(ground_.directory, remove_stream{events_path(id)}, step::remove_transfers);
    case step::remove_transfers:
      return ask<stream_removed>(ground_.directory, remove_stream{transfers_path(id)}, step::erase);
    case step::erase:
      return ask<generation_purged>(ground_.catalogue, erase_generation{id}, step::done);
    case step::done:
      log::info("generation", "purged", id);
      answer({});
      return self_->quit();
  }
}

template <class Reply, class Handle, class Request>
void purge_state::ask(const Handle& whom, Request what, step next) {
  self_->request(whom, ground_.timeout, std::move(what))
      .then([this, next](const Reply&) { go_on(next); }, [this](const caf::error& why) { failed(why); });
}

void purge_state::cancel() {
  self_->request(ground_.manager, ground_.timeout, cancel_generation{row_.request_id})
      .then(
          [this](generation_status& x) {
            row_ = std::move(x.row);
            go_on(row_.state == generation_state::purging ? step::hand_over : step::mark);
          },
          [this](const caf::error& why) {
            if (code_of(why) != ec::not_found)
              return failed(why);
            answer(why);
            self_->quit();
          });
}

void purge_state::mark() {
  row_.state = generation_state::purging;
  self_->request(ground_.catalogue, ground_.timeout, store_generation{row_})
      .then([this](const generation_status&) { go_on(step::hand_over); },
          [this](const caf::error& why) {
            if (code_of(why) == ec::not_found)
              go_on(step::hand_over); // the row has gone meanwhile, and its traces go as well
            else
              failed(why);
          });
}

void purge_state::go_on(step next) {
  next_ = next;
  advance();
}

/// An error on the way is no end, nor is an answer that never came: the step is done again, for a store that is away comes back.
void purge_state::failed(const caf::error& why) {
  trying_ = false;
  ++failures_;
  log::warning("generation", "purge_failed",
      row_.request_id + " " + to_string(next_) + ": " + segue::to_string(code_of(why)) + " " + detail_of(why)
          + "; tried again in " + std::to_string(pause_.count()) + " ms");
  if (!waiting_)
    self_->delayed_send(self_, pause_, retry_step{});
  waiting_ = true;
  pause_ = std::min(pause_ * 2, longest_pause);
  answer(caf::make_error(ec::unavailable, "not everything of " + row_.request_id + " is gone yet, and it goes on"));
}

// -- the actor ---------------------------------------------------------------------------------------------------------

purge_actor::behavior_type purge(
    purge_actor::stateful_pointer<purge_state> self, generation_row row, purge_ground ground) {
  auto& st = self->state;
  st.begin(std::move(row), std::move(ground));
  return {
      [&st](const purge_generation& x) { return st.on(x); },
      [&st](const retry_step& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
