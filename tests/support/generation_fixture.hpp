// A manager with scripted generators over real stores, on CAF's test scheduler with its virtual clock.
#pragma once

#include "actors/generation/manager.hpp"
#include "tests/support/scripted_generator.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

namespace segue {

class generation_fixture : public actor_fixture {
public:
  generation_fixture(const std::shared_ptr<chunk_store>& chunks, std::shared_ptr<catalogue_store> rows,
      manager_options options = {})
      : actor_fixture(chunks), options(std::move(options)), rows(std::move(rows)) {
    start_manager();
    consume_messages();
  }

  ~generation_fixture() override { crash(); }

  // -- life

  void start_manager() {
    catalogue = spawn_catalogue_host(sys, rows, on_scheduler, counters);
    manager = sys.spawn(segue::manager, parent, directory, catalogue, transfers_actor{}, scripted_factory(script), options, &counters);
  }

  /// Every actor dies at once; the engines stay.
  void crash() {
    kill(manager);
    kill(catalogue);
    kill_all();
  }

  void start_again() {
    start();
    start_manager();
    consume_messages();
  }

  /// The actor that began the newest piece.
  caf::actor performer() const {
    return script->performers.empty() ? caf::actor{} : caf::actor_cast<caf::actor>(script->performers.back());
  }

  // -- generations

  /// Accepted, and not yet run any further than needed for that. Returns the row.
  generation_row accept(uint64_t seed = 1, double duration_s = 2.4, bool realtime = false) {
    auto accepted = post(manager, start_generation{"user", "a waltz", duration_s, seed, realtime});
    while (!accepted.here() && consume_message()) {
    }
    return accepted.reply().row;
  }

  generation_row find(const std::string& id) { return ask(manager, find_generation{id, {}}).reply().row; }

  /// The row as it is in the catalogue.
  generation_row stored(const std::string& id) { return rows->find(id).value_or(generation_row{}); }

  bool ended(const std::string& id) {
    auto found = ask(manager, find_generation{id, {}});
    return found.here() && found.code() == ec::none && found.reply().row.state != generation_state::queued
        && found.reply().row.state != generation_state::running;
  }

  /// Lets time go by until the generation has ended. Returns its row.
  generation_row end_of(const std::string& id) {
    pass_until([&] { return ended(id); });
    return find(id);
  }

  /// The events so far.
  std::vector<nlohmann::json> events(const std::string& id) {
    std::vector<nlohmann::json> all;
    auto batch = read(ask(directory, find_stream{events_path(id)}).reply().stream, 0).reply();
    for (const auto& record : batch.chunks) {
      auto rest = record.bytes.view();
      for (auto length : record.lengths) {
        all.push_back(nlohmann::json::parse(rest.substr(0, length), nullptr, false));
        rest.remove_prefix(length);
      }
    }
    return all;
  }

  /// The types of the events, a word each; runs of progress as one.
  std::string story(const std::string& id) {
    std::string told;
    std::string last;
    for (const auto& x : events(id)) {
      auto type = x.value("type", std::string{"?"});
      if (type != "progress" || type != last)
        told += (told.empty() ? "" : " ") + type;
      last = type;
    }
    return told;
  }

  /// Completed with exactly the scripted sound, closed streams, and one terminal event at the end.
  void check_complete(const generation_row& accepted) {
    auto row = find(accepted.request_id);
    auto piece = script->piece(row.seed, row.duration_s);
    CAF_CHECK_EQUAL(row.state, generation_state::completed);
    CAF_CHECK_EQUAL(row.decided, generation_state::completed);
    CAF_CHECK_EQUAL(row.audio_bytes, piece.size());
    CAF_CHECK(content(audio_path(row.request_id)) == piece);
    for (const auto& path : {audio_path(row.request_id), events_path(row.request_id)})
      CAF_CHECK(store->load_row(path).value_or(stream_row{}).closed);
    auto all = events(row.request_id);
    auto is_end = [](const nlohmann::json& x) {
      auto type = x.value("type", "");
      return type == "completed" || type == "failed" || type == "cancelled";
    };
    CAF_CHECK_EQUAL(std::count_if(all.begin(), all.end(), is_end), 1);
    if (all.empty())
      return;
    CAF_CHECK_EQUAL(all.front().value("type", ""), "queued");
    CAF_CHECK_EQUAL(all.back().value("type", ""), "completed");
    CAF_CHECK_EQUAL(all.back().value("bytes", size_t{0}), piece.size());
    CAF_CHECK_EQUAL(all.back().value("offset", ""), format_offset(piece.size()));
  }

  manager_options options;
  std::shared_ptr<catalogue_store> rows;
  std::shared_ptr<sound_script> script = std::make_shared<sound_script>();
  catalogue_actor catalogue;
  manager_actor manager;
};

/// Engines in memory: they live longer than the actors over them.
struct memory_engines {
  chunk_store_engine chunk_engine{"memory:"};
  catalogue_engine row_engine{"sqlite::memory:"};
};

class generation_world : memory_engines, public generation_fixture {
public:
  explicit generation_world(manager_options options = {})
      : generation_fixture(chunk_engine.get(), row_engine.get(), std::move(options)) {}
};

/// Calls `test` with 1, 2, 3 … until it says that there was nothing left to disturb.
template <class Test>
void at_every_point(size_t stride, Test test) {
  size_t at = 1;
  while (at < 3'000 && test(at))
    at += stride;
  CAF_CHECK_GREATER(at, 10u); // else hardly anything was disturbed
  CAF_CHECK_LESS(at, 3'000u);
}

} // namespace segue
