#include "http/create_request.hpp"

#include "http/number.hpp"
#include "http/url.hpp"

namespace segue::http {

namespace {

constexpr int64_t last_ms = 253'402'300'799'999; ///< the end of the year 9999
constexpr std::string_view prefix = "/v1/stream/";

/// A whole number as one writes it: no sign, no leading zeros.
std::optional<uint64_t> read_number(std::string_view text) {
  bool padded = text.size() > 1 && text.front() == '0';
  return padded ? std::nullopt : whole_number(text, most_exact);
}

std::optional<problem> read_expiry(creation& into, const header_lookup& header) {
  auto ttl = header("stream-ttl");
  auto at = header("stream-expires-at");
  bool lives = ttl.data() != nullptr; // an empty one as well
  bool ends = at.data() != nullptr;
  if (lives && ends)
    return bad_field("Stream-TTL", "Stream-TTL and Stream-Expires-At exclude each other.");
  into.expires = lives || ends;
  if (lives) {
    auto seconds = read_number(ttl);
    if (!seconds)
      return bad_field("Stream-TTL", "Stream-TTL must be a whole number of seconds from 0 to 2^53-1, without leading zeros, e.g. 3600.");
    into.wish.ttl_s = static_cast<int64_t>(*seconds);
  }
  if (ends) {
    auto when = parse_time(at);
    if (!when || *when <= 0 || *when > last_ms)
      return bad_field("Stream-Expires-At", "Stream-Expires-At must be a time as in RFC 3339 between 1970 and 9999, e.g. 2027-01-31T12:00:00Z.");
    into.wish.expires_at_ms = *when;
  }
  return std::nullopt;
}

std::optional<problem> read_fork(creation& into, const header_lookup& header) {
  auto from = header("stream-forked-from");
  auto offset = header("stream-fork-offset");
  auto sub_offset = header("stream-fork-sub-offset");
  if (from.data() == nullptr) {
    if (offset.data() != nullptr || sub_offset.data() != nullptr)
      return bad_field("Stream-Forked-From", "Where a fork begins is only said together with Stream-Forked-From.");
    return std::nullopt;
  }
  auto path = path_in(from);
  if (!path)
    return bad_field("Stream-Forked-From", "Stream-Forked-From must be the path of a stream, e.g. /v1/stream/a/b.");
  into.wish.forked_from = std::move(*path);
  if (offset.data() != nullptr) {
    auto at = parse_offset(offset);
    if (!at || at->from != offset_query::kind::at)
      return bad_field("Stream-Fork-Offset", "Stream-Fork-Offset must be an offset this server gave.");
    into.fork_offset = at->at;
  }
  if (sub_offset.data() != nullptr) {
    auto count = read_number(sub_offset);
    if (!count)
      return bad_field("Stream-Fork-Sub-Offset",
          "Stream-Fork-Sub-Offset must be a whole number of bytes, or of messages, from 0 to 2^53-1, without leading zeros.");
    into.fork_sub_offset = *count;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> path_in(std::string_view url) {
  if (auto scheme = url.find("://"); scheme != url.npos)
    url.remove_prefix(std::min(url.find('/', scheme + 3), url.size()));
  if (!url.starts_with(prefix))
    return std::nullopt;
  auto parsed = parse_url(url);
  if (!parsed || parsed->segments.size() < 3)
    return std::nullopt;
  std::string path;
  for (size_t i = 2; i < parsed->segments.size(); ++i)
    path += (i == 2 ? "" : "/") + parsed->segments[i];
  return path.empty() ? std::nullopt : std::optional{path};
}

std::variant<creation, problem> read_creation(const header_lookup& header, std::string path) {
  creation x;
  x.wish.path = std::move(path);
  x.wish.close = header("stream-closed") == "true";
  if (auto wrong = read_expiry(x, header))
    return *wrong;
  if (auto wrong = read_fork(x, header))
    return *wrong;
  x.wish.content_type = content_type_of(header("content-type"));
  if (x.wish.content_type.empty() && !x.is_fork())
    x.wish.content_type = "application/octet-stream";
  return x;
}

void add_expiry(header_list& into, const stream_row& row) {
  if (row.ttl_s >= 0)
    into.emplace_back("Stream-TTL", std::to_string(row.ttl_s));
  if (row.expires_at_ms != 0)
    into.emplace_back("Stream-Expires-At", format_time(row.expires_at_ms));
}

} // namespace segue::http
