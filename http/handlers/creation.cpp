// Streams of applications begin and end here: created by PUT, also as forks of others, and removed by DELETE.
#include "actors/sound.hpp"
#include "http/create_request.hpp"
#include "http/handlers/writing.hpp"
#include "http/stream_reader.hpp"
#include "http/wire_format.hpp"

namespace segue::http {

namespace {

constexpr int most_looks = 5; ///< at a stream that others make and remove

/// What of a stream that is there is not as wished; empty: nothing. What is not said, and what was written since, does not
/// count.
std::string difference_of(const stream_row& row, const creation& x) {
  if (!x.wish.content_type.empty() && !same_type(x.wish.content_type, row.content_type))
    return "The stream exists with type " + row.content_type + ".";
  bool inherits = x.is_fork() && !x.expires;
  if (!inherits && (x.wish.ttl_s != row.ttl_s || x.wish.expires_at_ms != row.expires_at_ms))
    return "The stream exists and expires at another time.";
  if (x.wish.forked_from != row.forked_from)
    return row.forked_from.empty() ? "The stream exists and is no fork." : "The stream exists as a fork of " + row.forked_from + ".";
  if (x.wish.close != row.closed)
    return row.closed ? "The stream exists and is closed." : "The stream exists and is not closed.";
  return {};
}

/// The position so many bytes, or JSON messages, of one append behind `at`; nothing: there are not so many.
std::optional<position> skip(const chunk_batch& batch, position at, uint64_t count, bool json) {
  if (count == 0)
    return at;
  if (batch.chunks.empty())
    return std::nullopt;
  const auto& record = batch.chunks.front();
  if (!json)
    return count <= record.bytes.size() ? std::optional{at + count} : std::nullopt;
  if (count > record.lengths.size())
    return std::nullopt;
  for (size_t i = 0; i < count; ++i)
    at += record.lengths[i];
  return at;
}

/// The stream as it is now, if there is one.
asio::awaitable<caf::expected<stream_loaded>> look_up(stream_reader& reader, const tenant_services& of, std::string path) {
  auto failed = co_await reader.open(of, std::move(path));
  if (failed)
    co_return failed;
  co_return co_await reader.inspect();
}

/// Fills in what a fork takes from its parent. True: that is not possible, and the client was told.
asio::awaitable<bool> refuse_fork(exchange& x, const tenant_services& of, creation& into) {
  stream_reader parent{x.asker(), x.where().registry};
  auto now = co_await look_up(parent, of, into.wish.forked_from);
  if (!now && code_of(now.error()) == ec::gone) {
    auto why = refused(409, "conflict", "There is nothing to fork", "The stream to be forked was deleted.");
    co_await x.send_problem(std::move(why));
    co_return true;
  }
  if (!now) {
    co_await x.send_error(now.error());
    co_return true;
  }
  const auto& row = now->row;
  auto& wish = into.wish;
  if (wish.content_type.empty())
    wish.content_type = row.content_type;
  if (!same_type(wish.content_type, row.content_type)) {
    auto why = refused(409, "conflict", "A fork has the type of its parent", "That is " + row.content_type + ".");
    co_await x.send_problem(std::move(why));
    co_return true;
  }
  if (!into.expires) {
    wish.ttl_s = row.ttl_s;
    wish.expires_at_ms = row.expires_at_ms;
  }
  auto from = into.fork_offset.value_or(row.tail);
  std::optional<position> begins = from <= row.tail ? std::optional{from} : std::nullopt;
  if (begins) {
    auto batch = co_await parent.read(from, 1, 0); // whether it lies on a message, and what follows
    if (!batch && code_of(batch.error()) != ec::bad_offset) {
      co_await x.send_error(batch.error());
      co_return true;
    }
    if (batch)
      begins = skip(*batch, from, into.fork_sub_offset, is_json(row.content_type));
    else
      begins = std::nullopt;
  }
  if (!begins) {
    auto why = bad_field("Stream-Fork-Offset",
        "A fork begins at an offset its parent has, and at most one append behind it: the parent ends at "
            + format_offset(row.tail) + ".");
    co_await x.send_problem(std::move(why));
    co_return true;
  }
  wish.fork_position = into.fork_offset || into.fork_sub_offset > 0 ? *begins : at_tail;
  co_return false;
}

/// Whether an existing fork begins where this one would: told from what it has of its parent.
asio::awaitable<bool> begins_elsewhere(stream_reader& fork, const stream_row& row, const creation& x) {
  if (!x.fork_offset)
    co_return x.fork_sub_offset > 0;
  if (*x.fork_offset > row.fork_position)
    co_return true;
  if (x.fork_sub_offset == 0)
    co_return *x.fork_offset < row.fork_position;
  auto batch = co_await fork.read(*x.fork_offset, 1, 0);
  if (!batch)
    co_return true;
  co_return skip(*batch, *x.fork_offset, x.fork_sub_offset, is_json(row.content_type)) != row.fork_position;
}

/// Fills in what a new stream needs beside what the header said. True: that is not possible, and the client was told.
asio::awaitable<bool> refuse_new(exchange& x, const tenant_services& of, creation& into) {
  if (into.is_fork())
    if (co_await refuse_fork(x, of, into))
      co_return true;
  into.wish.user_id = of.user_id;
  if (x.asked().body.empty())
    co_return false;
  auto wrong = read_body(into.wish, x.take_body());
  if (wrong)
    co_await x.send_problem(std::move(*wrong));
  co_return wrong.has_value();
}

asio::awaitable<void> send_created(exchange& x, const stream_row& row, bool created) {
  auto out = with_position(created ? 201 : 200, row.tail, row.closed);
  out.headers.emplace_back("Content-Type", row.content_type);
  out.headers.emplace_back("Location", (x.where().tls ? "https://" : "http://") + std::string{x.header("host")} + x.asked().target.path);
  add_expiry(out.headers, row);
  co_await x.send(std::move(out));
}

/// It is there: as it is wished, or not.
asio::awaitable<void> answer_existing(exchange& x, stream_reader& reader, const stream_row& row, const creation& wished) {
  auto difference = difference_of(row, wished);
  if (difference.empty() && wished.is_fork()) {
    bool elsewhere = co_await begins_elsewhere(reader, row, wished);
    if (elsewhere)
      difference = "The stream exists as a fork from " + format_offset(row.fork_position) + ".";
  }
  if (difference.empty())
    co_return co_await send_created(x, row, false);
  auto why = refused(409, "conflict", "It does not fit what is there", std::move(difference));
  co_await x.send_problem(std::move(why));
}

} // namespace

/// True when the request was refused: the server alone writes to the streams of its generations.
asio::awaitable<bool> refuse_engine_owned(exchange& x) {
  if (!is_of_generation(x.parameter("path")))
    co_return false;
  header_list allow{{"Allow", "GET, HEAD"}};
  auto why = refused(405, "method_not_allowed", "The method is not allowed here",
      "This stream is written by the server; it answers GET, HEAD.");
  co_await x.send_problem(std::move(why), std::move(allow));
  co_return true;
}

asio::awaitable<void> put_stream(exchange& x) {
  if (co_await refuse_engine_owned(x))
    co_return;
  if (auto wrong = judge_path(x.parameter("path"), x.where().stream_name))
    co_return co_await x.send_problem(std::move(*wrong));
  auto wanted = read_creation(headers_of(x), x.parameter("path"));
  if (auto* wrong = std::get_if<problem>(&wanted))
    co_return co_await x.send_problem(std::move(*wrong));
  auto& what = std::get<creation>(wanted);
  const auto& of = x.services();
  stream_reader reader{x.asker(), x.where().registry};
  caf::error missed; // why it was neither there nor made
  for (int looks = 0; looks < most_looks; ++looks) { // others make and remove it as well
    auto known = co_await look_up(reader, of, x.parameter("path"));
    if (known)
      co_return co_await answer_existing(x, reader, known->row, what);
    if (code_of(known.error()) == ec::gone) {
      auto why = refused(409, "conflict", "It was deleted, and has forks", "Its path is free again when its last fork is gone.");
      co_return co_await x.send_problem(std::move(why));
    }
    if (code_of(known.error()) != ec::not_found)
      co_return co_await x.send_error(known.error());
    if (looks == 0)
      if (co_await refuse_new(x, of, what))
        co_return;
    open_stream request{what.wish};
    auto opened = co_await x.ask(of.directory, std::move(request));
    if (opened && opened->created)
      co_return co_await send_created(x, opened->row, true);
    if (!opened && code_of(opened.error()) != ec::conflict)
      co_return co_await x.send_error(opened.error());
    missed = opened ? caf::make_error(ec::unavailable) : opened.error();
  }
  if (of.only_of().empty())
    co_return co_await x.send_error(missed);
  auto why = refused(403, "forbidden", "The name is not free", "Take another one."); // another user has it: no more is to be said
  co_await x.send_problem(std::move(why));
}

asio::awaitable<void> delete_stream(exchange& x) {
  if (co_await refuse_engine_owned(x))
    co_return;
  const auto& path = x.parameter("path");
  const auto& of = x.services();
  auto found = co_await x.addresses().stream(x.asker(), of, path);
  if (!found)
    co_return co_await x.send_error(found.error());
  remove_stream request{path};
  auto done = co_await x.ask(of.directory, std::move(request));
  x.addresses().forget(of, path);
  if (!done)
    co_return co_await x.send_error(done.error());
  response nothing{204, {}, {}};
  co_await x.send(std::move(nothing));
}

} // namespace segue::http
