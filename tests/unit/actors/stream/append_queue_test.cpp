#define CAF_SUITE actors.stream.append_queue

#include "actors/stream/append_queue.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using kind = append_verdict::kind;

append_chunk bytes(const std::string& text, producer_tag producer = {}) {
  append_chunk x;
  x.bytes = payload{text};
  x.producer = std::move(producer);
  return x;
}

append_chunk closing(producer_tag producer = {}) {
  append_chunk x;
  x.close = true;
  x.producer = std::move(producer);
  return x;
}

struct fixture {
  stream_row row;
  append_queue<int> queue{100};
  int next_ticket = 1;

  fixture() {
    row.id = 7;
    row.owner_epoch = 3;
    row.content_type = "audio/mpeg";
  }

  kind offer(const append_chunk& x) {
    auto verdict = queue.judge(row, x);
    if (verdict.what == kind::accept)
      queue.push(row, x, next_ticket++);
    else if (verdict.what == kind::join)
      queue.join(x, next_ticket++);
    return verdict.what;
  }

  ec refusal(const append_chunk& x) {
    auto verdict = queue.judge(row, x);
    return verdict.what == kind::refuse ? verdict.code : ec::none;
  }

  /// The store has taken the write: the row as it is then.
  stream_row stored(const put_chunks& put) {
    if (!put.chunks.empty())
      row.tail = put.chunks.back().end();
    row.closed = row.closed || put.close;
    if (put.close)
      row.closed_by = put.closed_by;
    if (!put.stream_seq.empty())
      row.stream_seq = put.stream_seq;
    return row;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(append_queue_tests, fixture)

CAF_TEST(pending appends follow each other and leave in one write) {
  CAF_CHECK(offer(bytes("abc", {"p", 1, 0})) == kind::accept);
  CAF_CHECK(offer(bytes("de", {"p", 1, 1})) == kind::accept);
  CAF_CHECK(offer(bytes("f")) == kind::accept);
  auto put = queue.next_write(row, 1000);
  CAF_REQUIRE_EQUAL(put.chunks.size(), 3u);
  CAF_CHECK_EQUAL(put.chunks[1].start, 3u);
  CAF_CHECK_EQUAL(put.chunks[2].start, 5u);
  CAF_CHECK_EQUAL(put.expected_tail, 0u);
  CAF_CHECK_EQUAL(put.owner_epoch, 3u);
  CAF_REQUIRE_EQUAL(put.producers.size(), 1u);
  CAF_CHECK_EQUAL(put.producers[0].seq, 1u);
}

CAF_TEST(a write takes what fits and at least one append) {
  offer(bytes("0123456789"));
  offer(bytes("0123456789"));
  CAF_CHECK_EQUAL(queue.next_write(row, 15).chunks.size(), 1u);
  CAF_CHECK_EQUAL(queue.next_write(row, 5).chunks.size(), 1u);
  CAF_CHECK_EQUAL(queue.next_write(row, 20).chunks.size(), 2u);
}

CAF_TEST(what is durable is answered and what is not stays) {
  offer(bytes("abc"));
  offer(bytes("de"));
  row.tail = 3;
  auto settled = queue.settle(row);
  CAF_REQUIRE_EQUAL(settled.answers.size(), 1u);
  CAF_CHECK_EQUAL(settled.answers[0].ticket, 1);
  CAF_CHECK_EQUAL(settled.answers[0].reply.next, 3u);
  CAF_CHECK_EQUAL(settled.records.size(), 1u);
  CAF_CHECK_EQUAL(queue.size(), 1u);
  auto rest = queue.next_write(row, 1000);
  CAF_CHECK_EQUAL(rest.chunks.at(0).start, 3u);
}

CAF_TEST(an append that must begin elsewhere is refused) {
  auto at = [](position begin, const std::string& text, producer_tag producer) {
    auto x = bytes(text, std::move(producer));
    x.at = begin;
    return x;
  };
  CAF_CHECK(offer(at(0, "abc", {"p", 1, 0})) == kind::accept);
  CAF_CHECK_EQUAL(refusal(at(0, "abc", {"q", 1, 0})), ec::conflict); // pending bytes count
  CAF_CHECK(offer(at(3, "de", {"p", 1, 1})) == kind::accept);
  stored(queue.next_write(row, 1000));
  queue.settle(row);
  CAF_CHECK_EQUAL(refusal(at(3, "x", {"p", 2, 0})), ec::conflict);
  CAF_CHECK(offer(at(0, "abc", {"p", 1, 0})) == kind::answer); // a repetition is one wherever the stream ends now
  CAF_CHECK(offer(at(5, "f", {"p", 2, 0})) == kind::accept);
}

CAF_TEST(a repetition waits for the pending append and is told it was one) {
  offer(bytes("abc", {"p", 1, 0}));
  CAF_CHECK(offer(bytes("abc", {"p", 1, 0})) == kind::join);
  auto settled = queue.settle(stored(queue.next_write(row, 1000)));
  CAF_REQUIRE_EQUAL(settled.answers.size(), 2u);
  CAF_CHECK(!settled.answers[0].reply.duplicate);
  CAF_CHECK(settled.answers[1].reply.duplicate);
  CAF_CHECK_EQUAL(settled.records.size(), 1u);
  auto verdict = queue.judge(row, bytes("abc", {"p", 1, 0}));
  CAF_CHECK(verdict.what == kind::answer && verdict.reply.duplicate);
}

CAF_TEST(a repetition of what is durable tells nothing of what is pending) {
  offer(bytes("abc", {"p", 1, 0}));
  offer(bytes("de", {"p", 1, 1}));
  queue.settle(stored(queue.next_write(row, 3)));
  auto verdict = queue.judge(row, bytes("abc", {"p", 1, 0}));
  CAF_CHECK(verdict.what == kind::answer);
  CAF_CHECK_EQUAL(verdict.reply.next, 3u);
  CAF_CHECK_EQUAL(verdict.reply.producer_seq, 0u);
}

CAF_TEST(what was abandoned counts no more) {
  offer(bytes("abc", {"p", 1, 0}));
  queue.settle(stored(queue.next_write(row, 1000)));
  offer(bytes("de", {"p", 1, 1}));
  offer(bytes("de", {"p", 1, 1}));
  CAF_CHECK(refusal(bytes("f", {"p", 1, 3})) == ec::producer_gap);
  CAF_CHECK(queue.abandon() == (std::vector<int>{2, 3}));
  CAF_CHECK(queue.empty());
  CAF_CHECK(refusal(bytes("f", {"p", 1, 2})) == ec::producer_gap);
  CAF_CHECK(offer(bytes("de", {"p", 1, 1})) == kind::accept);
}

CAF_TEST(an abandoned Stream-Seq may be used again) {
  auto first = bytes("a");
  first.stream_seq = "b";
  offer(first);
  CAF_CHECK(refusal(first) == ec::conflict);
  queue.abandon();
  CAF_CHECK(offer(first) == kind::accept);
}

CAF_TEST(closed goes before type and type before sequence) {
  auto wrong = bytes("x", {"p", 1, 5});
  wrong.content_type = "text/plain";
  CAF_CHECK(refusal(wrong) == ec::wrong_type);
  offer(closing());
  queue.settle(stored(queue.next_write(row, 1000)));
  CAF_CHECK(refusal(wrong) == ec::closed);
  CAF_CHECK(refusal(bytes("x")) == ec::closed);
  CAF_CHECK(queue.judge(row, closing()).what == kind::answer);
}

CAF_TEST(as long as a close is pending nobody is told that the stream is closed) {
  offer(bytes("abc", {"p", 1, 0}));
  offer(closing({"p", 1, 1}));
  CAF_CHECK(offer(closing({"p", 1, 1})) == kind::join);
  for (const auto& late : {bytes("x"), bytes("x", {"p", 1, 2}), bytes("abc", {"p", 1, 0})})
    CAF_CHECK_EQUAL(refusal(late), ec::busy);
  queue.abandon();
  CAF_CHECK(offer(bytes("x")) == kind::accept);
}

CAF_TEST(the append that closed may be repeated by its producer alone) {
  auto last = bytes("end", {"p", 2, 0});
  last.close = true;
  offer(last);
  queue.settle(stored(queue.next_write(row, 1000)));
  CAF_CHECK(queue.judge(row, last).what == kind::answer);
  CAF_CHECK(refusal(bytes("more", {"p", 2, 1})) == ec::closed);
  CAF_CHECK(refusal(bytes("late", {"p", 1, 0})) == ec::stale_producer);
}

CAF_TEST(beyond its bytes the queue is busy but one append always fits) {
  CAF_CHECK(offer(bytes(std::string(500, 'x'))) == kind::accept);
  CAF_CHECK(refusal(bytes("y")) == ec::busy);
  queue.settle(stored(queue.next_write(row, 1000)));
  CAF_CHECK(offer(bytes("y")) == kind::accept);
}

CAF_TEST(an append without bytes that does not close is refused) {
  CAF_CHECK(refusal(bytes("")) == ec::invalid_argument);
}

CAF_TEST_FIXTURE_SCOPE_END()
