// The log itself: catch-up and live reads, through whichever door.
#include "actors/sound.hpp"
#include "http/callers.hpp"
#include "http/create_request.hpp"
#include "http/generation_json.hpp"
#include "http/handlers/handlers.hpp"
#include "http/stream_cursor.hpp"
#include "http/stream_reader.hpp"
#include "http/wire_format.hpp"

#include <algorithm>

namespace segue::http {

namespace {

constexpr uint64_t catch_up_bytes = 1 << 20;

/// Where the stream goes on behind this batch.
void add_position(response& out, const chunk_batch& batch) {
  out.headers.emplace_back("Stream-Next-Offset", format_offset(batch.next));
  if (batch.up_to_date())
    out.headers.emplace_back("Stream-Up-To-Date", "true");
  if (batch.up_to_date() && batch.closed)
    out.headers.emplace_back("Stream-Closed", "true");
}

/// The body of a read: bytes as they are, or JSON messages as an array. Nothing is copied.
std::vector<payload> body_of(const stream_row& row, const chunk_batch& batch) {
  static const payload open{"["};
  static const payload comma{","};
  static const payload close{"]"};
  std::vector<payload> body;
  if (!is_json(row.content_type)) {
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

asio::awaitable<void> catch_up(exchange& x, stream_reader& reader, position from, bool from_now) {
  auto batch = co_await reader.read(from, catch_up_bytes, 0);
  if (!batch)
    co_return co_await x.send_error(batch.error());
  if (from_now)
    *batch = chunk_batch{{}, from, from, batch->closed && batch->tail == from}; // what came since is for the next read
  bool at_end = batch->up_to_date();
  response out{200, {{"Content-Type", reader.row().content_type}}, {}};
  add_position(out, *batch);
  if (from_now) { // where that is changes with every append
    out.headers.emplace_back("Cache-Control", "no-store");
    out.body = body_of(reader.row(), *batch);
    co_return co_await x.send(std::move(out));
  }
  auto tag = "\"" + identity_of(reader.row()) + ":" + std::to_string(from) + ":" + std::to_string(batch->next)
      + (at_end && batch->closed ? ":c\"" : "\"");
  bool settled = !at_end || batch->closed; // the same question will have the same answer
  out.headers.emplace_back("ETag", tag);
  out.headers.emplace_back("Cache-Control", settled ? "private, max-age=60, stale-while-revalidate=300" : "no-cache");
  if (x.has(tag))
    out.status = 304;
  else
    out.body = body_of(reader.row(), *batch);
  co_await x.send(std::move(out));
}

/// What there is to know of a stream without its content.
asio::awaitable<void> describe(exchange& x, const stream_row& row) {
  response out{200, {{"Content-Type", row.content_type}, {"Stream-Next-Offset", format_offset(row.tail)},
      {"Cache-Control", "no-store"}}, {}};
  if (row.closed)
    out.headers.emplace_back("Stream-Closed", "true");
  add_expiry(out.headers, row);
  co_await x.begin(std::move(out)); // how long its content is is the business of whoever reads it
  co_await x.finish();
}

asio::awaitable<void> server_sent_events(exchange& x, stream_reader& reader, position from) {
  response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}, {}};
  if (is_binary(reader.row().content_type))
    head.headers.emplace_back("stream-sse-data-encoding", "base64");
  co_await x.begin(std::move(head));
  if (x.is_head())
    co_return co_await x.finish();
  x.follow(reader, sse_format(x.chunked()), from, x.query("cursor").value_or(""));
}

asio::awaitable<void> web_socket(exchange& x, stream_reader& reader, position from) {
  std::string wish{x.header("upgrade")};
  std::transform(wish.begin(), wish.end(), wish.begin(), [](unsigned char c) { return std::tolower(c); });
  if (wish != "websocket") {
    header_list headers{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}};
    auto why = refused(426, "upgrade_required", "This is a WebSocket", "live=websocket needs a WebSocket handshake.");
    co_return co_await x.send_problem(std::move(why), std::move(headers));
  }
  if (!page_allowed(x.where(), x.header("host"), x.header("origin"))) { // a browser lets any page open a WebSocket
    auto why = refused(403, "foreign_origin", "This page may not listen",
        "The Origin header must name this server or one of --allow-origin, or be left out by clients that are no browsers.");
    co_return co_await x.send_problem(std::move(why));
  }
  co_await x.upgrade();
  x.follow(reader, websocket_format(), from);
}

/// Answers when there is something newer, or after a while that there is nothing.
asio::awaitable<void> long_poll(exchange& x, stream_reader& reader, position from) {
  auto give_up_at = std::chrono::steady_clock::now() + x.where().long_poll;
  auto left = x.where().long_poll;
  x.asker().may_be_woken(); // a server that stops waits for nobody's next chunk
  auto batch = co_await reader.read(from, catch_up_bytes, static_cast<uint32_t>(left.count()));
  while (batch && batch->chunks.empty() && !batch->closed && !x.client_left()) { // a stream may answer before that
    left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up_at - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      break;
    batch = co_await reader.read(from, catch_up_bytes, static_cast<uint32_t>(left.count()));
  }
  if (!batch && x.asker().aborted())
    batch = chunk_batch{{}, from, from, false};
  if (!batch)
    co_return co_await x.send_error(batch.error());
  response out{batch->chunks.empty() ? 204u : 200u, {}, {}};
  add_position(out, *batch);
  out.headers.emplace_back("Stream-Cursor", next_cursor(x.query("cursor").value_or("")));
  out.headers.emplace_back("Cache-Control", "no-store");
  if (!batch->chunks.empty()) {
    out.headers.emplace_back("Content-Type", reader.row().content_type);
    out.body = body_of(reader.row(), *batch);
  }
  co_await x.send(std::move(out));
}

/// A GET on a stream, once it is known to exist and to be the client's.
asio::awaitable<void> answer_read(exchange& x, std::string path, bool offset_needed) {
  auto wanted = offset_of(x);
  if (!wanted)
    co_return co_await x.send_problem(bad_offset());
  auto live = x.query("live");
  if (live && *live != "long-poll" && *live != "sse" && *live != "websocket") {
    auto why = bad_field("live", "live must be long-poll, sse or websocket; leave it out to read what is there.");
    co_return co_await x.send_problem(std::move(why));
  }
  if (live && !x.query("offset") && offset_needed) {
    auto why = bad_field("offset", "A live read needs an offset: -1 (the start), now (the end) or one this server gave.");
    co_return co_await x.send_problem(std::move(why));
  }
  stream_reader reader{x.asker(), x.where().registry};
  if (auto failed = co_await reader.open(x.services(), std::move(path)))
    co_return co_await x.send_error(failed);
  auto now = co_await reader.inspect(*wanted);
  if (!now)
    co_return co_await x.send_error(now.error());
  auto from = resolve(*wanted, now->row.tail);
  if (!from)
    co_return co_await x.send_problem(bad_offset());
  if (x.is_head() && (!live || *live == "websocket"))
    co_await describe(x, now->row);
  else if (!live)
    co_await catch_up(x, reader, *from, wanted->from == offset_query::kind::now);
  else if (*live == "sse")
    co_await server_sent_events(x, reader, *from);
  else if (*live == "websocket")
    co_await web_socket(x, reader, *from);
  else
    co_await long_poll(x, reader, *from);
}

asio::awaitable<void> read_of_generation(exchange& x, std::string user_id, std::string (*path_of)(const std::string&)) {
  auto row = co_await find_row(x, std::move(user_id));
  if (!row)
    co_return;
  co_await answer_read(x, path_of(row->request_id), false);
}

} // namespace

asio::awaitable<void> get_stream(exchange& x) {
  co_await answer_read(x, x.parameter("path"), true);
}

asio::awaitable<void> get_events(exchange& x) { return read_of_generation(x, {}, events_path); }

asio::awaitable<void> get_transfer_events(exchange& x) { return read_of_generation(x, {}, transfers_path); }

asio::awaitable<void> get_chunks(exchange& x) {
  const auto& user = x.parameter("user");
  if (!is_user_id(user)) {
    auto why = refused(404, "not_found", "There is no such thing", "There is no user of this name.");
    co_return co_await x.send_problem(std::move(why));
  }
  co_await read_of_generation(x, user, audio_path);
}

} // namespace segue::http
