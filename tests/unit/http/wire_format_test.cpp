#define CAF_SUITE http.wire_format

#include "http/stream_cursor.hpp"
#include "http/wire_format.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

stream_row of_type(std::string type) {
  stream_row row;
  row.content_type = std::move(type);
  return row;
}

const stream_row sound = of_type("audio/mpeg");
const stream_row json = of_type("application/json");

chunk_batch batch(std::vector<chunk> chunks, position next, bool closed = false, position tail = 0) {
  return {std::move(chunks), next, tail == 0 ? next : tail, closed};
}

std::string text(const payload& x) { return std::string{x.view()}; }

std::string control(const std::string& offset, const std::string& more) {
  return R"({"streamNextOffset":"0000000000000000_)" + offset + "\"" + more + "}";
}

const std::string up_to_date = R"(,"upToDate":true)";

/// The length field of an RFC 6455 frame with so much content, and where the content begins.
std::string header_of(size_t size) {
  auto frame = text(websocket_format().frame(sound, batch({{0, payload{std::string(size, 'x')}, {}}}, size)));
  return frame.substr(0, frame.find('x'));
}

} // namespace

CAF_TEST(a websocket frame is binary data with a text control message behind it) {
  auto said = control("0000000000000003", up_to_date);
  auto frame = text(websocket_format().frame(sound, batch({{0, payload{"abc"}, {}}}, 3)));
  CAF_CHECK_EQUAL(frame, std::string{"\x82\x03"} + "abc" + "\x81" + static_cast<char>(said.size()) + said);
}

CAF_TEST(the length of a websocket frame takes as many bytes as it needs) {
  CAF_CHECK_EQUAL(header_of(1), std::string("\x82\x01", 2));
  CAF_CHECK_EQUAL(header_of(125), std::string("\x82\x7d", 2));
  CAF_CHECK_EQUAL(header_of(126), std::string("\x82\x7e\x00\x7e", 4));
  CAF_CHECK_EQUAL(header_of(65535), std::string("\x82\x7e\xff\xff", 4));
  CAF_CHECK_EQUAL(header_of(65536), std::string("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

CAF_TEST(chunks of one batch leave in one message) {
  auto frame = text(websocket_format().frame(sound, batch({{0, payload{"ab"}, {}}, {2, payload{"cd"}, {}}}, 4)));
  CAF_CHECK(frame.starts_with("\x82\x04" "abcd\x81"));
}

CAF_TEST(a batch without chunks is a control message alone) {
  auto said = control("0000000000000005", up_to_date + R"(,"streamClosed":true)");
  auto frame = text(websocket_format().frame(sound, batch({}, 5, true)));
  CAF_CHECK_EQUAL(frame, "\x81" + std::string(1, static_cast<char>(said.size())) + said);
}

CAF_TEST(closed is said only where the stream ends) {
  auto frame = text(sse_format(false).frame(json, batch({}, 5, true, 9)));
  auto cursor = next_cursor("");
  CAF_CHECK_EQUAL(frame, "event: control\ndata:" + control("0000000000000005", ",\"streamCursor\":\"" + cursor + "\"") + "\n\n");
  auto last = text(sse_format(false).frame(json, batch({}, 5, true)));
  CAF_CHECK(last.find("streamCursor") == std::string::npos);
}

CAF_TEST(who shows a cursor gets a greater one) {
  auto far = text(sse_format(true).frame(json, batch({}, 5), "99999999"));
  auto at = far.find("streamCursor\":\"") + 15;
  CAF_CHECK(std::stoull(far.substr(at)) > 99'999'999);
}

CAF_TEST(json is an array whose messages keep their text) {
  chunk record{0, payload{R"({"a":1}[2])"}, {7, 3}};
  CAF_CHECK_EQUAL(content_of(json, batch({record, {10, payload{"3"}, {1}}}, 11)), R"([{"a":1},[2],3])");
  CAF_CHECK_EQUAL(content_of(json, batch({}, 11)), "[]");
  CAF_CHECK(text(sse_format(false).frame(json, batch({record}, 10))).starts_with("event: data\ndata:[{\"a\":1},[2]]\n\n"));
}

CAF_TEST(a space at the beginning of a line is kept) {
  auto frame = text(sse_format(false).frame(of_type("text/plain"), batch({{0, payload{" a\n  b"}, {}}}, 6)));
  CAF_CHECK(frame.starts_with("event: data\ndata:  a\ndata:   b\n\n"));
}

CAF_TEST(bytes travel as base64 in events) {
  auto data = [](const std::string& bytes) {
    auto frame = text(sse_format(false).frame(sound, batch({{0, payload{bytes}, {}}}, bytes.size())));
    return frame.substr(0, frame.find("\n\n"));
  };
  CAF_CHECK_EQUAL(data("f"), "event: data\ndata:Zg==");
  CAF_CHECK_EQUAL(data("fo"), "event: data\ndata:Zm8=");
  CAF_CHECK_EQUAL(data("foo"), "event: data\ndata:Zm9v");
  CAF_CHECK_EQUAL(data(std::string("\0\xff", 2)), "event: data\ndata:AP8=");
}

CAF_TEST(no text can forge an event whatever its lines end with) {
  auto frame = text(sse_format(false).frame(
      of_type("text/plain"), batch({{0, payload{"a\nevent: control\rdata: x\r\n\r\nb"}, {}}}, 30)));
  CAF_CHECK(frame.starts_with("event: data\ndata:a\ndata:event: control\ndata:data: x\ndata:\ndata:b\n\nevent: control\n"));
}

CAF_TEST(a chunk of HTTP holds a whole frame and is never the empty one that ends a body) {
  CAF_CHECK_EQUAL(text(bytes_format(true).frame(sound, batch({{0, payload{"0123456789abcdefg"}, {}}}, 17))),
      "11\r\n0123456789abcdefg\r\n");
  CAF_CHECK_EQUAL(text(bytes_format(true).frame(sound, batch({}, 17, true))), "");
  CAF_CHECK_EQUAL(text(bytes_format(true).keep_alive()), "");
  CAF_CHECK_EQUAL(text(sse_format(true).keep_alive()), "e\r\n: keep-alive\n\n\r\n");
}

CAF_TEST(one chunk of bytes is sent without copying it) {
  payload bytes{"abc"};
  CAF_CHECK(bytes_format(false).frame(sound, batch({{0, bytes, {}}}, 3)).view().data() == bytes.view().data());
}

CAF_TEST(types are binary unless they are text or JSON) {
  CAF_CHECK(is_binary("audio/mpeg"));
  CAF_CHECK(is_binary("application/octet-stream"));
  CAF_CHECK(!is_binary("text/plain; charset=utf-8"));
  CAF_CHECK(!is_binary("application/json; charset=utf-8"));
  CAF_CHECK(!is_binary("application/json ; charset=utf-8"));
  CAF_CHECK(!is_json("application/jsonl"));
  CAF_CHECK(!is_json(" ;"));
}
