#include "http/tail.hpp"

#include "http/shared_frame.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace segue::http {

namespace {

constexpr uint32_t keep_alive_ms = 25'000; ///< between two signs of life while nothing comes

/// What is left of a batch for a member that has its beginning already.
chunk_batch rest_of(const chunk_batch& batch, position at) {
  auto rest = batch;
  std::erase_if(rest.chunks, [at](const chunk& x) { return x.end() <= at; });
  if (!rest.chunks.empty() && rest.chunks.front().start < at)
    rest.chunks.front() = rest.chunks.front().from(at).value_or(rest.chunks.front());
  return rest;
}

} // namespace

tail::tail(tails& home, const stream_reader& reader, position cursor)
    : home_(home), session_(home.on_), reader_(session_, reader), which_(reader.which()), cursor_(cursor) {}

bool tail::join(tail_member& x) {
  if (x.at < cursor_)
    return false;
  members_.push_back({x.out.socket(), &x.format, x.at, &x});
  x.out.when_busy([this, &x] { busy(x); });
  home_.edge_.counters.listeners.Increment();
  return true;
}

void tail::leave(tail_member& x) {
  auto at = std::find_if(members_.begin(), members_.end(), [&x](const entry& e) { return e.member == &x; });
  if (at == members_.end())
    return;
  x.at = at->at;
  x.out.when_busy(nullptr);
  members_.erase(at);
  home_.edge_.counters.listeners.Decrement();
  if (!members_.empty())
    return;
  session_.abort();
  home_.live_.erase(which_); // who comes now begins a new one
}

/// Its socket is full, or broken: it goes on by itself.
void tail::busy(tail_member& x) {
  if (delivering_)
    leaving_.push_back(&x);
  else
    let_go(x);
}

void tail::let_go(tail_member& x) {
  home_.edge_.counters.listeners_lagged.Increment();
  leave(x);
  x.wake();
}

asio::awaitable<void> tail::run() {
  auto self = shared_from_this();
  auto said = std::chrono::steady_clock::now(); // something, to everybody
  std::function<void()> meanwhile = [this, &said] { // while the stream cannot be read
    auto now = std::chrono::steady_clock::now();
    if (now - said < std::chrono::milliseconds{keep_alive_ms})
      return;
    said = now;
    keep_alive();
  };
  while (!members_.empty()) {
    auto batch = co_await reader_.read_patiently(
        cursor_, home_.edge_.listener_bytes, keep_alive_ms, home_.edge_.read_patience, meanwhile);
    said = std::chrono::steady_clock::now();
    if (session_.aborted())
      break;
    if (!batch) {
      release(&tail_member::cut);
      break;
    }
    bool over = batch->closed && batch->up_to_date();
    if (over || !batch->chunks.empty())
      deliver(*batch);
    else
      keep_alive();
    if (over)
      release(&tail_member::over);
  }
}

/// One frame for each format, whatever the number of listeners.
void tail::deliver(const chunk_batch& batch) {
  std::map<const wire_format*, shared_frame> built;
  auto frame_of = [&](const wire_format* format) -> const shared_frame& {
    auto at = built.find(format);
    if (at == built.end()) {
      home_.edge_.counters.frames_built.Increment();
      at = built.try_emplace(format, format->frame(row(), batch), members_.size()).first;
    }
    return at->second;
  };
  auto start = std::exchange(cursor_, batch.next);
  size_t frames = 0;
  uint64_t bytes = 0;
  delivering_ = true;
  for (auto& x : members_) {
    if (x.at > batch.next || (x.at == batch.next && !batch.chunks.empty() && !batch.closed))
      continue; // it has read this by itself
    ++frames;
    auto had = std::exchange(x.at, batch.next);
    if (had != start) {
      auto own = x.format->frame(row(), rest_of(batch, had));
      bytes += own.size();
      x.member->out.send(std::move(own));
      continue;
    }
    const auto& frame = frame_of(x.format);
    bytes += frame.bytes().size();
    if (auto sent = frame.send_now(x.socket); sent < frame.bytes().size())
      x.member->out.send(frame.bytes().from(sent));
  }
  delivering_ = false;
  home_.edge_.counters.frames_sent.Increment(static_cast<double>(frames));
  home_.edge_.counters.bytes_sent.Increment(static_cast<double>(bytes));
  for (auto* x : std::exchange(leaving_, {}))
    let_go(*x);
}

void tail::keep_alive() {
  delivering_ = true;
  for (const auto& x : members_)
    x.member->out.send(x.format->keep_alive());
  delivering_ = false;
  for (auto* x : std::exchange(leaving_, {}))
    let_go(*x);
}

void tail::release(bool tail_member::*why) {
  for (const auto& x : std::vector<entry>{members_}) {
    x.member->*why = true;
    leave(*x.member);
    x.member->wake();
  }
}

asio::awaitable<void> tails::follow(session& of_member, const stream_reader& reader, tail_member& x) {
  auto& at = live_[reader.which()];
  bool fresh = !at;
  if (fresh)
    at = std::make_shared<tail>(*this, reader, x.at);
  auto joined = at;
  if (!joined->join(x))
    co_return;
  if (fresh)
    asio::co_spawn(on_.io(), joined->run(), asio::detached);
  of_member.rest();
  co_await of_member.suspend([&x](std::function<void()> resume) { x.wake = std::move(resume); });
  joined->leave(x); // no effect unless the listener has gone
}

} // namespace segue::http
