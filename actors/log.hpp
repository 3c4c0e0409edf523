// Logs a person can read and a machine can parse: component, stable event id, then prose.
#pragma once

#include <string_view>

namespace segue::log {

enum class level { debug, info, warning, error, none };

/// How and from which level on the log is written. Goes to standard error.
struct options {
  level least = level::info;
  bool json = false; ///< one JSON object a line instead of text
};

/// Called once, before the first thread starts.
void configure(const options& how);

/// Writes one line. `component` is a room of the project ("stream"), `event` never changes once released ("opened").
void write(level severity, std::string_view component, std::string_view event, std::string_view prose);

inline void debug(std::string_view component, std::string_view event, std::string_view prose) {
  write(level::debug, component, event, prose);
}
inline void info(std::string_view component, std::string_view event, std::string_view prose) {
  write(level::info, component, event, prose);
}
inline void warning(std::string_view component, std::string_view event, std::string_view prose) {
  write(level::warning, component, event, prose);
}
inline void error(std::string_view component, std::string_view event, std::string_view prose) {
  write(level::error, component, event, prose);
}

} // namespace segue::log
