// What a client wants to create, from the header of its PUT. Plain: knows no connection.
#pragma once

#include "http/append_request.hpp"

#include <optional>

namespace segue::http {

/// A stream as it is wished, before what a fork takes from its parent is known.
struct creation {
  stream_wish wish;                    ///< without a type when there is none and it is a fork
  std::optional<position> fork_offset; ///< where a fork begins; nothing: at its parent's tail
  uint64_t fork_sub_offset = 0;        ///< and so many bytes, or JSON messages, of one append behind that
  bool expires = false;                ///< it says when, and does not take it from its parent

  bool is_fork() const { return !wish.forked_from.empty(); }
};

/// The creation that a PUT asks for, but for its body, or why it cannot be one.
std::variant<creation, problem> read_creation(const header_lookup& header, std::string path);

/// The path of a stream in what names it: a URL, or the path of one.
std::optional<std::string> path_in(std::string_view url);

/// How a `200` or `201` is told, and `HEAD`: when the stream expires.
void add_expiry(header_list& into, const stream_row& row);

} // namespace segue::http
