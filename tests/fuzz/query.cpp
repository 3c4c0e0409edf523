// What stands in a request's target, and texts that clients send back as they got them.
#include "http/create_request.hpp"
#include "http/stream_cursor.hpp"
#include "http/url.hpp"
#include "tests/fuzz/harness.hpp"

#include <algorithm>

using namespace segue;
using namespace segue::fuzz;
using namespace segue::http;

namespace {

bool is_alphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Percent-encodes everything but letters, digits and `also`.
std::string encoded(std::string_view text, char also = 'a') {
  std::string out;
  for (unsigned char c : text) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", c);
    out += is_alphanumeric(c) || c == static_cast<unsigned char>(also) ? std::string(1, static_cast<char>(c)) : code;
  }
  return out;
}

std::string written(const url& x) {
  std::string target;
  for (const auto& segment : x.segments)
    target += "/" + encoded(segment);
  if (target.empty())
    target = "/";
  if (target == "/" && !x.segments.empty())
    target = "/./"; // how RFC 3986 writes one empty segment
  for (size_t i = 0; i < x.query.size(); ++i)
    target += (i == 0 ? "?" : "&") + encoded(x.query[i].first) + "=" + encoded(x.query[i].second);
  return target;
}

void check_url(std::string_view text) {
  auto x = parse_url(text);
  if (!x)
    return;
  auto behind_host = text.starts_with('/') ? 0 : std::min(text.find_first_of("/?", text.find("//") + 2), text.size());
  auto path = text.substr(behind_host);
  insist(x->path == path.substr(0, path.find('?')), "the path is kept as it was sent");
  insist(x->host.empty() || text.find("//" + x->host) < behind_host, "a host is named before the path");
  auto again = parse_url(written(*x));
  insist(again.has_value(), "a target written from its decoded parts is valid");
  insist(again->segments == x->segments, "segments come back when they are encoded again");
  insist(again->query == x->query, "parameters come back when they are encoded again");
  for (const auto& parameter : x->query) {
    const auto& name = parameter.first;
    auto first = std::find_if(x->query.begin(), x->query.end(), [&](const auto& one) { return one.first == name; });
    insist(x->count(name) > 0 && x->find(name) == first->second, "of several values the first one is found");
  }
  insist(x->find(text).has_value() == (x->count(text) > 0), "what is counted is found");
}

void check_path(std::string_view text) {
  constexpr size_t most = 512;
  auto address_of = [](std::string_view path) { return "/v1/stream/" + encoded(path, '/'); };
  if (!judge_path(text, most)) {
    insist(path_in(address_of(text)) == text, "the path of a stream comes back from its address");
    insist(path_in("http://127.0.0.1:4437" + address_of(text)) == text, "and from its URL");
  }
  if (auto path = path_in(text))
    insist(path_in(address_of(*path)) == path, "a path that was read comes back from its address");
}

void check_offset(std::string_view text, position a, position b) {
  if (auto x = parse_offset(text)) {
    using kind = offset_query::kind;
    auto expected = x->from == kind::start ? "-1" : x->from == kind::now ? "now" : format_offset(x->at);
    insist(text == expected, "an offset is written in one way only");
  }
  auto back = parse_offset(format_offset(a));
  insist(back && back->from == offset_query::kind::at && back->at == a, "an offset that was written can be read");
  insist((format_offset(a) < format_offset(b)) == (a < b), "offsets sort as strings the way positions sort as numbers");
}

void check_time(std::string_view text, uint64_t number) {
  constexpr uint64_t year_10000 = 253'402'300'800'000;
  auto ms = static_cast<int64_t>(number % year_10000);
  insist(parse_time(format_time(ms)) == ms, "a time that was written is read as the same");
  auto read = parse_time(text);
  if (read && *read >= 0 && static_cast<uint64_t>(*read) < year_10000)
    insist(parse_time(format_time(*read)) == *read, "a time that was read is the same when it is written");
}

void check_cursor(const std::string& shown, uint64_t number, uint64_t dice) {
  constexpr int64_t epoch_ms = 1'728'432'000'000;
  constexpr uint64_t most = (uint64_t{1} << 53) - 1; // what JavaScript can count to
  constexpr uint64_t most_jitter = 180;
  uint64_t current = number % (uint64_t{1} << 32);
  uint64_t next = 0;
  uint64_t known = 0;
  insist(read_decimal(next_cursor(shown, epoch_ms + static_cast<int64_t>(current) * 20'000, dice), next),
      "a cursor is a number");
  insist(next >= current, "whatever was shown, no cursor lies in the past");
  if (read_decimal(shown, known) && known <= most) {
    insist(next > known, "a cursor is greater than the one that was shown");
    insist(next <= std::max(current, known + most_jitter), "and by an hour at most");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  check_path(text);
  check_offset(text, number_in(text, 0), number_in(text, 1));
  check_time(text, number_in(text, 0));
  check_cursor(text, number_in(text, 0), number_in(text, 1));
  return 0;
}
