#include "tools/client/follow.hpp"

#include <algorithm>
#include <utility>

#include "tools/client/terminal.hpp"

namespace segue::client {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_delay = 5000ms;
constexpr auto longest_wish = std::chrono::seconds(30);
constexpr unsigned contradictions_allowed = 10;
constexpr auto poll_every = 500ms;

} // namespace

std::chrono::milliseconds patience::next_delay() {
  const auto delay = std::min(100ms * (1u << std::min(tries_++, 10u)), longest_delay);
  return std::uniform_int_distribution<std::int64_t>(delay.count() / 2, delay.count())(random_) * 1ms;
}

follower::follower(piece_source& source, byte_sink sink, follow_hooks hooks)
    : source_(source), sink_(std::move(sink)), hooks_(std::move(hooks)), patience_(source.now()) {}

follow_result follower::sound(std::uint64_t position) {
  result_.position = position;
  const byte_sink take = [this](std::string_view bytes) {
    if (!sink_(bytes)) {
      sink_failed_ = true;
      return false;
    }
    result_.position += bytes.size();
    contradictions_ = 0;
    patience_.progress();
    hooks_.on_position(result_.position);
    return true;
  };
  auto next = step::again;
  while (next == step::again) {
    const auto answer = source_.audio(result_.position, take);
    if (answer.status != 0 && answer.status < 500) {
      patience_.alive(source_.now());
      if (std::exchange(told_silence_, false))
        hooks_.on_note("the server is back");
    }
    if (source_.stopped()) {
      next = end(follow_end::interrupted);
    } else if (sink_failed_) {
      next = end(follow_end::sink_failed);
    } else if (answer.kind == outcome::ok) {
      next = after_clean_end();
    } else if (answer.kind == outcome::problem) {
      next = after_problem(answer);
    } else {
      next = after_silence(answer);
    }
  }
  return result_;
}

follow_result follower::state() {
  auto next = step::again;
  while (next == step::again) {
    if (learn_state()) {
      if (result_.last.ended()) {
        next = end(follow_end::complete);
      } else {
        patience_.progress();
        wait(poll_every);
      }
    } else if (result_.why.kind == outcome::problem) {
      next = after_problem(result_.why);
    } else {
      next = after_silence(result_.why);
    }
    if (next == step::again && source_.stopped())
      next = end(follow_end::interrupted);
  }
  return result_;
}

/// Only the generation itself says whether there is nothing more to come: a body also ends when a proxy gives up.
follower::step follower::after_clean_end() {
  if (!learn_state()) {
    if (source_.stopped())
      return end(follow_end::interrupted);
    return result_.why.kind == outcome::problem ? after_problem(result_.why) : after_silence(result_.why);
  }
  if (result_.last.ended()) {
    if (result_.last.audio_bytes == result_.position)
      return end(follow_end::complete);
    if (++contradictions_ > contradictions_allowed)
      return end(follow_end::inconsistent);
  }
  wait(patience_.next_delay());
  return step::again;
}

follower::step follower::after_problem(const reply& answer) {
  const bool busy = answer.status == 429;
  if (!busy && answer.status < 500)
    return end(follow_end::refused, answer);
  if (patience_.exhausted(source_.now()))
    return end(follow_end::refused, answer);
  wait(std::max<std::chrono::milliseconds>(
      patience_.next_delay(), std::min(answer.retry_after.value_or(0s), longest_wish)));
  return step::again;
}

follower::step follower::after_silence(const reply& answer) {
  if (patience_.exhausted(source_.now()))
    return end(follow_end::unreachable, answer);
  if (answer.kind == outcome::unreachable && !std::exchange(told_silence_, true)) {
    hooks_.on_note("the server does not answer (" + printable(answer.detail) + "); trying again");
  }
  wait(patience_.next_delay());
  return step::again;
}

/// True if a generation object came; else `result_.why` says what came instead.
bool follower::learn_state() {
  auto answer = source_.state();
  if (answer.ok()) {
    if (auto seen = parse_generation(answer.body)) {
      patience_.alive(source_.now());
      if (std::exchange(told_silence_, false))
        hooks_.on_note("the server is back");
      result_.last = std::move(*seen);
      hooks_.on_state(result_.last);
      return true;
    }
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a generation; is this a Segue server?";
  }
  result_.why = std::move(answer);
  return false;
}

follower::step follower::end(follow_end how, reply why) {
  result_.how = how;
  result_.why = std::move(why);
  return step::finished;
}

void follower::wait(std::chrono::milliseconds time) { source_.pause(time); }

} // namespace segue::client
