// How messages are told to CAF field by field: for logs, for tests, and for the wire between nodes.
#pragma once

#include <caf/deserializer.hpp>
#include <caf/detail/stringification_inspector.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/serializer.hpp>

/// What CAF makes of a message is the same everywhere, and is compiled once: where this is empty, in `messages.cpp`. Elsewhere the
/// compiler would spend up to a third of its time on it.
#ifndef SEGUE_COMPILED_ELSEWHERE
#define SEGUE_COMPILED_ELSEWHERE extern
#endif

#define SEGUE_INSPECT(type, ...)                                                                                       \
  template <class Inspector>                                                                                           \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] type& x) {                                    \
    return f(caf::meta::type_name(#type) __VA_OPT__(, ) __VA_ARGS__);                                                  \
  }                                                                                                                    \
  SEGUE_COMPILED_ELSEWHERE template caf::error inspect(caf::serializer&, type&);                                       \
  SEGUE_COMPILED_ELSEWHERE template caf::error inspect(caf::deserializer&, type&);                                     \
  SEGUE_COMPILED_ELSEWHERE template void inspect(caf::detail::stringification_inspector&, type&);
