#include "http/wire_format.hpp"

#include "http/stream_cursor.hpp"

#include <boost/beast/core/string.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace segue::http {

namespace {

/// After the last one nobody comes back: it needs no cursor. One is built for each chunk and format; no value in it needs to be
/// escaped.
std::string control_of(const chunk_batch& batch, const std::string& cursor = {}) {
  bool last = batch.closed && batch.up_to_date();
  auto control = R"({"streamNextOffset":")" + format_offset(batch.next) + '"';
  if (!cursor.empty() && !last)
    control += R"(,"streamCursor":")" + cursor + '"';
  if (batch.up_to_date())
    control += R"(,"upToDate":true)";
  if (last)
    control += R"(,"streamClosed":true)";
  return control + '}';
}

// -- RFC 6455 ----------------------------------------------------------------------------------------------------------

enum class opcode : unsigned char { text = 0x81, binary = 0x82, ping = 0x89 }; // each with the bit of a whole message

/// An unmasked frame, as servers send them.
void add_message(std::string& out, opcode what, std::string_view content) {
  out.push_back(static_cast<char>(what));
  auto size = content.size();
  auto length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out.push_back(static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127));
  for (int i = length_bytes - 1; i >= 0; --i)
    out.push_back(static_cast<char>(size >> (8 * i)));
  out += content;
}

class websocket_wire final : public wire_format {
public:
  payload frame(const stream_row& row, const chunk_batch& batch, const std::string&) const override {
    std::string out;
    if (!batch.chunks.empty()) {
      auto content = content_of(row, batch);
      out.reserve(content.size() + 128);
      add_message(out, opcode::binary, content);
    }
    add_message(out, opcode::text, control_of(batch));
    return payload{std::move(out)};
  }

  payload keep_alive() const override {
    static const payload ping{std::string{static_cast<char>(opcode::ping), '\0'}};
    return ping;
  }
};

// -- server-sent events ------------------------------------------------------------------------------------------------

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0'); // OpenSSL adds a zero
  auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

/// One `data:` line for each line of text, whichever way lines end: no content can forge a field or an event.
void add_lines(std::string& out, std::string_view text) {
  auto feed = text.find('\n'), carriage = text.find('\r'); // each by itself is found many bytes at a time
  for (size_t at = 0;;) {
    auto end = std::min(feed, carriage);
    auto line = text.substr(at, end - at);
    out.append(line.starts_with(' ') ? "data: " : "data:").append(line).push_back('\n'); // one space is not content
    if (end == std::string_view::npos)
      return;
    at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
    if (feed < at)
      feed = text.find('\n', at);
    if (carriage < at)
      carriage = text.find('\r', at);
  }
}

class sse_wire final : public wire_format {
public:
  payload frame(const stream_row& row, const chunk_batch& batch, const std::string& cursor) const override {
    std::string out;
    if (!batch.chunks.empty()) {
      out += "event: data\n";
      auto content = content_of(row, batch);
      add_lines(out, is_binary(row.content_type) ? base64(content) : content);
      out += "\n";
    }
    out += "event: control\ndata:" + control_of(batch, next_cursor(cursor)) + "\n\n";
    return payload{std::move(out)};
  }

  payload keep_alive() const override {
    static const payload comment{": keep-alive\n\n"};
    return comment;
  }
};

// -- bytes -------------------------------------------------------------------------------------------------------------

class bytes_wire final : public wire_format {
public:
  payload frame(const stream_row& row, const chunk_batch& batch, const std::string&) const override {
    return batch.chunks.size() == 1 && !is_json(row.content_type) ? batch.chunks.front().bytes
                                                                  : payload{content_of(row, batch)};
  }

  payload keep_alive() const override { return {}; }
};

// -- HTTP chunks -------------------------------------------------------------------------------------------------------

class chunked_wire final : public wire_format {
public:
  explicit chunked_wire(const wire_format& inner) : inner_(inner) {}

  payload frame(const stream_row& row, const chunk_batch& batch, const std::string& cursor) const override {
    return wrap(inner_.frame(row, batch, cursor));
  }

  payload keep_alive() const override { return wrap(inner_.keep_alive()); }

private:
  static payload wrap(const payload& inner) {
    if (inner.empty())
      return {}; // an empty chunk would be the last one
    std::array<char, 24> head{};
    auto length = std::snprintf(head.data(), head.size(), "%zx\r\n", inner.size());
    std::string out;
    out.reserve(inner.size() + static_cast<size_t>(length) + 2);
    out.append(head.data(), static_cast<size_t>(length)).append(inner.view()).append("\r\n");
    return payload{std::move(out)};
  }

  const wire_format& inner_;
};

} // namespace

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  type.remove_suffix(type.size() - (type.find_last_not_of(" \t") + 1));
  return boost::beast::iequals(type, "application/json");
}

bool is_binary(std::string_view content_type) { return !is_json(content_type) && !content_type.starts_with("text/"); }

std::string content_of(const stream_row& row, const chunk_batch& batch) {
  auto json = is_json(row.content_type);
  size_t size = 2;
  for (const auto& record : batch.chunks)
    size += record.bytes.size() + record.lengths.size();
  std::string out;
  out.reserve(size);
  if (json)
    out.push_back('[');
  for (const auto& record : batch.chunks) {
    auto rest = record.bytes.view();
    if (!json)
      out += rest;
    for (auto length : record.lengths) {
      if (out.size() > 1)
        out.push_back(',');
      out += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  if (json)
    out.push_back(']');
  return out;
}

const wire_format& websocket_format() {
  static const websocket_wire format;
  return format;
}

const wire_format& sse_format(bool chunked) {
  static const sse_wire plain;
  static const chunked_wire wrapped{plain};
  return chunked ? static_cast<const wire_format&>(wrapped) : plain;
}

const wire_format& bytes_format(bool chunked) {
  static const bytes_wire plain;
  static const chunked_wire wrapped{plain};
  return chunked ? static_cast<const wire_format&>(wrapped) : plain;
}

} // namespace segue::http
