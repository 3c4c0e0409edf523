#include "http/listener.hpp"

namespace segue::http {

asio::awaitable<bool> listener::follow() {
  auto now = place::between;
  while (now == place::between && !session_.aborted()) {
    now = co_await catch_up();
    if (now != place::at_tail)
      continue;
    co_await tails_.follow(session_, reader_, member_);
    co_await member_.out.drain();
    now = member_.over ? place::at_end : member_.cut ? place::lost : place::between;
  }
  co_return now == place::at_end;
}

/// One frame of what is there already. The first one is sent even if there is nothing: it says where the stream stands.
asio::awaitable<listener::place> listener::catch_up() {
  co_await session_.give_way();
  auto batch = co_await reader_.read_patiently(member_.at, edge_.listener_bytes, 0, edge_.read_patience);
  if (!batch)
    co_return place::lost;
  bool at_end = batch->closed && batch->up_to_date();
  if (!greeted_ || at_end || !batch->chunks.empty()) {
    auto frame = member_.format.frame(reader_.row(), *batch, cursor_);
    edge_.counters.bytes_sent.Increment(static_cast<double>(frame.size()));
    member_.out.send(std::move(frame));
    member_.at = batch->next;
    greeted_ = true;
  }
  co_await member_.out.drain(); // also of answers to pings: what the tail sends goes to the socket itself
  co_return at_end ? place::at_end : batch->up_to_date() ? place::at_tail : place::between;
}

} // namespace segue::http
