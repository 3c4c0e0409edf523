// The log itself: catch-up reads, and server-sent events.
#include "actors/sound.hpp"
#include "http/generation_json.hpp"
#include "http/handlers/handlers.hpp"
#include "http/stream_reader.hpp"

#include <nlohmann/json.hpp>

namespace segue::http {

namespace {

constexpr uint64_t catch_up_bytes = 1 << 20;
constexpr uint32_t keep_alive_ms = 15'000;

bool is_json(const stream_row& row) { return row.content_type == "application/json"; }

/// The body of a read: bytes as they are, or JSON messages as an array. Nothing is copied.
std::vector<payload> body_of(const stream_row& row, const chunk_batch& batch) {
  static const payload open{"["};
  static const payload comma{","};
  static const payload close{"]"};
  std::vector<payload> body;
  if (!is_json(row)) {
    for (const auto& record : batch.chunks)
      body.push_back(record.bytes);
    return body;
  }
  body.push_back(open);
  for (const auto& record : batch.chunks) {
    size_t at = 0;
    for (auto length : record.lengths) {
      if (body.size() > 1)
        body.push_back(comma);
      body.push_back(record.bytes.from(at).first(length));
      at += length;
    }
  }
  body.push_back(close);
  return body;
}

asio::awaitable<void> catch_up(exchange& x, stream_reader& reader, position from, bool at_tail) {
  auto batch = co_await reader.read(from, catch_up_bytes, 0);
  if (!batch)
    co_return co_await x.send_error(batch.error());
  if (at_tail)
    *batch = chunk_batch{{}, from, from, batch->closed && batch->tail == from}; // what came since is for the next read
  bool at_end = batch->up_to_date();
  auto tag = "\"" + std::to_string(reader.row().id) + ":" + std::to_string(from) + ":" + std::to_string(batch->next)
      + (at_end && batch->closed ? ":c\"" : "\"");
  response out{200, {{"Content-Type", reader.row().content_type}, {"Stream-Next-Offset", format_offset(batch->next)},
      {"ETag", tag}, {"Cache-Control", "no-cache"}}, {}};
  if (at_end)
    out.headers.emplace_back("Stream-Up-To-Date", "true");
  if (at_end && batch->closed)
    out.headers.emplace_back("Stream-Closed", "true");
  if (x.header("if-none-match").find(tag) != std::string_view::npos)
    out.status = 304;
  else
    out.body = body_of(reader.row(), *batch);
  co_await x.send(std::move(out));
}

/// `event: data` with an array of messages, and behind every one `event: control`, until the stream is closed.
asio::awaitable<void> server_sent_events(exchange& x, stream_reader& reader, position after) {
  static const payload data{"event: data\ndata: "};
  static const payload keep_alive{": keep-alive\n\n"};
  response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}, {}};
  co_await x.begin(std::move(head));
  for (bool first = true; !x.is_head(); first = false) {
    auto batch = co_await reader.read(after, catch_up_bytes, first ? 0 : keep_alive_ms);
    if (!batch)
      co_return;
    after = batch->next;
    bool over = batch->closed && batch->up_to_date();
    std::vector<payload> out;
    if (!batch->chunks.empty()) {
      out = body_of(reader.row(), *batch); // events are one line each, for JSON writers put no newlines
      out.insert(out.begin(), data);
    }
    if (out.empty() && !first && !over) {
      std::vector<payload> comment{keep_alive};
      co_await x.write(std::move(comment));
      continue;
    }
    nlohmann::ordered_json control{{"streamNextOffset", format_offset(after)}};
    if (batch->up_to_date())
      control["upToDate"] = true;
    if (over)
      control["streamClosed"] = true;
    out.push_back(payload{(out.empty() ? "event: control\ndata: " : "\n\nevent: control\ndata: ") + control.dump() + "\n\n"});
    co_await x.write(std::move(out));
    if (over)
      break;
  }
  co_await x.finish();
}

/// A GET on a stream, once it is known to exist and to be the client's.
asio::awaitable<void> answer_read(exchange& x, directory_actor directory, std::string path) {
  auto wanted = offset_of(x);
  if (!wanted)
    co_return co_await x.send_problem(bad_offset());
  stream_reader reader{x};
  if (auto failed = co_await reader.open(directory, std::move(path)))
    co_return co_await x.send_error(failed);
  auto now = co_await reader.inspect();
  if (!now)
    co_return co_await x.send_error(now.error());
  auto from = resolve(*wanted, now->row.tail);
  if (!from)
    co_return co_await x.send_problem(bad_offset());
  auto live = x.query("live");
  if (live && (*live != "sse" || !is_json(reader.row()))) {
    auto why = bad_field("live", "live must be sse, and is for streams of JSON; leave it out to read what is there.");
    co_return co_await x.send_problem(std::move(why));
  }
  if (live)
    co_await server_sent_events(x, reader, *from);
  else
    co_await catch_up(x, reader, *from, wanted->from == offset_query::kind::now);
}

asio::awaitable<void> read_of_generation(exchange& x, std::string user_id, std::string (*path_of)(const std::string&)) {
  auto services = co_await x.services();
  if (!services)
    co_return co_await x.send_error(services.error());
  auto row = co_await find_row(x, services->manager, std::move(user_id));
  if (!row)
    co_return;
  co_await answer_read(x, services->directory, path_of(row->request_id));
}

} // namespace

asio::awaitable<void> get_stream(exchange& x) {
  auto services = co_await x.services();
  if (!services)
    co_return co_await x.send_error(services.error());
  co_await answer_read(x, services->directory, x.parameter("path"));
}

asio::awaitable<void> get_events(exchange& x) { return read_of_generation(x, {}, events_path); }

asio::awaitable<void> get_chunks(exchange& x) {
  const auto& user = x.parameter("user");
  if (!is_user_id(user)) {
    auto why = refused(404, "not_found", "There is no such thing", "There is no user of this name.");
    co_return co_await x.send_problem(std::move(why));
  }
  co_await read_of_generation(x, user, audio_path);
}

} // namespace segue::http
