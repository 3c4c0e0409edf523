// The sound of a generation for players: one URL, before, during and after it is made.
#include "http/byte_range.hpp"
#include "http/generation_json.hpp"
#include "http/handlers/handlers.hpp"
#include "http/stream_reader.hpp"
#include "http/wire_format.hpp"

#include "actors/log.hpp"
#include "actors/sound.hpp"

namespace segue::http {

namespace {

constexpr uint64_t first_part_bytes = 128 << 10; ///< of one read: what a response holds in memory,
constexpr uint64_t most_part_bytes = 1 << 20;    ///< and the response of a client who, while nobody listens live,
constexpr std::chrono::milliseconds at_once{50}; ///< took the part before within so long

/// Sends [first, end) of a closed stream. Its beginning is read first: what cannot be played is refused, and not cut.
asio::awaitable<void> send_part(exchange& x, stream_reader& reader, response head, position first, position end) {
  auto whole = end - first;
  bool begun = x.is_head() || whole == 0;
  if (begun)
    co_await x.begin(std::move(head), whole);
  reader.join_records();
  auto part = first_part_bytes;
  while (first < end && !x.is_head()) {
    auto patience = begun ? x.where().read_patience : std::chrono::milliseconds{0}; // what has begun is not cut by a short break
    auto batch = co_await reader.read_patiently(first, std::min(part, end - first), 0, patience);
    if (!batch && !begun)
      co_return co_await x.send_error(batch.error());
    if (!begun) {
      begun = true;
      co_await x.begin(std::move(head), whole);
    }
    if (!batch) {
      log::warning("http", "response_cut", reader.row().path + ": " + to_string(code_of(batch.error())));
      co_return; // cut: the client sees that bytes are missing
    }
    std::vector<payload> bytes;
    for (const auto& record : batch->chunks) {
      bytes.push_back(record.bytes.first(static_cast<size_t>(end - first)));
      first += bytes.back().size();
    }
    auto before = std::chrono::steady_clock::now();
    co_await x.write(std::move(bytes));
    bool fast = std::chrono::steady_clock::now() - before < at_once;
    part = fast && !x.where().anybody_listens() ? std::min(2 * part, most_part_bytes) : first_part_bytes;
  }
  co_await x.finish();
}

/// Sends what exists in one burst, and then what comes, until the stream is closed.
asio::awaitable<void> send_growing(exchange& x, stream_reader& reader, response head, position from) {
  head.headers.emplace_back("Cache-Control", "no-store");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  co_await x.begin(std::move(head));
  if (x.is_head())
    co_return co_await x.finish();
  x.follow(reader, bytes_format(x.chunked()), from);
}

/// Content that does not change any more: ranges and conditions apply.
asio::awaitable<void> send_closed(exchange& x, stream_reader& reader, response head, position tail) {
  auto tag = "\"" + identity_of(reader.row()) + "-" + std::to_string(tail) + "\"";
  head.headers.emplace_back("ETag", tag);
  head.headers.emplace_back("Accept-Ranges", "bytes");
  head.headers.emplace_back("Cache-Control", "private, no-cache");
  if (x.has(tag)) {
    head.status = 304;
    co_return co_await x.send(std::move(head));
  }
  auto condition = x.header("if-range");
  bool whole = x.is_head() || (!condition.empty() && condition != tag);
  auto verdict = judge_range(whole ? std::string_view{} : x.header("range"), tail);
  auto total = "/" + std::to_string(tail);
  switch (verdict.what) {
    case range_verdict::kind::unsatisfiable: {
      header_list headers{{"Content-Range", "bytes *" + total}};
      auto why = refused(416, "bad_range", "The range is not in the file",
          "The file has " + std::to_string(tail) + " bytes; a range must begin before its end.");
      co_return co_await x.send_problem(std::move(why), std::move(headers));
    }
    case range_verdict::kind::part: {
      auto [first, last] = verdict.range;
      head.status = 206;
      head.headers.emplace_back(
          "Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + total);
      co_return co_await send_part(x, reader, std::move(head), first, last + 1);
    }
    default:
      co_return co_await send_part(x, reader, std::move(head), 0, tail);
  }
}

asio::awaitable<void> send_sound(exchange& x, bool download) {
  auto row = co_await find_row(x);
  if (!row)
    co_return;
  auto wanted = offset_of(x);
  if (!wanted)
    co_return co_await x.send_problem(bad_offset());
  stream_reader reader{x.asker(), x.where().registry};
  if (auto failed = co_await reader.open(x.services(), audio_path(row->request_id)))
    co_return co_await x.send_error(failed);
  auto now = co_await reader.inspect(*wanted);
  if (!now)
    co_return co_await x.send_error(now.error());
  auto first = resolve(*wanted, now->row.tail);
  if (!first)
    co_return co_await x.send_problem(bad_offset());
  response head{200, {{"Content-Type", "audio/mpeg"}}, {}};
  if (download)
    head.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + file_name(*row) + "\"");
  if (!now->row.closed)
    co_await send_growing(x, reader, std::move(head), *first);
  else if (x.query("offset"))
    co_await send_part(x, reader, std::move(head), *first, now->row.tail);
  else
    co_await send_closed(x, reader, std::move(head), now->row.tail);
}

} // namespace

asio::awaitable<void> get_audio(exchange& x) { return send_sound(x, false); }

asio::awaitable<void> get_download(exchange& x) { return send_sound(x, true); }

} // namespace segue::http
