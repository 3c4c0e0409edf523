#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace segue::client {

/// How far a piece is, on standard error: one line drawn again and again on a terminal, a line now and then elsewhere.
class progress {
public:
  /// `silent`: shows nothing at all. `duration_s`: the full length, for the percentage.
  progress(bool silent, double duration_s);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// The piece is in `state` and `seconds` of sound are here.
  void show(std::string_view state, double seconds);
  /// A line of its own, above the bar.
  void note(std::string_view line);
  /// Draws the newest values and leaves the line.
  void finish();

private:
  void draw();
  [[nodiscard]] std::string text(unsigned columns) const;

  bool silent_;
  bool terminal_;
  double duration_s_;
  std::string state_;
  double seconds_ = 0;
  /// Something is on the current line.
  bool open_ = false;
  /// What is shown is older than what is known.
  bool stale_ = false;
  std::string drawn_state_;
  std::chrono::steady_clock::time_point drawn_at_;
};

} // namespace segue::client
