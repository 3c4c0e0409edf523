#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_system_config.hpp>

namespace segue {

/// Of an actor system that knows our messages.
struct test_config : caf::actor_system_config {
  test_config() { register_messages(*this); }
};

} // namespace segue
