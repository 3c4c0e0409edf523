#include "http/stream_reader.hpp"

namespace segue::http {

namespace {

constexpr auto retry_pause = std::chrono::milliseconds{200};

} // namespace

asio::awaitable<caf::error> stream_reader::open(const tenant_services& of, std::string path) {
  tenant_ = of.tenant;
  directory_ = of.directory;
  auto found = co_await find_visible(session_, of, std::move(path));
  if (!found)
    co_return found.error();
  stream_ = found->stream;
  row_ = found->row;
  co_return caf::error{};
}

/// A directory that died has a successor: the tenant has started it again, with everything that depends on it.
asio::awaitable<caf::expected<stream_opened>> stream_reader::find_again() {
  find_stream question{row_.path};
  auto found = co_await session_.ask(directory_, question);
  if (found || found.error() != caf::sec::request_receiver_down)
    co_return found;
  find_tenant where{tenant_};
  auto now = co_await session_.ask(registry_, std::move(where));
  if (!now)
    co_return now.error();
  directory_ = now->directory;
  co_return co_await session_.ask(directory_, question);
}

template <class Request>
asio::awaitable<caf::expected<reply_of<stream_actor, Request>>> stream_reader::ask(Request request) {
  auto answer = co_await session_.ask(stream_, request);
  if (answer)
    co_return answer;
  auto code = code_of(answer.error());
  if (code != ec::moved && code != ec::unavailable)
    co_return answer;
  auto again = co_await find_again();
  if (!again)
    co_return again.error();
  if (identity_of(again->row) != identity_of(row_)) // it was removed, and the bytes of another one do not follow those of the first
    co_return caf::make_error(ec::not_found, "there is no stream " + row_.path + " any more: another one has its name");
  stream_ = again->stream;
  co_return co_await session_.ask(stream_, request);
}

asio::awaitable<caf::expected<chunk_batch>> stream_reader::read(position after, uint64_t limit, uint32_t wait_ms) {
  read_chunks request{after, limit, wait_ms, joined_};
  return ask(request);
}

asio::awaitable<caf::expected<chunk_batch>> stream_reader::read_patiently(position after, uint64_t limit, uint32_t wait_ms,
    std::chrono::milliseconds patience, std::function<void()> meanwhile) {
  std::optional<std::chrono::steady_clock::time_point> give_up_at; // counted from the first failure
  for (;;) {
    auto batch = co_await read(after, limit, wait_ms);
    if (batch)
      co_return batch;
    auto code = code_of(batch.error());
    bool passes = code == ec::unavailable || code == ec::timeout || code == ec::busy || code == ec::moved;
    auto now = std::chrono::steady_clock::now();
    if (!give_up_at)
      give_up_at = now + patience;
    if (!passes || session_.aborted() || now > *give_up_at)
      co_return batch;
    if (meanwhile)
      meanwhile();
    co_await session_.pause(retry_pause);
  }
}

asio::awaitable<caf::expected<stream_loaded>> stream_reader::inspect(offset_query wanted) {
  inspect_stream request;
  auto known = co_await ask(request);
  if (!known || wanted.from != offset_query::kind::at || wanted.at <= known->row.tail)
    co_return known;
  auto there = co_await read(wanted.at, 1, 0);
  if (there) {
    known->row.tail = there->tail;
    known->row.closed = there->closed;
  } else if (code_of(there.error()) != ec::bad_offset) {
    co_return there.error();
  }
  co_return known;
}

std::string identity_of(const stream_row& row) { return std::to_string(row.id) + "." + std::to_string(row.created_at_ms); }

std::optional<offset_query> offset_of(const exchange& x) {
  const auto& target = x.asked().target;
  if (target.count("offset") > 1)
    return std::nullopt;
  auto text = target.find("offset");
  return text ? parse_offset(*text) : offset_query{};
}

problem bad_offset() {
  return refused(400, "bad_offset", "The offset is not one of this stream",
      "offset must be -1 (the start), now (the end), or an offset this server gave, such as a Stream-Next-Offset; it may "
      "be given once and must not lie beyond the end of the stream.");
}

std::optional<position> resolve(const offset_query& query, position tail) {
  switch (query.from) {
    case offset_query::kind::start:
      return 0;
    case offset_query::kind::now:
      return tail;
    default:
      return query.at <= tail ? std::optional{query.at} : std::nullopt;
  }
}

} // namespace segue::http
