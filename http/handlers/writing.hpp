// What the handlers that write to streams have in common.
#pragma once

#include "http/append_request.hpp"
#include "http/handlers/handlers.hpp"

namespace segue::http {

inline header_lookup headers_of(const exchange& x) {
  return [&x](std::string_view name) { return x.header(name); };
}

/// A response that says where the stream ends.
inline response with_position(unsigned status, position next, bool closed) {
  response out{status, {}, {}};
  out.headers.emplace_back("Stream-Next-Offset", format_offset(next));
  if (closed)
    out.headers.emplace_back("Stream-Closed", "true");
  return out;
}

/// True when the request was refused: the server alone writes to the streams of its generations.
asio::awaitable<bool> refuse_engine_owned(exchange& x);

} // namespace segue::http
