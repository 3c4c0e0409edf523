// The composition: builds every part of a server in order and takes them down in the opposite one.
#pragma once

#include "config/settings.hpp"
#include "tools/engines.hpp"

#include <functional>
#include <string>

namespace segue {

/// Runs a server: `ready` is called with its address once it accepts requests, and `wait` returns when it shall end.
/// Throws `cannot_start`. False: it ended because another server has taken its stores over.
bool run_server(const settings& with, const std::function<void(const std::string& address)>& ready,
    const std::function<void()>& wait);

/// Throws `bad_setting` when settings open doors to whoever should stay outside, or contradict each other about them.
void check_doors(const settings& with);

/// Whether a host name means this machine only.
bool is_loopback(const std::string& host);

} // namespace segue
