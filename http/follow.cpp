#include "http/follow.hpp"

#include "http/tail.hpp"

namespace segue::http {

namespace {

constexpr uint64_t first_content = 1 << 20; ///< of the first frame: players begin when they have a certain amount

} // namespace

asio::awaitable<bool> follow(exchange& x, stream_reader& reader, const wire_format& format, position at) {
  auto& out = x.out();
  tail_member member{out, format, at};
  for (bool first = true; !x.asker().aborted(); first = false) {
    auto batch = co_await reader.read_patiently(member.at, first ? first_content : frame_content, 0);
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
