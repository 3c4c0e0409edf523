// How new parts of a stream look on the wire of a live door. A frame is built once and shared by every listener.
#pragma once

#include "actors/messages.hpp"

#include <string>
#include <string_view>

namespace segue::http {

/// Stateless; used on any thread.
class wire_format {
public:
  virtual ~wire_format() = default;

  /// A batch with everything that has to stand around it, in one block, ready to be sent. A batch without chunks tells
  /// where the stream stands, if this format can tell that; an empty payload: there is nothing to send. `cursor`: the one
  /// that a single listener has shown, see `next_cursor`.
  virtual payload frame(const stream_row& row, const chunk_batch& batch, const std::string& cursor = {}) const = 0;

  /// What keeps a connection alive on which nothing happens. Empty: this format has nothing of the kind.
  virtual payload keep_alive() const = 0;
};

/// RFC 6455: data in a binary message, and behind it a text message `{"streamNextOffset", "upToDate"?, "streamClosed"?}`.
const wire_format& websocket_format();

/// Server-sent events: `event: data`, and behind it `event: control` with the same fields and `streamCursor`. Data are a JSON array, lines of
/// text, or base64, whichever the stream's type asks for. `chunked`: in HTTP chunks.
const wire_format& sse_format(bool chunked);

/// The bytes as they are. `chunked`: in HTTP chunks.
const wire_format& bytes_format(bool chunked);

/// Whether server-sent events carry this content type as base64.
bool is_binary(std::string_view content_type);

/// Whether its parameters follow `application/json`, or nothing.
bool is_json(std::string_view content_type);

/// The content of a batch: its bytes, or the messages of a JSON stream as an array.
std::string content_of(const stream_row& row, const chunk_batch& batch);

} // namespace segue::http
