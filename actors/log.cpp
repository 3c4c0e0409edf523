#include "actors/log.hpp"

#include "actors/ids.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace segue::log {

namespace {

std::atomic<bool> as_json = false;

spdlog::logger& logger() {
  static auto instance = spdlog::stderr_logger_mt("segue");
  return *instance;
}

spdlog::level::level_enum vendor_level(level x) {
  switch (x) {
    case level::debug:
      return spdlog::level::debug;
    case level::warning:
      return spdlog::level::warn;
    case level::error:
      return spdlog::level::err;
    case level::none:
      return spdlog::level::off;
    default:
      return spdlog::level::info;
  }
}

const char* name_of(level x) {
  constexpr const char* names[] = {"debug", "info", "warning", "error", "none"};
  return names[static_cast<int>(x)];
}

} // namespace

void configure(const options& how) {
  as_json = how.json;
  logger().set_level(vendor_level(how.least));
  logger().flush_on(spdlog::level::debug);
  logger().set_pattern("%v");
}

void write(level severity, std::string_view component, std::string_view event, std::string_view prose) {
  if (!logger().should_log(vendor_level(severity)))
    return;
  auto now = format_time(unix_now_ms());
  if (as_json) {
    auto line = nlohmann::ordered_json{{"time", now}, {"level", name_of(severity)}, {"component", component},
        {"event", event}, {"message", prose}};
    // Names given by clients may hold anything: broken UTF-8 is replaced, never thrown at.
    logger().log(vendor_level(severity), line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    logger().log(vendor_level(severity), "{} {:7} {} {}: {}", now, name_of(severity), component, event, prose);
  }
}

} // namespace segue::log
