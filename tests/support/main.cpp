// The test program's main function; every suite registers itself.
#include <caf/test/unit_test_impl.hpp>

#include "actors/log.hpp"

#include <cstdlib>

namespace {

/// Tests that provoke errors would fill the output with them: SEGUE_TEST_LOG=1 shows the log.
[[maybe_unused]] const bool configured = [] {
  using namespace segue::log;
  configure({.least = std::getenv("SEGUE_TEST_LOG") ? level::debug : level::none});
  return true;
}();

} // namespace
