// What clients say in headers. The input is a request as one writes it down: `name: value` lines, an empty line, a body.
// `type` is the stream's, `length` that of the content a `range` is taken from.
#include "http/byte_range.hpp"
#include "http/create_request.hpp"
#include "http/wire_format.hpp"
#include "tests/fuzz/harness.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <numeric>

using namespace segue;
using namespace segue::fuzz;
using namespace segue::http;

namespace {

constexpr uint64_t most = (uint64_t{1} << 53) - 1; ///< what JavaScript can count to

using headers = std::map<std::string, std::string, std::less<>>;

header_lookup look_up(const headers& given) {
  return [&given](std::string_view name) {
    auto at = given.find(name);
    return at == given.end() ? std::string_view{} : std::string_view{at->second};
  };
}

std::string trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  return first == text.npos ? "" : std::string{text.substr(first, text.find_last_not_of(" \t") + 1 - first)};
}

headers read_headers(std::string_view& rest) {
  headers given;
  while (!rest.empty()) {
    auto value = cut(rest, '\n');
    if (value.empty())
      break;
    auto name = cut(value, ':');
    given.emplace(name, trimmed(value));
  }
  return given;
}

void check_problem(const problem& x) {
  insist(x.status == 400 && !x.field.empty() && !x.detail.empty(), "a refusal says what is wrong");
  insist(nlohmann::json::accept(to_json(x)), "a refusal can be sent");
}

void check_append(const headers& given, std::string_view body, const std::string& type) {
  auto result = read_append(look_up(given), std::string{body}, type);
  if (auto* wrong = std::get_if<problem>(&result))
    return check_problem(*wrong);
  const auto& x = std::get<append_chunk>(result);
  const auto& by = x.producer;
  bool said = given.contains("producer-id");
  insist(!x.bytes.empty() || x.close, "an append without bytes closes");
  insist(x.stream_seq.size() <= 256, "a Stream-Seq is short");
  insist(by.id.size() <= 256 && by.epoch <= most && by.seq <= most, "a producer counts to 2^53-1");
  insist(!by.id.starts_with("gen/"), "nobody passes for a generation");
  insist(!by.id.empty() ? by.id == given.at("producer-id") : !said || given.at("producer-id").empty(),
      "a producer that is named is not forgotten");
  insist(x.content_type == content_type_of(x.content_type), "a content type is kept in one form only");
  auto total = std::accumulate(x.lengths.begin(), x.lengths.end(), uint64_t{0});
  if (is_json(type) && x.content_type == type)
    insist(total == x.bytes.size(), "the messages are the bytes");
  else
    insist(x.lengths.empty() && x.bytes.view() == body, "bytes are taken as they are");
}

void check_expiry(const creation& x) {
  stream_row row;
  row.ttl_s = x.wish.ttl_s;
  row.expires_at_ms = x.wish.expires_at_ms;
  header_list told;
  add_expiry(told, row);
  headers again;
  for (auto [name, value] : told) {
    for (auto& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    again.emplace(name, value);
  }
  auto result = read_creation(look_up(again), "a");
  auto* same = std::get_if<creation>(&result);
  insist(same, "the expiry that the server tells can be sent back");
  insist(same->expires == x.expires, "a stream that was told to expire does, and only then");
  insist(same->wish.ttl_s == x.wish.ttl_s && same->wish.expires_at_ms == x.wish.expires_at_ms,
      "the expiry that the server tells is the one that was wished");
}

void check_creation(const headers& given) {
  auto result = read_creation(look_up(given), "a/b");
  if (auto* wrong = std::get_if<problem>(&result))
    return check_problem(*wrong);
  const auto& x = std::get<creation>(result);
  insist(x.wish.path == "a/b" && x.wish.ttl_s >= -1, "what was not said keeps its default");
  insist(x.wish.ttl_s < 0 || x.wish.expires_at_ms == 0, "one expiry at most");
  insist(x.is_fork() == given.contains("stream-forked-from"), "a fork is never taken for an ordinary stream");
  insist(x.is_fork() || (!x.fork_offset && x.fork_sub_offset == 0), "only forks begin somewhere");
  insist(x.fork_sub_offset <= most, "a fork counts to 2^53-1");
  insist(x.is_fork() || !x.wish.content_type.empty(), "a stream has a type");
  if (x.fork_offset)
    insist(format_offset(*x.fork_offset) == given.at("stream-fork-offset"), "a fork begins where it was told");
  check_expiry(x);
}

void check_range(std::string_view header, uint64_t length) {
  auto verdict = judge_range(header, length);
  if (verdict.what != range_verdict::kind::part)
    return;
  const auto& part = verdict.range;
  insist(part.first <= part.last && part.last < length, "a range lies within the content");
  insist(part.size() >= 1 && part.size() <= length, "a range is no longer than the content");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size); // a copy, so that reading behind its end is noticed
  std::string_view body{text};
  auto given = read_headers(body);
  auto type = content_type_of(given["type"]);
  uint64_t length = 0;
  read_decimal(given["length"], length);
  given.erase("type");
  given.erase("length");
  check_append(given, body, type);
  check_creation(given);
  auto range = given.find("range");
  for (auto size_of_content : {length, uint64_t{0}, uint64_t{1}, UINT64_MAX})
    check_range(range == given.end() ? "" : range->second, size_of_content);
  return 0;
}
