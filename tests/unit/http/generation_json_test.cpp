#define CAF_SUITE http.generation_json

#include "http/generation_json.hpp"

#include <nlohmann/json.hpp>

#include <vector>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

using json = nlohmann::json;

/// The field to blame, `(body)` for the body as a whole, or `ok`.
std::string blamed(const std::string& body) {
  auto read = read_wish(body);
  auto* why = std::get_if<problem>(&read);
  if (!why)
    return "ok";
  CAF_CHECK_EQUAL(why->status, 400u);
  CAF_CHECK_EQUAL(why->code, "invalid_argument");
  CAF_CHECK(!why->detail.empty());
  return why->field.empty() ? "(body)" : why->field;
}

/// A wish with one more member, given as JSON text.
std::string blamed(const std::string& name, const std::string& value) {
  return blamed("{\"prompt\":\"jazz\",\"" + name + "\":" + value + "}");
}

std::string blamed_prompt(const std::string& prompt) { return blamed(json{{"prompt", prompt}}.dump()); }

start_generation wished(const std::string& body) {
  auto read = read_wish(body);
  CAF_REQUIRE(std::holds_alternative<start_generation>(read));
  return std::get<start_generation>(read);
}

std::string times(size_t count, const std::string& text) {
  std::string result;
  while (count-- > 0)
    result += text;
  return result;
}

} // namespace

CAF_TEST(a prompt is all a wish needs) {
  auto x = wished(R"({"prompt":"slow jazz trio"})");
  CAF_CHECK_EQUAL(x.prompt, "slow jazz trio");
  CAF_CHECK_EQUAL(x.user_id, "anonymous");
  CAF_CHECK_EQUAL(x.duration_s, 60.0);
  CAF_CHECK(!x.realtime);
  CAF_CHECK(x.seed < uint64_t{1} << 53);
}

CAF_TEST(a zero byte does not end what is read) {
  using namespace std::string_literals;
  CAF_CHECK_EQUAL(blamed(R"({"prompt":"a"})" + "\0garbage"s), "(body)");
  CAF_CHECK_EQUAL(blamed(R"({"prompt":"a"})" + "\0"s), "(body)");
}

CAF_TEST(a seed that is not given is random) {
  CAF_CHECK_NOT_EQUAL(wished(R"({"prompt":"a"})").seed, wished(R"({"prompt":"a"})").seed);
}

CAF_TEST(a whole wish is read as it is) {
  auto x = wished(
      R"( {"pace":"realtime","seed":9007199254740991,"duration_s":5.5,"user_id":"a.B_3@-","prompt":"x\ny\tz"} )");
  CAF_CHECK_EQUAL(x.prompt, "x\ny\tz");
  CAF_CHECK_EQUAL(x.user_id, "a.B_3@-");
  CAF_CHECK_EQUAL(x.duration_s, 5.5);
  CAF_CHECK_EQUAL(x.seed, 9007199254740991u);
  CAF_CHECK(x.realtime);
}

CAF_TEST(sound may be pushed and then lasts as long as its producer wants) {
  auto x = wished(R"({"prompt":"a","generator":"push"})");
  CAF_CHECK(x.pushed);
  CAF_CHECK_EQUAL(x.duration_s, 0);
  CAF_CHECK_EQUAL(wished(R"({"prompt":"a","generator":"push","duration_s":30})").duration_s, 30);
  CAF_CHECK(!wished(R"({"prompt":"a"})").pushed);
  for (const char* other : {"\"synth\"", "\"\"", "null", "true"})
    CAF_CHECK_EQUAL(blamed("generator", other), "generator");
  CAF_CHECK_EQUAL(blamed(R"({"prompt":"a","generator":"push","pace":"realtime"})"), "pace");
}

CAF_TEST(who pushes the sound is nobody elses business) {
  generation_row row;
  row.producer = "a secret";
  CAF_CHECK_EQUAL(to_json(row).dump().find("a secret"), std::string::npos);
}

CAF_TEST(a body that is no JSON object is refused) {
  for (const char* body : {"", " ", "jazz", "{", "{}}", "[]", "[1]", "\"jazz\"", "5", "null", "true", "{\"prompt\":}",
           "{\"prompt\":\"a\",}", "{'prompt':'a'}", "{\"prompt\":\"a\"} x", "{\"prompt\":\"\xff\"}",
           "{\"prompt\":\"\xed\xa0\x80\"}", "{\"prompt\":\"\\ud800\"}", "{\"prompt\":\"a\n\"}",
           "/* */{\"prompt\":\"a\"}", "{\"prompt\":\"a\",\"duration_s\":1e999}"}) {
    CAF_MESSAGE(body);
    CAF_CHECK_EQUAL(blamed(body), "(body)");
  }
}

CAF_TEST(deep nesting is refused and costs no stack) {
  CAF_CHECK_EQUAL(blamed(times(500'000, "[")), "(body)");
  CAF_CHECK_EQUAL(blamed("{\"prompt\":" + times(500'000, "{\"a\":") + "1"), "(body)");
  CAF_CHECK_EQUAL(blamed("{\"prompt\":" + times(100'000, "[") + times(100'000, "]") + "}"), "(body)");
}

CAF_TEST(prompts are accepted by their length in characters) {
  CAF_CHECK_EQUAL(blamed_prompt("a"), "ok");
  CAF_CHECK_EQUAL(blamed_prompt(std::string(2'000, 'a')), "ok");
  CAF_CHECK_EQUAL(blamed_prompt(std::string(2'001, 'a')), "prompt");
  CAF_CHECK_EQUAL(blamed_prompt(times(2'000, "\xf0\x9f\x8e\xb7")), "ok"); // a saxophone: four bytes
  CAF_CHECK_EQUAL(blamed_prompt(times(2'001, "\xf0\x9f\x8e\xb7")), "prompt");
  CAF_CHECK_EQUAL(blamed_prompt("  " + std::string(2'000, 'a') + "\n"), "ok");
  for (const char* empty : {"", " ", " \n\t "})
    CAF_CHECK_EQUAL(blamed_prompt(empty), "prompt");
}

CAF_TEST(a prompt loses the space around it) {
  CAF_CHECK_EQUAL(wished(R"({"prompt":" \n\tslow  jazz\n"})").prompt, "slow  jazz");
}

CAF_TEST(a prompt holds no control characters) {
  for (const char* text : {"a\x01z", "a\rz", "a\x1bz", "a\x1fz", "a\x7fz", "a\xc2\x80z", "a\xc2\x9fz"})
    CAF_CHECK_EQUAL(blamed_prompt(text), "prompt");
  CAF_CHECK_EQUAL(blamed_prompt(std::string("a\0z", 3)), "prompt");
  for (const char* text :
      {"a\nz", "a\tz", "a\xc2\xa0z", "caf\xc3\xa9", "\xe7\x88\xb5\xe5\xa3\xab", "<script>", "'\"\\"})
    CAF_CHECK_EQUAL(blamed_prompt(text), "ok");
}

CAF_TEST(a prompt must be there and be a string) {
  CAF_CHECK_EQUAL(blamed("{}"), "prompt");
  CAF_CHECK_EQUAL(blamed(R"({"Prompt":"a"})"), "prompt");
  for (const char* value : {"null", "1", "true", "[\"a\"]", "{}"})
    CAF_CHECK_EQUAL(blamed("{\"prompt\":" + std::string{value} + "}"), "prompt");
}

CAF_TEST(users have short plain names) {
  for (const std::string& user : {std::string{"a"}, std::string{"Z.z_0@x-"}, std::string(64, 'u')}) {
    CAF_CHECK(is_user_id(user));
    CAF_CHECK_EQUAL(blamed("user_id", json(user).dump()), "ok");
  }
  for (const std::string& user :
      {std::string{}, std::string(65, 'u'), std::string{"a b"}, std::string{"a/b"}, std::string{"a+b"},
          std::string{"\xc3\xa9"}, std::string("a\0", 2), std::string{"a\n"}, std::string{"%41"}}) {
    CAF_CHECK(!is_user_id(user));
    CAF_CHECK_EQUAL(blamed("user_id", json(user).dump()), "user_id");
  }
  for (const char* value : {"null", "7", "[]", "{}", "false"})
    CAF_CHECK_EQUAL(blamed("user_id", value), "user_id");
}

CAF_TEST(a duration is a number from 5 to 600) {
  for (const char* value : {"5", "5.0", "600", "59.999", "6e1"})
    CAF_CHECK_EQUAL(blamed("duration_s", value), "ok");
  for (const char* value : {"4.999", "600.001", "0", "-60", "1e300", "\"60\"", "null", "true", "[60]", "{}"})
    CAF_CHECK_EQUAL(blamed("duration_s", value), "duration_s");
}

CAF_TEST(a seed is an integer below two to the power of 53) {
  for (const char* value : {"0", "1", "9007199254740991", "7.0", "1e3"})
    CAF_CHECK_EQUAL(blamed("seed", value), "ok");
  CAF_CHECK_EQUAL(wished(R"({"prompt":"a","seed":1e3})").seed, 1'000u);
  for (const char* value :
      {"-1", "9007199254740992", "18446744073709551616", "1.5", "1e300", "\"1\"", "null", "true", "[]"})
    CAF_CHECK_EQUAL(blamed("seed", value), "seed");
}

CAF_TEST(a pace is fast or realtime) {
  CAF_CHECK(!wished(R"({"prompt":"a","pace":"fast"})").realtime);
  for (const char* value : {"\"slow\"", "\"Fast\"", "\"\"", "1", "null", "true", "[\"fast\"]"})
    CAF_CHECK_EQUAL(blamed("pace", value), "pace");
}

CAF_TEST(an unknown field is named and the known ones are told) {
  CAF_CHECK_EQUAL(blamed("tempo", "80"), "tempo");
  auto read = read_wish(R"({"prompt":"a","tempo":80})");
  const auto& detail = std::get<problem>(read).detail;
  for (const char* known : {"prompt", "user_id", "duration_s", "seed", "pace"})
    CAF_CHECK(detail.find(known) != std::string::npos);
}

CAF_TEST(a generation is shown with everything about it) {
  generation_row row;
  row.request_id = "id";
  row.user_id = "u";
  row.prompt = "jazz";
  row.state = generation_state::running;
  row.duration_s = 60;
  row.seed = 9007199254740991;
  row.generator = "synth";
  row.attempt = 2;
  row.created_at_ms = 1'000;
  row.audio_bytes = 16'000;
  row.expected_bytes = 64'000;
  json x = to_json(row);
  json expected{{"request_id", "id"}, {"user_id", "u"}, {"prompt", "jazz"}, {"state", "running"}, {"duration_s", 60},
      {"seed", 9007199254740991}, {"pace", "fast"}, {"generator", "synth"}, {"attempt", 2},
      {"created_at", "1970-01-01T00:00:01.000Z"}, {"audio_ms", 1'000}, {"audio_bytes", 16'000}, {"percent", 25}};
  auto urls = x["urls"];
  x.erase("urls");
  CAF_MESSAGE(x.dump());
  CAF_CHECK(x == expected);
  CAF_CHECK_EQUAL(urls["self"].get<std::string>(), "/v1/generations/id");
  CAF_CHECK_EQUAL(urls["download"].get<std::string>(), "/v1/generations/id/download");
  CAF_CHECK_EQUAL(urls["audio_stream"].get<std::string>(), "/v1/stream/generations/id/audio");
  CAF_CHECK_EQUAL(urls["events_stream"].get<std::string>(), "/v1/stream/generations/id/events");
  row.realtime = true;
  row.state = generation_state::failed;
  row.reason = "broke";
  row.started_at_ms = 2'000;
  row.ended_at_ms = 3'000;
  x = to_json(row);
  CAF_CHECK_EQUAL(x["pace"].get<std::string>(), "realtime");
  CAF_CHECK_EQUAL(x["reason"].get<std::string>(), "broke");
  CAF_CHECK_EQUAL(x["started_at"].get<std::string>(), "1970-01-01T00:00:02.000Z");
  CAF_CHECK_EQUAL(x["ended_at"].get<std::string>(), "1970-01-01T00:00:03.000Z");
}

CAF_TEST(a file is named after the letters and digits of its prompt) {
  auto named = [](const std::string& prompt) {
    generation_row row;
    row.prompt = prompt;
    return file_name(row);
  };
  CAF_CHECK_EQUAL(named("Slow jazz trio, D minor!"), "slow-jazz-trio-d-minor.mp3");
  CAF_CHECK_EQUAL(named("  ...80 BPM... "), "80-bpm.mp3");
  CAF_CHECK_EQUAL(named("caf\xc3\xa9 noir"), "caf-noir.mp3");
  CAF_CHECK_EQUAL(named("../../etc/passwd"), "etc-passwd.mp3");
  CAF_CHECK_EQUAL(named("a\"\r\nb"), "a-b.mp3");
  for (const char* nothing : {"", "!?", "\xe7\x88\xb5\xe5\xa3\xab"})
    CAF_CHECK_EQUAL(named(nothing), "segue.mp3");
  CAF_CHECK_EQUAL(named(std::string(500, 'x')), std::string(120, 'x') + ".mp3");
  CAF_CHECK_EQUAL(named(std::string(119, 'x') + " y"), std::string(119, 'x') + ".mp3");
}
