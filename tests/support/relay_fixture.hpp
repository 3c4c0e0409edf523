// A directory with its streams, and the relays of another node in front of it; what lies between nodes is left out.
#pragma once

#include "actors/cluster/relay_directory.hpp"

#include "tests/support/actor_fixture.hpp"

namespace segue {

struct relay_engine {
  chunk_store_engine engine{"memory:"};
};

class relay_fixture : public relay_engine, public actor_fixture {
public:
  explicit relay_fixture(relay_limits limits = {}) : actor_fixture(engine.get()) {
    ground.limits = limits;
    ground.link = std::make_shared<credits>(1 << 20);
    ground.replays = std::make_shared<credits>(1 << 20);
    ground.counters = &relayed;
    here = sys.spawn(relay_directory, std::string{"default"}, ground);
    bind();
  }

  ~relay_fixture() override {
    caf::anon_send_exit(here, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  /// The relays stand for this directory from now on.
  void bind() {
    caf::anon_send(here, tenant_services{directory, {}, {}, {}, "default", {}, role::admin});
    consume_messages();
  }

  /// The owner is gone: its actors have ended, and what they have stored has not.
  void lose_owner() { kill_all(); }

  void owner_is_back() {
    start();
    bind();
  }

  stream_actor find(const std::string& path = "a") { return ask(here, find_stream{path}).reply().stream; }

  /// How many reads wait at the tail of a stream, at its owner.
  uint64_t parked(const stream_actor& at_owner) { return ask(at_owner, describe_actor{}).reply().queued; }

  static std::string text_of(const chunk_batch& batch) {
    std::string text;
    for (const auto& x : batch.chunks)
      text += x.bytes.view();
    return text;
  }

  metrics relayed; ///< of the edge node
  relay_ground ground;
  relay_impl<directory_actor> here;
};

} // namespace segue
