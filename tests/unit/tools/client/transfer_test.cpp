#define CAF_SUITE tools.client.transfer

#include "tools/client/transfer.hpp"

#include "tests/support/test.hpp"

using namespace segue::client;

namespace {

constexpr std::time_t noon = 1'767'268'800; // 2026-01-01T12:00:00Z

nlohmann::json answered() {
  return {{"id", 17}, {"kind", "upload"}, {"state", "dead"}, {"path", "generations/x/audio"}, {"attempts", 8},
      {"error", "unavailable: no route"}, {"due", "2026-01-01T11:00:00.000Z"}, {"holder", nullptr}, {"bytes_done", 1},
      {"bytes_total", 3}, {"created", "2026-01-01T10:00:00.000Z"}, {"changed", "2026-01-01T11:00:00.000Z"}};
}

transfer a_transfer() { return *parse_transfer(answered()); }

} // namespace

CAF_TEST(what the server answers is read) {
  auto x = a_transfer();
  CAF_CHECK_EQUAL(x.id, 17u);
  CAF_CHECK_EQUAL(x.kind, "upload");
  CAF_CHECK_EQUAL(x.state, "dead");
  CAF_CHECK_EQUAL(x.path, "generations/x/audio");
  CAF_CHECK_EQUAL(x.attempts, 8u);
  CAF_CHECK_EQUAL(x.error, "unavailable: no route");
  CAF_CHECK_EQUAL(x.changed, "2026-01-01T11:00:00.000Z");
  CAF_CHECK_EQUAL(x.bytes_done, 1u);
  CAF_CHECK_EQUAL(x.bytes_total, 3u);
}

CAF_TEST(what there is not may be null or missing) {
  auto object = answered();
  object["error"] = nullptr;
  object["due"] = nullptr;
  object.erase("changed");
  auto x = parse_transfer(object);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->error + x->due + x->changed, "");
}

CAF_TEST(anything else is no transfer) {
  for (const auto* name : {"id", "kind", "state", "path"}) {
    auto object = answered();
    object[name] = nullptr;
    CAF_CHECK(!parse_transfer(object));
  }
  CAF_CHECK(!parse_transfer(nullptr));
  CAF_CHECK(!parse_transfer("a transfer"));
  CAF_CHECK(!parse_transfer(nlohmann::json::array()));
}

CAF_TEST(one that waits tells when it goes on and others when they changed) {
  auto x = a_transfer();
  CAF_CHECK_EQUAL(when_text(x, noon), "1 h ago");
  x.state = "waiting";
  CAF_CHECK_EQUAL(when_text(x, noon), "now");
  x.due = "2026-01-01T12:00:45.999Z";
  CAF_CHECK_EQUAL(when_text(x, noon), "in 45 s");
  x.due = "2026-01-02T11:00:00.000Z";
  CAF_CHECK_EQUAL(when_text(x, noon), "in 23 h");
  x.due.clear();
  CAF_CHECK_EQUAL(when_text(x, noon), "-");
}

CAF_TEST(it is whole only when it is) {
  auto x = a_transfer();
  CAF_CHECK_EQUAL(percent_text(x), "33 %");
  x.bytes_total = 1'000'000'000'000;
  x.bytes_done = x.bytes_total - 1;
  CAF_CHECK_EQUAL(percent_text(x), "99 %");
  x.bytes_done = x.bytes_total;
  CAF_CHECK_EQUAL(percent_text(x), "100 %");
  x.kind = "evict";
  CAF_CHECK_EQUAL(percent_text(x), "-");
  x.kind = "download";
  x.bytes_done = x.bytes_total = 0;
  CAF_CHECK_EQUAL(percent_text(x), "-");
}

CAF_TEST(a table for a program has everything) {
  auto other = a_transfer();
  other.id = 4;
  other.kind = "download";
  other.state = "waiting";
  other.attempts = 0;
  other.error.clear();
  auto lines = table_of({other, a_transfer()}, 0, noon);
  std::vector<std::string> expected{
      "ID  KIND      STATE    ATTEMPTS  WHEN     DONE  PATH                 ERROR",
      " 4  download  waiting         0  now      33 %  generations/x/audio",
      "17  upload    dead            8  1 h ago  33 %  generations/x/audio  unavailable: no route",
  };
  CAF_CHECK_EQUAL(lines, expected);
}

CAF_TEST(on a terminal path and error share what is left) {
  auto last = [](unsigned columns) { return table_of({a_transfer()}, columns, noon).back(); };
  CAF_CHECK_EQUAL(last(200), "17  upload  dead          8  1 h ago  33 %  generations/x/audio  unavailable: no route");
  CAF_CHECK_EQUAL(last(80), "17  upload  dead          8  1 h ago  33 %  generations/x/au…  unavailable: no …");
  CAF_CHECK_EQUAL(last(20), "17  upload  dead          8  1 h ago  33 %");
}

CAF_TEST(the error takes what a short path leaves) {
  auto x = a_transfer();
  x.path = "a";
  auto line = table_of({x}, 70, noon).back();
  CAF_CHECK_EQUAL(line, "17  upload  dead          8  1 h ago  33 %  a     unavailable: no rou…");
}

CAF_TEST(nothing in a table does anything to a terminal) {
  auto x = a_transfer();
  x.path = "a\nb";
  x.error = "\x1b[2J\xff";
  auto line = table_of({x}, 0, noon).back();
  CAF_CHECK_EQUAL(line, "17  upload  dead          8  1 h ago  33 %  a b   ?[2J?");
}
