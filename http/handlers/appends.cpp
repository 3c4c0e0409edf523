// Appending to streams and closing them: to those of applications, and to the sound of generations that is pushed.
#include "actors/sound.hpp"
#include "http/append_request.hpp"
#include "http/handlers/writing.hpp"

namespace segue::http {

namespace {

/// The sound of a generation is written by the server, or by the one producer that was named when the generation was
/// accepted. True when the request was refused.
asio::awaitable<bool> refuse_stranger(exchange& x) {
  auto id = whose_audio(x.parameter("path"));
  if (!id)
    co_return co_await refuse_engine_owned(x);
  const auto& of = x.services();
  find_generation question{*id, {}};
  auto found = co_await x.ask(of.manager, std::move(question));
  if (found && !of.may_see(found->row.user_id))
    found = caf::make_error(ec::not_found, "there is no generation " + *id);
  if (!found) {
    co_await x.send_error(found.error());
    co_return true;
  }
  const auto& producer = found->row.producer;
  if (producer.empty())
    co_return co_await refuse_engine_owned(x);
  if (x.header("producer-id") != producer) {
    auto why = refused(403, "not_the_producer", "This sound has another producer",
        "The Producer-Id must be the one in the answer to the POST that began this generation.");
    co_await x.send_problem(std::move(why));
    co_return true;
  }
  if (auto size = x.asked().body.size(), whole = whole_frames(x.asked().body); whole < size) {
    auto why = bad_field("body", "The body must be whole frames of MP3, each of " + std::to_string(frame_bytes)
        + " bytes: MPEG-1 layer III, 128 kbit/s, 48 kHz, stereo, no CRC, no padding, and nothing else. Byte "
        + std::to_string(whole) + " of " + std::to_string(size) + " does not begin such a frame.");
    co_await x.send_problem(std::move(why));
    co_return true;
  }
  co_return false;
}

/// A stream that retires just now is found again, once.
asio::awaitable<caf::expected<chunk_appended>> append(exchange& x, const stream_actor& stream, const append_chunk& what) {
  auto done = co_await x.ask(stream, what);
  if (done || !has_retired(done.error()))
    co_return done;
  const auto& path = x.parameter("path");
  x.addresses().forget(x.services(), path);
  auto found = co_await x.addresses().stream(x.asker(), x.services(), path);
  if (!found)
    co_return found.error();
  co_return co_await x.ask((*found)->stream, what);
}

/// A refusal with what the client needs to go on: the end of a closed stream, or what is known of its producer.
asio::awaitable<void> send_refusal(exchange& x, const append_chunk& what, caf::error why) {
  header_list headers;
  auto code = code_of(why);
  if (code == ec::closed) {
    headers.emplace_back("Stream-Next-Offset", detail_of(why));
    headers.emplace_back("Stream-Closed", "true");
  } else if (code == ec::stale_producer) {
    headers.emplace_back("Producer-Epoch", detail_of(why));
  } else if (code == ec::producer_gap) {
    headers.emplace_back("Producer-Expected-Seq", detail_of(why));
    headers.emplace_back("Producer-Received-Seq", std::to_string(what.producer.seq));
  }
  auto told = problem_of(why);
  if (code == ec::closed)
    told.detail = "It ends at " + detail_of(why) + ".";
  if (code == ec::stale_producer)
    told.detail = "The current epoch is " + detail_of(why) + "; a higher one takes over.";
  if (code == ec::producer_gap)
    told.detail = "The next sequence number must be " + detail_of(why) + ".";
  co_await x.send_problem(std::move(told), std::move(headers));
}

} // namespace

asio::awaitable<void> post_stream(exchange& x) {
  if (co_await refuse_stranger(x))
    co_return;
  auto found = co_await x.addresses().stream(x.asker(), x.services(), x.parameter("path"));
  if (!found)
    co_return co_await x.send_error(found.error());
  const auto& stream = (*found)->stream;
  auto wanted = read_append(headers_of(x), x.take_body(), (*found)->row.content_type);
  if (auto* wrong = std::get_if<problem>(&wanted))
    co_return co_await x.send_problem(std::move(*wrong));
  auto& what = std::get<append_chunk>(wanted);
  auto done = co_await append(x, stream, what);
  if (!done)
    co_return co_await send_refusal(x, what, done.error());
  bool by_producer = !what.producer.id.empty();
  auto out = with_position(by_producer && !done->duplicate && !what.bytes.empty() ? 200 : 204, done->next, done->closed);
  if (by_producer) {
    out.headers.emplace_back("Producer-Epoch", std::to_string(what.producer.epoch));
    out.headers.emplace_back("Producer-Seq", std::to_string(done->producer_seq));
  }
  co_await x.send(std::move(out));
}

} // namespace segue::http
