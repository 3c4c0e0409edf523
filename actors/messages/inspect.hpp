// How messages are told to CAF field by field: for logs, for tests, and for the wire between nodes.
#pragma once

#include <caf/meta/type_name.hpp>

#define SEGUE_INSPECT(type, ...)                                                                                       \
  template <class Inspector>                                                                                           \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] type& x) {                                    \
    return f(caf::meta::type_name(#type) __VA_OPT__(, ) __VA_ARGS__);                                                  \
  }
