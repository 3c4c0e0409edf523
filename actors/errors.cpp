#include "actors/errors.hpp"

#include <caf/sec.hpp>

#include <array>

namespace segue {

namespace {

constexpr auto names = std::array{"none", "invalid_argument", "bad_offset", "not_found", "gone", "conflict", "closed",
    "wrong_type", "stale_producer", "producer_gap", "busy", "moved", "fenced", "unknown_outcome", "unavailable",
    "timeout", "too_large", "storage_full", "corrupt", "unauthenticated", "internal"};
static_assert(names.size() == static_cast<size_t>(ec::internal) + 1);

} // namespace

std::string to_string(ec code) {
  auto index = static_cast<size_t>(code);
  return index < names.size() ? names[index] : "internal";
}

ec code_of(const caf::error& error) {
  if (!error)
    return ec::none;
  if (error.category() == caf::atom("segue"))
    return static_cast<ec>(error.code());
  if (error.category() == caf::atom("system")) {
    switch (static_cast<caf::sec>(error.code())) {
      case caf::sec::request_timeout:
        return ec::timeout;
      case caf::sec::request_receiver_down:
      case caf::sec::invalid_argument: // what CAF answers when a handle is empty
        return ec::unavailable;
      default:
        return ec::internal;
    }
  }
  if (error.category() == caf::atom("exit"))
    return ec::unavailable;
  return ec::internal;
}

bool has_retired(const caf::error& error) {
  return code_of(error) == ec::moved || error == caf::sec::request_receiver_down;
}

std::string detail_of(const caf::error& error) {
  if (error && (error.context().match_elements<std::string>() || error.context().match_elements<std::string, std::string>()))
    return error.context().get_as<std::string>(0);
  return {};
}

std::string owner_of(const caf::error& error) {
  if (error && error.context().match_elements<std::string, std::string>())
    return error.context().get_as<std::string>(1);
  return {};
}

} // namespace segue
