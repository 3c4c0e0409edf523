// Generations whose sound a producer outside appends.
#define CAF_SUITE actors.generation.manager_push

#include "tests/support/generation_fixture.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

manager_options limited_to(size_t running = 4, size_t pushed = 1000) {
  manager_options x;
  x.generator = "scripted";
  x.running = running;
  x.pushed = pushed;
  return x;
}

struct world : generation_world {
  explicit world(manager_options with = limited_to()) : generation_world(std::move(with)) {}

  auto wish(double duration_s = 0) {
    return ask(manager, start_generation{"user", "a waltz", duration_s, 1, false, true});
  }

  generation_row begin(double duration_s = 0) {
    auto row = wish(duration_s).reply().row;
    CAF_CHECK(!row.producer.empty());
    return row;
  }

  /// What the edge passes on for the producer.
  auto push(const generation_row& row, uint64_t seq, const std::string& bytes, bool close = false) {
    return append(ask(directory, find_stream{audio_path(row.request_id)}).reply().stream, bytes, {row.producer, 0, seq}, close);
  }
};

const std::string second(42 * frame_bytes, 's'); // 1,008 ms

} // namespace

CAF_TEST(what a producer pushes is the sound and its close completes the generation) {
  world x;
  auto row = x.begin();
  CAF_CHECK_EQUAL(row.generator, "push");
  for (uint64_t seq = 0; seq < 5; ++seq) {
    CAF_CHECK_EQUAL(x.push(row, seq, second).code(), ec::none);
    x.pass(300ms);
    auto now = x.find(row.request_id);
    CAF_CHECK_EQUAL(now.state, generation_state::running);
    CAF_CHECK_EQUAL(now.audio_bytes, (seq + 1) * second.size());
    CAF_CHECK_EQUAL(percent_made(now), 0); // nobody knows how long it will be
  }
  CAF_CHECK_EQUAL(x.push(row, 5, second, true).code(), ec::none);
  auto ended = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(ended.state, generation_state::completed);
  CAF_CHECK_EQUAL(ended.audio_bytes, 6 * second.size());
  CAF_CHECK_EQUAL(ended.attempt, 1u);
  CAF_CHECK_EQUAL(x.content(audio_path(row.request_id)).size(), 6 * second.size());
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued started progress completed");
  CAF_CHECK(x.script->begun.empty());
}

CAF_TEST(with a duration in the wish progress is counted) {
  world x;
  auto row = x.begin(10.08);
  x.push(row, 0, second);
  x.pass(300ms);
  CAF_CHECK_EQUAL(percent_made(x.find(row.request_id)), 10);
}

CAF_TEST(silence never fails it) {
  world x;
  auto row = x.begin();
  x.push(row, 0, second);
  x.pass(3h, 1s);
  CAF_CHECK_EQUAL(x.find(row.request_id).state, generation_state::running);
  x.push(row, 1, {}, true);
  CAF_CHECK_EQUAL(x.end_of(row.request_id).state, generation_state::completed);
}

CAF_TEST(it takes nobodys turn and is bounded by itself) {
  world x{limited_to(1, 2)};
  auto one = x.begin();
  auto other = x.begin();
  CAF_CHECK_EQUAL(x.wish().code(), ec::busy);
  CAF_CHECK_EQUAL(x.counters.generations_refused.Value(), 1);
  auto ours = x.accept(7);
  x.check_complete(x.end_of(ours.request_id));
  x.push(other, 0, second, true);
  x.end_of(other.request_id);
  CAF_CHECK_EQUAL(x.wish().code(), ec::none);
  CAF_CHECK_EQUAL(x.find(one.request_id).state, generation_state::running);
}

CAF_TEST(after a crash the same producer goes on under the same name) {
  world x;
  auto row = x.begin();
  x.push(row, 0, second);
  x.pass(100ms);
  x.crash();
  x.start_again();
  CAF_CHECK_EQUAL(x.find(row.request_id).producer, row.producer);
  CAF_CHECK(x.push(row, 0, second).reply().duplicate);
  x.push(row, 1, second, true);
  auto ended = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(ended.state, generation_state::completed);
  CAF_CHECK_EQUAL(ended.audio_bytes, 2 * second.size());
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued started progress started progress completed");
}

CAF_TEST(a close that nobody saw before the crash completes it afterwards) {
  world x;
  auto row = x.begin();
  x.kill(x.manager); // nobody follows the stream any more
  x.push(row, 0, second, true);
  x.crash();
  x.start_again();
  CAF_CHECK_EQUAL(x.end_of(row.request_id).state, generation_state::completed);
  CAF_CHECK_EQUAL(x.find(row.request_id).audio_bytes, second.size());
}

CAF_TEST(cancelled it takes nothing more) {
  world x;
  auto row = x.begin();
  x.push(row, 0, second);
  x.ask(x.manager, cancel_generation{row.request_id});
  CAF_CHECK_EQUAL(x.end_of(row.request_id).state, generation_state::cancelled);
  CAF_CHECK_EQUAL(x.push(row, 1, second).code(), ec::closed);
  CAF_CHECK_EQUAL(x.find(row.request_id).audio_bytes, second.size());
}

CAF_TEST(when its stream dies it is followed again) {
  world x;
  auto row = x.begin();
  x.push(row, 0, second);
  x.kill(x.ask(x.directory, find_stream{audio_path(row.request_id)}).reply().stream);
  x.push(row, 1, second);
  x.pass(1s);
  CAF_CHECK_EQUAL(x.find(row.request_id).audio_bytes, 2 * second.size());
  x.push(row, 2, {}, true);
  CAF_CHECK_EQUAL(x.end_of(row.request_id).state, generation_state::completed);
}
