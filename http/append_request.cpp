#include "http/append_request.hpp"

#include "http/number.hpp"
#include "http/wire_format.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace segue::http {

namespace {

constexpr size_t longest_name = 256; ///< of a producer, of a Stream-Seq

/// The three producer headers, all or none.
std::optional<problem> read_producer(append_chunk& into, const header_lookup& header) {
  auto id = header("producer-id");
  auto epoch = header("producer-epoch");
  auto seq = header("producer-seq");
  if (id.empty() && epoch.empty() && seq.empty())
    return std::nullopt;
  auto epoch_number = whole_number(epoch, most_exact);
  auto seq_number = whole_number(seq, most_exact);
  if (id.empty() || id.size() > longest_name || !epoch_number || !seq_number)
    return bad_field("Producer-Id",
        "Producer-Id (1 to 256 bytes), Producer-Epoch and Producer-Seq (whole numbers from 0 to 2^53-1) go together.");
  if (id.starts_with("gen/"))
    return bad_field("Producer-Id", "Names that begin with gen/ are the server's own.");
  into.producer = {std::string{id}, *epoch_number, *seq_number};
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr auto blank = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
  return text.substr(0, text.find_last_not_of(blank) + 1);
}

/// The elements of an array, or the one value that is none, each as it was written. The text must be JSON.
std::vector<std::string_view> messages_of(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('['))
    return {text};
  text = text.substr(1, text.size() - 2);
  std::vector<std::string_view> messages;
  size_t begin = 0;
  size_t depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (quoted && c == '\\')
      ++at;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{'))
      ++depth;
    else if (!quoted && (c == ']' || c == '}'))
      --depth;
    else if (!quoted && depth == 0 && c == ',') {
      messages.push_back(trimmed(text.substr(begin, at - begin)));
      begin = at + 1;
    }
  }
  if (auto last = trimmed(text.substr(begin)); !last.empty())
    messages.push_back(last);
  return messages;
}

} // namespace

std::string content_type_of(std::string_view header) {
  std::string type{header};
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  type.erase(0, type.find_first_not_of(" \t"));
  type.erase(std::min(type.find_last_not_of(" \t") + 1, type.size()));
  return type;
}

bool same_type(std::string_view a, std::string_view b) {
  for (;;) {
    auto end_of_a = a.find(';'), end_of_b = b.find(';');
    if (trimmed(a.substr(0, end_of_a)) != trimmed(b.substr(0, end_of_b)))
      return false;
    if (end_of_a == a.npos || end_of_b == b.npos)
      return end_of_a == end_of_b;
    a.remove_prefix(end_of_a + 1);
    b.remove_prefix(end_of_b + 1);
  }
}

std::variant<append_chunk, problem> read_append(const header_lookup& header, std::string body, const std::string& stream_type) {
  append_chunk x;
  x.close = header("stream-closed") == "true";
  x.stream_seq = header("stream-seq");
  if (x.stream_seq.size() > longest_name)
    return bad_field("Stream-Seq", "Stream-Seq may have 256 bytes.");
  if (auto wrong = read_producer(x, header))
    return *wrong;
  if (body.empty()) {
    if (!x.close)
      return bad_field("body", "An append needs a body, unless Stream-Closed: true closes the stream.");
    return x;
  }
  x.content_type = content_type_of(header("content-type"));
  if (x.content_type.empty())
    return bad_field("Content-Type", "A body needs a Content-Type, and it must be the stream's: " + stream_type + ".");
  if (same_type(x.content_type, stream_type)) {
    x.content_type = stream_type;
  } else {
    x.bytes = payload{std::move(body)}; // the stream refuses it, or says that it is closed, in the order that counts
    return x;
  }
  if (auto wrong = read_body(x, std::move(body), stream_type))
    return *wrong;
  if (x.bytes.empty() && !x.close)
    return bad_field("body", "An empty array holds no message.");
  return x;
}

std::optional<problem> read_body(append_chunk& into, std::string text, const std::string& content_type) {
  if (!is_json(content_type)) {
    into.bytes = payload{std::move(text)};
    return std::nullopt;
  }
  std::string_view body = text;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (body.starts_with(byte_order_mark))
    body.remove_prefix(byte_order_mark.size()); // it is no content
  bool second_mark = body.starts_with(byte_order_mark); // which the parser would skip, as if it were the first
  bool zero = body.find('\0') != body.npos;             // where the parser would stop
  // accept() needs neither a tree nor recursion: a body may nest as deep as it is long.
  if (second_mark || zero || !nlohmann::json::accept(body))
    return bad_field("body", "The body must be one JSON value, or an array of messages.");
  std::string bytes;
  for (auto message : messages_of(body)) {
    into.lengths.push_back(static_cast<uint32_t>(message.size()));
    bytes += message;
  }
  into.bytes = payload{std::move(bytes)};
  return std::nullopt;
}

std::optional<problem> read_body(stream_wish& into, std::string body) {
  append_chunk x;
  auto wrong = read_body(x, std::move(body), into.content_type);
  into.first = std::move(x.bytes);
  into.lengths = std::move(x.lengths);
  return wrong;
}

std::optional<problem> judge_path(std::string_view path, size_t most) {
  bool empty_segment = path.empty() || path.starts_with('/') || path.ends_with('/')
      || path.find("//") != std::string_view::npos;
  bool control = std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (path.size() > most || empty_segment || control || path == "__ds" || path.starts_with("__ds/"))
    return bad_field("path",
        "The path of a stream has 1 to " + std::to_string(most)
            + " bytes, no empty segment and no control characters, and is not below __ds.");
  return std::nullopt;
}

} // namespace segue::http
