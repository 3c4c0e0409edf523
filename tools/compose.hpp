// The composition: builds every part of a server in order and takes them down in the opposite one.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <string>

namespace segue {

/// What a server cannot start with, said to whoever starts it.
struct cannot_start {
  std::string what;
};

/// Runs a server: `ready` is called with its address once it accepts requests, and `wait` returns when it shall end.
/// Throws `cannot_start`.
void run_server(const settings& with, const std::function<void(const std::string& address)>& ready,
    const std::function<void()>& wait);

/// Whether a host name means this machine only.
bool is_loopback(const std::string& host);

} // namespace segue
