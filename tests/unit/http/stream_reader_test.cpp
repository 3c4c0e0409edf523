#define CAF_SUITE http.stream_reader

#include "http/stream_reader.hpp"

#include <boost/asio/co_spawn.hpp>

#include "tests/support/stub_actors.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

std::string resolved(const std::string& text, position tail) {
  auto at = resolve(*parse_offset(text), tail);
  return at ? std::to_string(*at) : "none";
}

/// A tenant with one stream, whose parts can die; and an I/O thread that reads it.
struct fixture {
  test_config config;
  caf::actor_system system{config};
  tenant_services services;
  stream_actor stream;
  int64_t created_at_ms = 1;
  registry_actor registry;
  asio::io_context io{1};
  io_unit unit{system, io};
  session asking{unit};

  fixture() {
    services.tenant = "one";
    services.may = role::admin;
    begin();
    registry = system.spawn([this]() -> registry_actor::behavior_type {
      return {
          [](const resolve_tenant&) { return tenant_services{}; },
          [this](const find_tenant& x) -> caf::result<tenant_services> {
            if (x.name != "one")
              return caf::make_error(ec::not_found);
            return services;
          },
          [](const check_readiness&) { return readiness_checked{}; },
          [](const describe_actor&) { return actor_description{}; },
      };
    });
  }

  ~fixture() {
    end();
    kill(registry);
  }

  void begin() {
    stream = stub_stream(system);
    services.directory = stub_directory(system, [x = stream, created = created_at_ms](const find_stream& wanted) {
      stream_opened found{x, {}, false};
      found.row.path = wanted.path;
      found.row.created_at_ms = created;
      return found;
    });
  }

  template <class Handle>
  void kill(const Handle& x) {
    caf::scoped_actor self{system};
    self->send_exit(x, caf::exit_reason::kill);
    self->wait_for(x);
  }

  void end() {
    kill(stream);
    kill(services.directory);
  }

  template <class Act>
  void run(Act act) {
    io.restart();
    asio::co_spawn(io, act(), [this](std::exception_ptr) { io.stop(); });
    io.run();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_reader_tests, fixture)

CAF_TEST(a stream is read on when its directory has died and another one has taken its place) {
  stream_reader reader{asking, registry};
  ec opened = ec::internal, first = ec::internal, second = ec::internal;
  run([&]() -> asio::awaitable<void> {
    opened = code_of(co_await reader.open(services, "a"));
    auto batch = co_await reader.read(7, 1, 0);
    first = batch ? ec::none : code_of(batch.error());
  });
  end();
  begin();
  run([&]() -> asio::awaitable<void> {
    auto batch = co_await reader.read(7, 1, 0);
    second = batch ? ec::none : code_of(batch.error());
  });
  CAF_CHECK_EQUAL(opened, ec::none);
  CAF_CHECK_EQUAL(first, ec::none);
  CAF_CHECK_EQUAL(second, ec::none);
}

CAF_TEST(a stream that another one has taken the place of is not read on) {
  stream_reader reader{asking, registry};
  ec read = ec::internal;
  run([&]() -> asio::awaitable<void> { co_await reader.open(services, "a"); });
  end();
  created_at_ms = 2;
  begin();
  run([&]() -> asio::awaitable<void> {
    auto batch = co_await reader.read(7, 1, 0);
    read = batch ? ec::none : code_of(batch.error());
  });
  CAF_CHECK_EQUAL(read, ec::not_found);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(an offset means a position up to the tail) {
  CAF_CHECK_EQUAL(resolved("-1", 100), "0");
  CAF_CHECK_EQUAL(resolved("-1", 0), "0");
  CAF_CHECK_EQUAL(resolved("now", 100), "100");
  CAF_CHECK_EQUAL(resolved("now", 0), "0");
  CAF_CHECK_EQUAL(resolved(format_offset(0), 0), "0");
  CAF_CHECK_EQUAL(resolved(format_offset(99), 100), "99");
  CAF_CHECK_EQUAL(resolved(format_offset(100), 100), "100");
}

CAF_TEST(an offset past the tail means nothing) {
  CAF_CHECK_EQUAL(resolved(format_offset(1), 0), "none");
  CAF_CHECK_EQUAL(resolved(format_offset(101), 100), "none");
  CAF_CHECK_EQUAL(resolved(format_offset(UINT64_MAX), UINT64_MAX - 1), "none");
}

CAF_TEST(a query without an offset begins at the start) {
  CAF_CHECK_EQUAL(resolve(offset_query{}, 7).value_or(99), 0u);
}

CAF_TEST(a bad offset is a bad request) {
  CAF_CHECK_EQUAL(bad_offset().status, 400u);
  CAF_CHECK_EQUAL(bad_offset().code, "bad_offset");
}
