// `segue work`: moves pieces between the stores, beside a server that does not.
#pragma once

#include "config/settings.hpp"

#include <functional>

namespace segue {

/// Works for every tenant until `wait` returns; `ready` is called once it has begun. Throws `cannot_start` when the stores are
/// not networked: then the server alone can use them.
void run_worker(const settings& with, const std::function<void()>& ready, const std::function<void()>& wait);

} // namespace segue
