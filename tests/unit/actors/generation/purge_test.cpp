// Purges: whichever call of whichever store goes wrong, and wherever the process dies, nothing of the piece is left in the end,
// and everything of the others.
#define CAF_SUITE actors.generation.purge

#include "actors/generation/manager.hpp"
#include "actors/sound.hpp"

#include "tests/support/scripted_generator.hpp"
#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

constexpr double duration_s = 0.6;

/// A server that makes pieces, archives and purges them; and a piece that nobody purges.
class world : public transfer_fixture {
public:
  world() : transfer_fixture(hasty()) {
    start_manager();
    kept_ = make(1);
  }

  ~world() override { crash(); }

  static transfers_options hasty() {
    auto x = standard();
    x.each.evict_after = 10s;
    x.keep_done = 1min;
    x.retries.attempts = 1'000; // stores are away for long here, and no transfer shall be given up meanwhile
    return x;
  }

  // -- life

  void start_all() override {
    transfer_fixture::start_all();
    start_manager();
  }

  void crash() override {
    kill(manager);
    transfer_fixture::crash();
  }

  void start_manager() {
    manager_options options;
    options.generator = "scripted";
    manager = sys.spawn(segue::manager, parent, directory, catalogue, transfers, scripted_factory(script), options, &counters);
    consume_messages();
  }

  // -- pieces

  /// Asks for a piece until it is accepted, and waits until it is archived. Returns its id.
  std::string make(uint64_t seed) {
    auto id = insist(manager, start_generation{"user", "a waltz", duration_s, seed, false}).row.request_id;
    go_on([&] { return stored(id) && stored(id)->state == generation_state::completed; });
    go_on([&] { return archive_of(audio_path(id)) != archive_state::none; });
    check_whole(id);
    insist(directory, open_stream{{.path = transfers_path(id), .content_type = "application/json"}}); // as it is told of its transfers
    return id;
  }

  std::optional<generation_row> stored(const std::string& id) { return row_engine->find(id); }

  std::set<std::string> ids() {
    std::set<std::string> found;
    for (const auto& row : row_engine->newest("", UINT64_MAX, 100))
      found.insert(row.request_id);
    for (const auto& row : row_engine->unfinished(0, 100))
      found.insert(row.request_id);
    return found;
  }

  void check_whole(const std::string& id) {
    auto row = stored(id).value_or(generation_row{});
    auto piece = script->piece(row.seed, row.duration_s);
    CAF_CHECK_EQUAL(row.state, generation_state::completed);
    CAF_CHECK_EQUAL(row.audio_bytes, piece.size());
    CAF_CHECK(row_of(audio_path(id)).closed);
    CAF_CHECK(row_of(events_path(id)).closed);
    CAF_CHECK_EQUAL(row_of(audio_path(id)).tail, piece.size());
    bool evicted = archive_of(audio_path(id)) == archive_state::evicted;
    CAF_CHECK((evicted ? object(bytes_key(audio_path(id))) : chunks_of(audio_path(id))) == piece);
  }

  // -- purging

  bool has_streams(const std::string& id) {
    return row_of(audio_path(id)).id != 0 || row_of(events_path(id)).id != 0 || row_of(transfers_path(id)).id != 0;
  }

  bool gone(const std::string& id) {
    auto files = object_files();
    bool objects = std::any_of(files.begin(), files.end(), [&](const auto& key) { return key.find(id) != std::string::npos; });
    return !stored(id) && !has_streams(id) && !objects;
  }

  /// Asks once: whatever the answer is, it happens.
  void purge(const std::string& id) {
    auto asked = ask_once(manager, purge_generation{id});
    if (asked.code() == ec::none)
      CAF_CHECK(!stored(id) && !has_streams(id));
    else
      CAF_CHECK_EQUAL(asked.code(), ec::unavailable);
    go_on([&] { return gone(id); });
  }

  /// Asks until there is nothing left that could be purged: whoever dies before it is recorded has promised nothing.
  void purge_over_lives(const std::string& id) {
    for (auto code = ec::unavailable; code != ec::none && code != ec::not_found;) {
      auto asked = ask_once(manager, purge_generation{id});
      code = asked.here() ? asked.code() : ec::unavailable;
    }
    CAF_CHECK(!stored(id) && !has_streams(id));
    go_on([&] { return gone(id); });
  }

  /// What is there is the one piece, and after a while nothing is known of any transfer.
  void check_rest() {
    go_on([&] { return all_rows().empty(); });
    auto left = ids();
    CAF_CHECK_EQUAL(left, std::set<std::string>{kept_});
    CAF_CHECK_EQUAL(object_files(), both(audio_path(kept_)));
    check_whole(kept_);
  }

  const std::string& kept() const { return kept_; }

  std::shared_ptr<sound_script> script = std::make_shared<sound_script>();
  manager_actor manager;

private:
  std::string kept_;
};

/// From the wish for a piece to its end, with one call going wrong.
size_t disturb(moment when) {
  return each_call([&](size_t number) {
    world x;
    x.calls->fail(number, when);
    auto id = x.make(number);
    x.go_on([&] { return x.ids().size() == 2; }); // what was refused, as nobody knew whether it was accepted, is erased
    x.purge(id);
    x.check_rest();
    return x.calls->happened();
  });
}

/// What was refused may have begun with the next life: it goes as well.
void make_and_purge_over_lives(world& x, uint64_t seed) {
  x.make(seed);
  for (const auto& id : x.ids())
    if (id != x.kept()) {
      x.go_on([&] { return x.stored(id)->state == generation_state::completed; });
      x.purge_over_lives(id);
    }
  x.check_rest();
}

size_t die(moment when) {
  return each_call([&](size_t number) {
    world x;
    x.calls->fail(number, when, true);
    make_and_purge_over_lives(x, number);
    return x.calls->happened();
  });
}

} // namespace

CAF_TEST(any call may fail before it has done anything) { CAF_CHECK_GREATER(disturb(moment::before), 50u); }

CAF_TEST(any answer may be lost) { CAF_CHECK_GREATER(disturb(moment::after), 50u); }

CAF_TEST(the process may die before any call) { CAF_CHECK_GREATER(die(moment::before), 50u); }

CAF_TEST(the process may die after any call) { CAF_CHECK_GREATER(die(moment::after), 50u); }

CAF_TEST(processes that die over and over come to the end as well) {
  for (size_t calls_made : {16, 20, 27}) {
    world x;
    x.die_after(calls_made);
    make_and_purge_over_lives(x, calls_made);
    CAF_MESSAGE(x.lives() << " lives");
    CAF_CHECK_GREATER(x.lives(), 2u);
  }
}

CAF_TEST(a purge goes on by itself when a store that was away is back) {
  world x;
  auto id = x.make(2);
  x.store->fail_commits(fault::before_write);
  x.store->fail_reopens(SIZE_MAX);
  CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{id}).code(), ec::unavailable);
  x.pass(5min, 1s);
  CAF_CHECK(x.stored(id)->state == generation_state::purging);
  x.store->heal();
  x.pass(30s, 1s);
  CAF_CHECK(x.gone(id));
  x.check_rest();
}

CAF_TEST(whoever asks again while something is left is told so and nobody else finds it) {
  world x;
  auto id = x.make(2);
  x.store->fail_commits(fault::before_write);
  x.store->fail_reopens(SIZE_MAX);
  CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{id}).code(), ec::unavailable);
  for (int times = 0; times < 3; ++times) {
    CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{id}).code(), ec::unavailable);
    CAF_CHECK_EQUAL(x.ask(x.manager, find_generation{id, {}}).code(), ec::not_found);
    CAF_CHECK_EQUAL(x.ask(x.manager, find_generation{id, "another", true}).code(), ec::not_found);
    auto seen = x.ask(x.manager, find_generation{id, "user", true}).reply().row;
    CAF_CHECK_EQUAL(seen.state, generation_state::purging);
    x.pass(1min, 1s);
  }
  x.store->heal();
  CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{id}).code(), ec::none); // without waiting for its turn
  CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{id}).code(), ec::not_found);
  x.check_rest();
}

CAF_TEST(everyone who asks for the same purge is answered by it) {
  world x;
  auto id = x.make(2);
  auto first = x.post(x.manager, purge_generation{id});
  auto second = x.post(x.manager, purge_generation{id});
  x.consume_messages();
  CAF_CHECK_EQUAL(first.code(), ec::none);
  CAF_CHECK_EQUAL(second.code(), ec::none);
  x.check_rest();
}

CAF_TEST(a purge that an earlier life began is tried until it is done) {
  world x;
  auto id = x.make(2);
  x.store->fail_commits(fault::before_write);
  x.store->fail_reopens(SIZE_MAX);
  x.ask(x.manager, purge_generation{id});
  x.crash();
  x.store->fail_commits(fault::before_write, 4);
  x.start_all();
  CAF_CHECK(x.stored(id)->state == generation_state::purging);
  x.pass(1min, 1s);
  CAF_CHECK(x.gone(id));
  x.check_rest();
}

CAF_TEST(a catalogue that is away only delays a purge wherever it is) {
  for (size_t messages = 0; messages < 60; messages += 3) {
    world x;
    auto id = x.make(2);
    auto asked = x.post(x.manager, purge_generation{id});
    for (size_t i = 0; i < messages; ++i)
      x.consume_message();
    x.rows->away(true);
    x.pass(10min, 1s);
    CAF_CHECK(asked.code() == ec::none || asked.code() == ec::unavailable);
    x.rows->away(false);
    x.pass(5min, 1s);
    CAF_CHECK(x.gone(id));
    x.check_rest();
  }
}

CAF_TEST(a purge that dies is begun again) {
  size_t killed = 0;
  for (size_t messages = 1; messages < 60; ++messages) {
    world x;
    auto id = x.make(2);
    x.post(x.manager, purge_generation{id});
    for (size_t i = 0; i < messages; ++i)
      x.consume_message();
    if (auto purge = x.at_work(purge_state::name)) {
      ++killed;
      x.kill(purge);
    }
    x.pass(1min, 1s);
    CAF_CHECK(x.gone(id));
  }
  CAF_CHECK_GREATER(killed, 3u);
}
