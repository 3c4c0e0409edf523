#define CAF_SUITE http.append_request

#include "http/append_request.hpp"

#include "actors/sound.hpp"

#include <map>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

using headers = std::map<std::string, std::string, std::less<>>;

std::variant<append_chunk, problem> read(
    const headers& given, const std::string& body, const std::string& type = "text/plain") {
  auto look_up = [&](std::string_view name) {
    auto at = given.find(name);
    return at == given.end() ? std::string_view{} : std::string_view{at->second};
  };
  return read_append(look_up, body, type);
}

/// The append, told in a line; or the field to blame.
std::string told(const headers& given, const std::string& body, const std::string& type = "text/plain") {
  auto result = read(given, body, type);
  if (auto* wrong = std::get_if<problem>(&result))
    return std::to_string(wrong->status) + " " + wrong->field;
  auto& x = std::get<append_chunk>(result);
  auto line = std::string{x.bytes.view()};
  for (auto length : x.lengths)
    line += " " + std::to_string(length);
  if (!x.producer.id.empty())
    line += " " + x.producer.id + "/" + std::to_string(x.producer.epoch) + "/" + std::to_string(x.producer.seq);
  return line + (x.stream_seq.empty() ? "" : " seq " + x.stream_seq) + (x.close ? " closes" : "");
}

headers producer(const std::string& id, const std::string& epoch, const std::string& seq) {
  return {{"content-type", "text/plain"}, {"producer-id", id}, {"producer-epoch", epoch}, {"producer-seq", seq}};
}

} // namespace

CAF_TEST(a body with the type of the stream is an append) {
  CAF_CHECK_EQUAL(told({{"content-type", "text/plain"}}, "abc"), "abc");
  CAF_CHECK_EQUAL(told({{"content-type", " Text/PLAIN "}}, "abc"), "abc");
  CAF_CHECK_EQUAL(told({{"content-type", "text/plain"}, {"stream-seq", "7"}}, "abc"), "abc seq 7");
  CAF_CHECK_EQUAL(told({{"content-type", "text/plain"}, {"stream-closed", "true"}}, "abc"), "abc closes");
}

CAF_TEST(blanks around a semicolon are no difference) {
  CAF_CHECK(same_type("text/plain;charset=utf-8", "text/plain ; charset=utf-8"));
  CAF_CHECK(same_type("a/b;c=d; e=f", "a/b; c=d ;e=f"));
  CAF_CHECK(!same_type("text/plain", "text/plain;"));
  CAF_CHECK(!same_type("text/plain;charset=utf-8", "text/plain;charset=utf-16"));
  CAF_CHECK(!same_type("text/plain;a=b;c=d", "text/plain;a=b"));
  CAF_CHECK_EQUAL(told({{"content-type", "application/json;charset=utf-8"}}, "[1,23]", "application/json ; charset=utf-8"), "123 1 2");
}

CAF_TEST(nothing can only close and then needs no type) {
  CAF_CHECK_EQUAL(told({{"stream-closed", "true"}}, ""), " closes");
  CAF_CHECK_EQUAL(told({{"content-type", "text/plain"}}, ""), "400 body");
  CAF_CHECK_EQUAL(told({{"stream-closed", "yes"}}, ""), "400 body");
  CAF_CHECK_EQUAL(told({}, "abc"), "400 Content-Type");
}

CAF_TEST(another type is left for the stream to refuse) {
  auto x = std::get<append_chunk>(read({{"content-type", "audio/mpeg"}}, "abc"));
  CAF_CHECK_EQUAL(x.content_type, "audio/mpeg");
}

CAF_TEST(JSON may nest as deep as it is long and have as many keys) {
  headers json{{"content-type", "application/json"}};
  std::string deep(500'000, '[');
  deep += std::string(500'000, ']');
  CAF_CHECK_EQUAL(told(json, deep, "application/json").substr(1'000'000 - 2), " " + std::to_string(1'000'000 - 2));
  std::string wide = "{";
  for (int i = 0; i < 100'000; ++i)
    wide += "\"" + std::to_string(i) + "\":1,";
  wide.back() = '}';
  CAF_CHECK(told(json, wide, "application/json") == wide + " " + std::to_string(wide.size()));
}

CAF_TEST(a JSON array is taken apart one level deep) {
  headers json{{"content-type", "application/json"}};
  CAF_CHECK_EQUAL(told(json, R"( {"b": 1, "a": [2]} )", "application/json"), R"({"b": 1, "a": [2]} 18)");
  CAF_CHECK_EQUAL(told(json, R"([1, [2, 3], "x"])", "application/json"), R"(1[2, 3]"x" 1 6 3)");
  CAF_CHECK_EQUAL(told(json, "\xef\xbb\xbf [\"a,]\\\"[{\" ,\n{\"k\": \"}\"}]", "application/json"),
      R"("a,]\"[{"{"k": "}"} 9 10)");
  CAF_CHECK_EQUAL(told(json, std::string("1\0 garbage", 10), "application/json"), "400 body");
  CAF_CHECK_EQUAL(told(json, "\xef\xbb\xbf\xef\xbb\xbf" "1", "application/json"), "400 body");
  CAF_CHECK_EQUAL(told(json, "[]", "application/json"), "400 body");
  CAF_CHECK_EQUAL(told(json, "{", "application/json"), "400 body");
  CAF_CHECK_EQUAL(told(json, "1 2", "application/json"), "400 body");
}

CAF_TEST(the headers of a producer go together and count from zero to two to the 53) {
  CAF_CHECK_EQUAL(told(producer("p", "0", "0"), "a"), "a p/0/0");
  CAF_CHECK_EQUAL(told(producer("p", "9007199254740991", "1"), "a"), "a p/9007199254740991/1");
  CAF_CHECK_EQUAL(told(producer("p", "9007199254740992", "1"), "a"), "400 Producer-Id");
  for (auto wrong : {"", "-1", "+1", "1.0", " 1", "1x", "99999999999999999999"}) {
    CAF_CHECK_EQUAL(told(producer("p", wrong, "0"), "a"), "400 Producer-Id");
    CAF_CHECK_EQUAL(told(producer("p", "0", wrong), "a"), "400 Producer-Id");
  }
  CAF_CHECK_EQUAL(told(producer("", "0", "0"), "a"), "400 Producer-Id");
  CAF_CHECK_EQUAL(told(producer(std::string(257, 'p'), "0", "0"), "a"), "400 Producer-Id");
  CAF_CHECK_EQUAL(told(producer("gen/someone", "0", "0"), "a"), "400 Producer-Id");
}

CAF_TEST(a path is short and without empty segments and control characters) {
  for (auto good : {"a", "a/b", "with space", "ä/ö", "a.b-c_d~e@f:g"})
    CAF_CHECK(!judge_path(good, 512));
  for (auto bad : {"", "/", "/a", "a/", "a//b", "a\nb", "a\x7f", "__ds/x"})
    CAF_CHECK(judge_path(bad, 512).has_value());
  CAF_CHECK(!judge_path(std::string(512, 'x'), 512));
  CAF_CHECK(judge_path(std::string(513, 'x'), 512).has_value());
}

CAF_TEST(streams of generations belong to the server) {
  CAF_CHECK(is_of_generation("generations/id/audio"));
  CAF_CHECK(!is_of_generation("generations"));
  CAF_CHECK(!is_of_generation("mine/generations/id"));
}
