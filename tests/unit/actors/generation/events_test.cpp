#define CAF_SUITE actors.generation.events

#include "actors/generation/events.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using json = nlohmann::json;
using state = generation_state;

generation_row some_row() {
  generation_row row;
  row.request_id = "01234567-89ab-4cde-8f01-23456789abcd";
  row.prompt = "slow jazz trio";
  row.seed = (uint64_t{1} << 53) - 1;
  row.generator = "synth";
  row.generator_version = "1.2";
  row.attempt = 3;
  row.audio_bytes = 16'000;
  row.expected_bytes = 64'000;
  return row;
}

/// The event as an object, without its time, which is checked here.
json parsed(const std::string& event) {
  auto x = json::parse(event);
  auto at = x.at("at").get<std::string>();
  CAF_CHECK_EQUAL(at.size(), 24u);
  CAF_CHECK(at.ends_with("Z"));
  CAF_CHECK_EQUAL(event.find('\n'), std::string::npos);
  x.erase("at");
  return x;
}

std::string as_text(const std::optional<events::ending>& x) {
  return x ? to_string(x->how) + ": " + x->reason : "none";
}

} // namespace

CAF_TEST(queued tells the request) {
  CAF_CHECK(parsed(events::queued(some_row())) == (json{{"type", "queued"}, {"request_id", some_row().request_id}}));
}

CAF_TEST(started tells attempt and seed and plan) {
  CAF_CHECK(parsed(events::started(some_row(), R"({"key":"D minor","tempo_bpm":80})", 3'840))
            == (json{{"type", "started"}, {"attempt", 3}, {"resumed_at_ms", 240}, {"seed", 9007199254740991},
                {"generator", "synth"}, {"version", "1.2"}, {"expected_bytes", 64'000},
                {"plan", {{"key", "D minor"}, {"tempo_bpm", 80}}}}));
}

CAF_TEST(a plan that is no JSON does not spoil the event) {
  for (const char* plan : {"", "no plan", "{\"key\":"}) {
    auto x = json::parse(events::started(some_row(), plan, 0), nullptr, false);
    CAF_CHECK(!x.is_discarded());
  }
}

CAF_TEST(progress tells how far the sound is durable) {
  CAF_CHECK(parsed(events::progress(some_row()))
            == (json{{"type", "progress"}, {"offset", "0000000000000000_0000000000003e80"}, {"bytes", 16'000},
                {"audio_ms", 1'000}, {"percent", 25}}));
}

CAF_TEST(a heartbeat tells the time of the sound) {
  CAF_CHECK(parsed(events::heartbeat(some_row())) == (json{{"type", "heartbeat"}, {"audio_ms", 1'000}}));
}

CAF_TEST(the end tells how and where and a failure why) {
  auto row = some_row();
  row.decided = state::completed;
  json expected{
      {"type", "completed"}, {"offset", "0000000000000000_0000000000003e80"}, {"bytes", 16'000}, {"audio_ms", 1'000}};
  CAF_CHECK(parsed(events::ended(row)) == expected);
  row.decided = state::cancelled;
  expected["type"] = "cancelled";
  CAF_CHECK(parsed(events::ended(row)) == expected);
  row.decided = state::failed;
  row.reason = "the generator \"broke\"\n";
  expected["type"] = "failed";
  expected["reason"] = row.reason;
  CAF_CHECK(parsed(events::ended(row)) == expected);
}

CAF_TEST(an end is read back as it was decided) {
  for (auto how : {state::completed, state::failed, state::cancelled}) {
    auto row = some_row();
    row.decided = how;
    row.reason = "why";
    auto read = events::read_ending(events::ended(row));
    CAF_CHECK_EQUAL(as_text(read), to_string(how) + ": " + (how == state::failed ? "why" : ""));
  }
}

CAF_TEST(a reason that is no UTF8 is repaired and readable) {
  auto row = some_row();
  row.decided = state::failed;
  row.reason = "bad \xff byte";
  CAF_CHECK_EQUAL(as_text(events::read_ending(events::ended(row))), "failed: bad \xef\xbf\xbd byte");
}

CAF_TEST(other events and other texts are no end) {
  auto row = some_row();
  for (const auto& text : {events::queued(row), events::started(row, "{}", 0), events::progress(row),
           events::heartbeat(row), std::string{}, std::string{"completed"}, std::string{"{"}, std::string{"[]"},
           std::string{"null"}, std::string{"\"completed\""}, std::string{"[{\"type\":\"completed\"}]"},
           std::string{"{}"}, std::string{"{\"type\":\"Completed\"}"}, std::string{"{\"type\":\"purging\"}"}})
    CAF_CHECK_EQUAL(as_text(events::read_ending(text)), "none");
}

CAF_TEST(a text whose type or reason is no string is read without an exception) {
  auto read = [](const char* text) -> std::string {
    try {
      return as_text(events::read_ending(text));
    } catch (const std::exception& e) {
      return e.what();
    }
  };
  CAF_CHECK_EQUAL(read(R"({"type":5})"), "none");
  CAF_CHECK_EQUAL(read(R"({"type":null})"), "none");
  CAF_CHECK_EQUAL(read(R"({"type":["completed"]})"), "none");
  CAF_CHECK_NOT_EQUAL(read(R"({"type":"failed","reason":7})").find("failed"), std::string::npos);
}
