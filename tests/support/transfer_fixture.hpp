// Transfers over real stores, on CAF's test scheduler with its virtual clock.
#pragma once

#include "actors/archive.hpp"
#include "actors/lineage.hpp"
#include "actors/sha256.hpp"
#include "actors/transfer/transfers.hpp"

#include <fstream>
#include <set>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/faulty_catalogue.hpp"
#include "tests/support/faulty_chunks.hpp"
#include "tests/support/faulty_objects.hpp"
#include "tests/support/test.hpp"

namespace segue {

/// Engines that live longer than the actors over them, and their faults.
struct transfer_engines {
  chunk_store_engine chunk_engine{"memory:"};
  catalogue_engine row_engine{"sqlite::memory:"};
  object_store_engine object_engine{"file:"};
  std::shared_ptr<failing_calls> calls = std::make_shared<failing_calls>();
};

/// The transfers of a server with all that they work on, and a directory whose streams are archived.
class transfer_fixture : public transfer_engines, public actor_fixture {
public:
  explicit transfer_fixture(transfers_options options = standard())
      : actor_fixture(std::make_shared<faulty_chunks>(chunk_engine.get(), calls)), options(options),
        rows(std::make_shared<faulty_catalogue>(row_engine.get(), calls)),
        objects(std::make_shared<faulty_objects>(object_engine.get(), calls)) {
    kill_all(); // its host knows no objects
    start_all();
  }

  ~transfer_fixture() override { crash(); }

  static transfers_options standard() {
    transfers_options x;
    x.holder = "here";
    x.archive = true;
    x.each.evict_after = std::chrono::hours{1};
    x.each.longest_write = std::chrono::minutes{2};
    return x;
  }

  // -- life

  virtual void start_all() {
    parent = sys.spawn<caf::hidden>([](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
    object_host = spawn_object_store_host(sys, objects, on_scheduler, counters);
    host = spawn_chunk_store_host(sys, {store, nullptr, &counters}, object_host, on_scheduler);
    catalogue = spawn_catalogue_host(sys, rows, on_scheduler, counters);
    transfers = sys.spawn(segue::transfers, parent, transfer_ground{catalogue, host, object_host}, options, &counters);
    directory = sys.spawn(segue::directory, parent, host, transfers, stream_options{}, &counters);
    consume_messages();
  }

  /// Every actor dies at once; the engines stay.
  virtual void crash() {
    kill(transfers);
    kill(catalogue);
    kill(object_host);
    kill_all();
  }

  /// The actor of this name that has something to do now; null: there is none.
  caf::actor at_work(const std::string& name) {
    for (auto* job : sched.jobs)
      if (auto* x = dynamic_cast<caf::local_actor*>(job); x && name == x->name())
        return caf::actor_cast<caf::actor>(x);
    return {};
  }

  caf::actor worker() { return at_work(transfer_worker::name); }

  /// Lets things go on until a worker has something to do, or nobody has.
  caf::actor next_worker() {
    auto found = worker();
    while (!found && consume_message())
      found = worker();
    return found;
  }

  // -- lives: a process that dies by one of `calls` is followed by another one

  /// Lets time go by until `done`.
  template <class Predicate>
  void go_on(Predicate done) {
    constexpr auto step = std::chrono::milliseconds{200};
    constexpr auto patience = std::chrono::hours{3};
    for (caf::timespan passed{0}; !done() && passed < patience; passed += step) {
      while (consume_message()) {
        if (calls->dead())
          live_again();
        watch();
      }
      advance_time(step);
    }
    CAF_REQUIRE(done());
  }

  /// Asks and waits, as long as the process lives that was asked: the answer may never come.
  template <class Handle, class Request>
  awaited<reply_of<Handle, Request>> ask_once(const Handle& to, const Request& x) {
    auto asked = post(to, x);
    auto life = lives_;
    go_on([&] { return asked.here() || lives_ != life; });
    return asked;
  }

  /// Asks until that has succeeded, as whoever hands something over does.
  template <class Handle, class Request>
  reply_of<Handle, Request> insist(const Handle& to, const Request& x) {
    for (;;) {
      auto asked = ask_once(to, x); // a handle of ours: it is another one when the process was another one
      if (asked.here() && asked.code() == ec::none)
        return asked.reply();
    }
  }

  /// From now on no process lives for more calls than this.
  void die_after(size_t calls_made) {
    die_after_ = calls_made;
    calls->fail(die_after_, moment::after, true);
  }

  size_t lives() const { return lives_; }

  /// Called after every message.
  virtual void watch() {}

  // -- pieces

  /// Bytes of which no two stretches are alike.
  static std::string sound(size_t size, uint64_t seed = 1) {
    std::string bytes(size, '\0');
    auto x = seed * 0x9e3779b97f4a7c15ull + 1;
    for (auto& byte : bytes) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      byte = static_cast<char>(x);
    }
    return bytes;
  }

  /// A closed stream of this sound, in records of this size, as if it had been there for long.
  stream_row keep(const std::string& path, const std::string& bytes, size_t record = 1'000) {
    auto& engine = *chunk_engine;
    create_stream made{{.path = path, .content_type = "audio/mpeg"}};
    auto row = commit(engine, made);
    put_chunks rest{row.id, row.owner_epoch, 0, {}, {}, {}, true, {}};
    for (size_t at = 0; at < bytes.size(); at += record)
      rest.chunks.push_back({at, payload{bytes.substr(at, record)}, {}});
    return commit(engine, rest);
  }

  stream_row fork(const std::string& path, const std::string& of, position at, const std::string& more) {
    auto row = commit(*chunk_engine, create_stream{{.path = path, .content_type = "audio/mpeg", .forked_from = of, .fork_position = at}});
    return commit(*chunk_engine, put_chunks{row.id, row.owner_epoch, at, {{at, payload{more}, {}}}, {}, {}, true, {}});
  }

  stream_row row_of(const std::string& path) { return chunk_engine->load_row(path).value_or(stream_row{}); }
  archive_state archive_of(const std::string& path) { return row_of(path).archive; }

  /// What the chunk store itself holds of it.
  std::string chunks_of(const std::string& path) {
    std::string bytes;
    for (const auto& x : chunk_engine->load_chunks(row_of(path).id, 0, UINT64_MAX))
      bytes += x.bytes.view();
    return bytes;
  }

  /// All bytes from wherever they are, as a stream's readers get them.
  std::string heard(const std::string& path, position from = 0, uint64_t limit = 1 << 20) {
    auto row = row_of(path);
    std::string bytes;
    while (from + bytes.size() < row.tail) {
      auto at = from + bytes.size();
      auto asked = ask(host, load_chunks{holders_of(row), at, limit, row.tail, true});
      if (asked.code() != ec::none)
        return bytes + " and then " + to_string(asked.code());
      bytes += bytes_of(asked.reply(), at);
    }
    return bytes;
  }

  // -- objects

  std::filesystem::path object_file(const std::string& key) const { return object_engine.folder() / "objects" / key; }

  /// Every file of the object store, also what is not whole: keys, and parts as `.uploads/…`.
  std::set<std::string> object_files() const {
    std::set<std::string> found;
    auto folder = object_engine.folder() / "objects";
    for (const auto& x : std::filesystem::recursive_directory_iterator{folder})
      if (!x.is_directory())
        found.insert(x.path().lexically_relative(folder).string());
    return found;
  }

  static std::set<std::string> both(const std::string& path) { return {bytes_key(path), manifest_key(path)}; }

  std::string object(const std::string& key) {
    std::ifstream in{object_file(key), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  // -- transfers

  std::vector<transfer_row> all_rows() { return row_engine->transfers(0, 1'000, false); }

  transfer_row transfer_of(const std::string& path) {
    for (auto& x : all_rows())
      if (x.path == path)
        return x;
    return {};
  }

  /// What is to be done with a piece, e.g. `evict waiting 0`.
  std::string told(const std::string& path) {
    auto x = transfer_of(path);
    return x.id == 0 ? "nothing" : to_string(x.kind) + " " + to_string(x.state) + " " + std::to_string(x.attempts);
  }

  void upload(const std::string& path) { CAF_CHECK(ask(transfers, enqueue_upload{path}).reply().id != 0); }

  bool archived(const std::string& path) { return archive_of(path) == archive_state::stored; }

  void check_archived(const std::string& path, const std::string& piece) {
    CAF_CHECK(archived(path));
    CAF_CHECK(object(bytes_key(path)) == piece);
    CAF_CHECK_EQUAL(told(path), "evict waiting 0");
  }

  void archive(const std::string& path) {
    upload(path);
    pass_until([&] { return archived(path); });
    consume_messages();
  }

  void evict(const std::string& path) {
    archive(path);
    pass(options.each.evict_after, std::chrono::minutes{1});
    pass_until([&] { return archive_of(path) == archive_state::evicted; });
  }

  transfers_options options;
  std::shared_ptr<faulty_catalogue> rows;
  std::shared_ptr<faulty_objects> objects;
  object_store_actor object_host;
  catalogue_actor catalogue;
  transfers_actor transfers;

private:
  void live_again() {
    crash();
    calls->restart();
    if (die_after_ > 0)
      die_after(die_after_);
    options.holder = "life " + std::to_string(++lives_);
    start_all();
  }

  static stream_row commit(chunk_store& engine, stream_write x) {
    auto outcome = engine.commit({&x, 1}).front();
    CAF_REQUIRE_EQUAL(outcome.code, ec::none);
    return outcome.written.row;
  }

  size_t die_after_ = 0; ///< 0: they live on
  size_t lives_ = 1;
};

} // namespace segue
