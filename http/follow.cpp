#include "http/follow.hpp"

#include "http/tail.hpp"

namespace segue::http {

namespace {

/// While much waits for slow listeners, those who have a way to go are given nothing more: what is left of the bound is for
/// those at the tail.
asio::awaitable<void> wait_for_room(exchange& x) {
  const auto& limits = x.where().outlets;
  while (!x.asker().aborted() && limits.counters.bytes_waiting.Value() > static_cast<double>(limits.waiting / 2))
    co_await x.asker().pause(std::chrono::milliseconds{100});
}

} // namespace

asio::awaitable<bool> follow(exchange& x, stream_reader& reader, const wire_format& format, position at) {
  auto& out = x.out();
  tail_member member{out, format, at};
  for (bool first = true; !x.asker().aborted(); first = false) {
    co_await wait_for_room(x);
    auto batch = co_await reader.read_patiently(member.at, x.where().listener_bytes, 0);
    if (!batch)
      co_return false;
    bool over = batch->closed && batch->up_to_date();
    if (first || over || !batch->chunks.empty()) {
      auto frame = format.frame(reader.row(), *batch);
      x.where().counters.bytes_sent.Increment(static_cast<double>(frame.size()));
      out.send(std::move(frame));
      member.at = batch->next;
      co_await out.drain();
    }
    if (over)
      co_return true;
    if (!batch->up_to_date())
      continue;
    co_await x.at_tails().follow(x.asker(), reader, member);
    co_await out.drain();
    if (member.over)
      co_return true;
    if (member.cut)
      co_return false;
  }
  co_return false;
}

} // namespace segue::http
