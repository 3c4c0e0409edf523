// What a client wants to append, from the header and body of its request. Plain: knows no connection.
#pragma once

#include "http/exchange.hpp"

#include <variant>

namespace segue::http {

/// Looks up a header by its name in lower case; without data when it is not there.
using header_lookup = std::function<std::string_view(std::string_view)>;

/// The media type of a `Content-Type` header in the form streams keep: lower case, without spaces around it.
std::string content_type_of(std::string_view header);

/// Whether two types in that form differ in nothing but blanks around their semicolons.
bool same_type(std::string_view a, std::string_view b);

/// The append that a POST asks for, or why it cannot be one. `stream_type` is the type of the stream: the body of a JSON
/// stream is a message, or an array of messages.
std::variant<append_chunk, problem> read_append(const header_lookup& header, std::string body, const std::string& stream_type);

/// Puts a body into `into`: bytes as they are; for JSON a message, or the elements of an array. A problem when it is no
/// JSON.
std::optional<problem> read_body(append_chunk& into, std::string body, const std::string& content_type);

/// The same for the first content of a stream; an empty array is none.
std::optional<problem> read_body(stream_wish& into, std::string body);

/// The path of a stream a client may create: 1 to `most` bytes, no empty segment, no control characters. Nothing: it may.
std::optional<problem> judge_path(std::string_view path, size_t most);

} // namespace segue::http
