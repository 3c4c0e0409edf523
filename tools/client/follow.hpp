#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "tools/client/generation.hpp"
#include "tools/client/http_client.hpp"

namespace segue::client {

/// One piece at a server, and the clock. `piece.hpp` has the real one; a test brings a scripted one with virtual time.
class piece_source {
public:
  virtual ~piece_source() = default;
  /// The generation object.
  virtual reply state() = 0;
  /// The sound from byte `offset` on, live until the stream is closed.
  virtual reply audio(std::uint64_t offset, const byte_sink& sink) = 0;
  virtual std::chrono::steady_clock::time_point now() = 0;
  /// Sleeps; wakes early when `stopped()` comes true.
  virtual void pause(std::chrono::milliseconds time) = 0;
  /// The user wants out.
  virtual bool stopped() = 0;
};

/// How following ended.
enum class follow_end {
  /// All of it was received; `follow_result::last` is in an ended state, which may be failed.
  complete,
  /// The server refused: 404, 400; see `follow_result::why`.
  refused,
  /// No sign of life for `patience::limit`.
  unreachable,
  /// The server answers, but its sound and its books do not agree.
  inconsistent,
  /// The sink did not take the bytes.
  sink_failed,
  /// `piece_source::stopped()`.
  interrupted,
};

struct follow_result {
  follow_end how = follow_end::complete;
  /// Position after the last byte the sink took.
  std::uint64_t position = 0;
  /// The newest generation object seen; empty id if none.
  generation last;
  /// The reply that ended it, for refused and unreachable.
  reply why;
};

struct follow_hooks {
  /// After the sink took bytes; the new position.
  std::function<void(std::uint64_t position)> on_position = [](auto) {};
  /// A generation object came.
  std::function<void(const generation&)> on_state = [](const auto&) {};
  /// Something a person may want to know, such as a lost connection.
  std::function<void(const std::string&)> on_note = [](const auto&) {};
};

/// When to try again, and when not any more: delays double from 100 ms to 5 s, each cut by up to half at random, until
/// the server gave no sign of life for `limit`.
class patience {
public:
  static constexpr std::chrono::seconds limit{60};

  explicit patience(std::chrono::steady_clock::time_point now) : alive_(now) {}
  /// The server answered.
  void alive(std::chrono::steady_clock::time_point now) { alive_ = now; }
  /// Something new came: the next delay is a short one.
  void progress() { tries_ = 0; }
  [[nodiscard]] bool exhausted(std::chrono::steady_clock::time_point now) const { return now - alive_ >= limit; }
  std::chrono::milliseconds next_delay();

private:
  std::chrono::steady_clock::time_point alive_;
  unsigned tries_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

/// Brings the sound of one piece, from a byte position to its end, into a sink: every byte once and in order, over any
/// number of broken connections and server restarts. It is the end when a body ended properly *and* the generation is
/// in an ended state *and* its `audio_bytes` are exactly what came.
class follower {
public:
  follower(piece_source& source, byte_sink sink, follow_hooks hooks);

  /// Follows the sound from `position` on; blocks until the end.
  follow_result sound(std::uint64_t position);
  /// Watches the state only; blocks until it is an ended one. Nothing goes to the sink.
  follow_result state();

private:
  enum class step { again, finished };
  step after_clean_end();
  step after_problem(const reply& answer);
  step after_silence(const reply& answer);
  bool learn_state();
  step end(follow_end how, reply why = {});
  void wait(std::chrono::milliseconds time);

  piece_source& source_;
  byte_sink sink_;
  follow_hooks hooks_;
  patience patience_;
  follow_result result_;
  bool sink_failed_ = false;
  /// It was told that the server does not answer, so its return is told too.
  bool told_silence_ = false;
  /// Clean ends in a row that contradict the generation object.
  unsigned contradictions_ = 0;
};

} // namespace segue::client
