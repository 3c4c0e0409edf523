// Messages of JSON streams on their way in and out, and what readers see of any stream. The first byte says what the rest
// is: `j` a JSON body, `t` a text, `b` bytes. Two whole inputs stand for bodies as large as the server takes: `deep` and
// `wide`.
#include "http/append_request.hpp"
#include "http/wire_format.hpp"
#include "tests/fuzz/harness.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <numeric>
#include <set>

using namespace segue;
using namespace segue::fuzz;
using namespace segue::http;
using nlohmann::json;

namespace {

constexpr size_t body_limit = 1 << 20;

struct event {
  std::string type;
  std::string data;
};

/// The events of a stream of server-sent events, read as the HTML standard says.
std::vector<event> read_events(std::string_view text) {
  std::vector<event> events;
  event now;
  bool has_data = false;
  while (!text.empty()) {
    auto end = text.find_first_of("\r\n");
    insist(end != text.npos, "the last line is ended");
    auto line = text.substr(0, end);
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    if (line.empty()) {
      if (has_data)
        events.push_back(now);
      now = {};
      has_data = false;
      continue;
    }
    auto field = cut(line, ':');
    if (line.starts_with(' '))
      line.remove_prefix(1);
    insist(field == "event" || field == "data", "no other field is sent");
    if (field == "event") {
      now.type = line;
    } else {
      now.data.append(has_data ? "\n" : "").append(line);
      has_data = true;
    }
  }
  insist(!has_data && now.type.empty(), "the last event is ended");
  return events;
}

std::string with_plain_line_ends(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r')
      out += text[i];
    else if (text.substr(i, 2) != "\r\n")
      out += '\n';
  return out;
}

std::string from_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3 + 1, '\0');
  auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  insist(size >= 0 && text.size() % 4 == 0, "data are base64");
  bytes.resize(static_cast<size_t>(size) - (text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0));
  return bytes;
}

void check_control(std::string_view text, const chunk_batch& batch, bool cursor) {
  auto control = json::parse(text, nullptr, false);
  insist(control.is_object() && control.value("streamNextOffset", "") == format_offset(batch.next),
      "a control event says where to read on");
  bool last = batch.closed && batch.up_to_date();
  std::set<std::string> expected{"streamNextOffset"};
  if (cursor && !last)
    expected.insert("streamCursor");
  if (batch.up_to_date())
    expected.insert("upToDate");
  if (last)
    expected.insert("streamClosed");
  std::set<std::string> found;
  for (const auto& [name, value] : control.items())
    found.insert(name);
  insist(found == expected, "a control event holds the fields of its place in the stream and no other");
}

void check_events(std::string_view frame, const stream_row& row, const chunk_batch& batch) {
  auto events = read_events(frame);
  insist(events.size() == 2 && events[0].type == "data" && events[1].type == "control",
      "content is one event, and one that controls follows it");
  auto content = content_of(row, batch);
  insist(is_binary(row.content_type) ? from_base64(events[0].data) == content
                                     : events[0].data == with_plain_line_ends(content),
      "an event holds the content");
  check_control(events[1].data, batch, true);
}

std::string_view take(std::string_view& rest, size_t size) {
  insist(rest.size() >= size, "nothing is cut off");
  auto taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

/// The content of a message of RFC 6455, which is taken off the front.
std::string_view take_message(std::string_view& rest, unsigned char opcode) {
  insist(static_cast<unsigned char>(take(rest, 1)[0]) == opcode, "a message is whole and of its kind");
  size_t size = static_cast<unsigned char>(take(rest, 1)[0]);
  insist(size < 128, "servers do not mask");
  if (size >= 126) {
    auto bytes = take(rest, size == 126 ? 2 : 8);
    size = 0;
    for (unsigned char c : bytes)
      size = size << 8 | c;
    insist(size >= (bytes.size() == 2 ? 126 : 65536), "a length is written as short as it can be");
  }
  return take(rest, size);
}

/// The content of the only HTTP chunk in a text.
std::string_view unwrap(std::string_view text) {
  size_t size = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
  insist(error == std::errc{} && size > 0, "a chunk says how long it is");
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  insist(take(text, 2) == "\r\n", "a chunk begins with its length alone");
  auto content = take(text, size);
  insist(text == "\r\n", "a chunk ends after its content");
  return content;
}

void check_frames(const stream_row& row, const chunk_batch& batch, const std::string& cursor) {
  check_events(sse_format(false).frame(row, batch, cursor).view(), row, batch);
  check_events(unwrap(sse_format(true).frame(row, batch, cursor).view()), row, batch);
  auto messages = websocket_format().frame(row, batch);
  auto rest = messages.view();
  insist(take_message(rest, 0x82) == content_of(row, batch), "a message holds the content");
  check_control(take_message(rest, 0x81), batch, false);
  insist(rest.empty(), "nothing follows the message that controls");
  insist(bytes_format(false).frame(row, batch).view() == content_of(row, batch), "bytes are the content");
  insist(unwrap(bytes_format(true).frame(row, batch).view()) == content_of(row, batch), "so they are in a chunk");
}

chunk_batch batch_of(std::vector<chunk> chunks, unsigned where) {
  auto next = chunks.back().end();
  return {std::move(chunks), next, next + where % 2, where / 2 % 2 == 1};
}

stream_row of_type(const char* type) {
  stream_row row;
  row.content_type = type;
  return row;
}

/// Cuts at every place: borders of messages give two parts that are the whole, all others nothing.
void check_cuts(const chunk& whole) {
  std::set<position> borders{whole.start};
  auto border = whole.start;
  for (auto length : whole.lengths)
    borders.insert(border += length);
  for (auto at = whole.start; at <= whole.end(); ++at) {
    auto head = at > whole.start ? whole.until(at) : std::nullopt;
    auto tail = at < whole.end() ? whole.from(at) : std::nullopt;
    insist(head.has_value() == (borders.contains(at) && at > whole.start), "until() cuts where messages end");
    insist(tail.has_value() == (borders.contains(at) && at < whole.end()), "from() cuts where messages begin");
    if (!head || !tail)
      continue;
    auto lengths = head->lengths;
    lengths.insert(lengths.end(), tail->lengths.begin(), tail->lengths.end());
    insist(head->start == whole.start && head->end() == at && tail->start == at && tail->end() == whole.end(),
        "both parts lie where they lay in the whole");
    insist(std::string{head->bytes.view()}.append(tail->bytes.view()) == whole.bytes.view() && lengths == whole.lengths,
        "both parts are the whole");
  }
}

void check_json(std::string_view body, position start) {
  append_chunk x;
  auto expected = json::parse(body, nullptr, false);
  auto wrong = read_body(x, std::string{body}, "application/json");
  insist(!wrong || wrong->status == 400, "what is no JSON is the client's fault");
  insist(wrong || !expected.is_discarded(), "nothing but JSON is taken");
  if (wrong)
    return;
  if (!expected.is_array())
    expected = json::array({std::move(expected)});
  insist(x.lengths.size() == expected.size(), "an array is as many messages as it has elements");
  insist(std::accumulate(x.lengths.begin(), x.lengths.end(), uint64_t{0}) == x.bytes.size(),
      "the messages are the bytes");
  auto rest = x.bytes.view();
  for (size_t i = 0; i < x.lengths.size(); ++i)
    insist(json::parse(take(rest, x.lengths[i]), nullptr, false) == expected[i], "each message is its element");
  if (x.bytes.empty())
    return;

  auto row = of_type("application/json; charset=utf-8");
  chunk whole{start % (uint64_t{1} << 53), x.bytes, x.lengths};
  check_cuts(whole);
  auto middle = whole.start;
  for (size_t i = 0; i < whole.lengths.size() / 2; ++i)
    middle += whole.lengths[i];
  std::vector<chunk> parts{whole};
  if (middle > whole.start)
    parts = {*whole.until(middle), *whole.from(middle)};
  for (const auto& chunks : {std::vector{whole}, parts}) {
    auto content = content_of(row, batch_of(chunks, 0));
    insist(json::parse(content, nullptr, false) == expected, "readers get the array of the messages");
    append_chunk again;
    insist(!read_body(again, std::string{content}, row.content_type) && again.bytes == x.bytes && again.lengths == x.lengths,
        "what readers get is the same when it is appended");
    check_frames(row, batch_of(chunks, static_cast<unsigned>(body.size())), "");
  }
}

void check_text(const char* type, std::string_view text) {
  if (text.empty())
    return;
  auto step = static_cast<unsigned char>(text[0]) % 16 + 1u;
  std::vector<chunk> chunks;
  for (size_t at = 0; at < text.size(); at += text.size() / step + 1)
    chunks.push_back({at, payload{std::string{text.substr(at, text.size() / step + 1)}}, {}});
  // The cursor is a parameter of the same client's request, and so anything.
  check_frames(of_type(type), batch_of(chunks, step), std::string{text.substr(0, 32)});
  for (const auto& x : chunks)
    for (auto at = x.start + 1; at < x.end(); at += x.bytes.size() / 4 + 1)
      insist(x.until(at)->end() == at && x.from(at)->start == at && x.from(at)->end() == x.end(),
          "bytes are cut anywhere");
}

/// Nothing of what a client may send within the limit may end the server: neither its stack nor its time is used up.
/// libFuzzer's own time limit judges the latter.
void check_large(bool deep) {
  std::string body;
  if (deep) {
    body = std::string(body_limit / 2, '[') + std::string(body_limit / 2, ']');
  } else {
    for (size_t i = 0; body.size() < body_limit - 20; ++i)
      body += (i == 0 ? "{\"" : ",\"") + std::to_string(i) + "\":1";
    body += "}";
  }
  append_chunk x;
  read_body(x, std::string{body}, "application/json");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string input(reinterpret_cast<const char*>(data), size);
  if (input == "deep" || input == "wide") {
    check_large(input == "deep");
    return 0;
  }
  if (input.empty())
    return 0;
  auto rest = input.substr(1); // a copy, so that reading behind its end is noticed
  if (input[0] == 't')
    check_text("text/plain", rest);
  else if (input[0] == 'b')
    check_text("audio/mpeg", rest);
  else
    check_json(rest, number_in(rest, 0));
  return 0;
}
