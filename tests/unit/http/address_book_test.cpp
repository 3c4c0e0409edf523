#define CAF_SUITE http.address_book

#include "http/address_book.hpp"

#include <boost/asio/co_spawn.hpp>

#include <future>

#include "tests/support/stub_actors.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

/// A directory whose streams belong to alice, and an I/O thread that asks it.
struct fixture {
  test_config config;
  caf::actor_system system{config};
  size_t finds = 0;
  std::map<std::string, stream_actor> streams;
  std::map<std::string, std::future<void>> ended;
  tenant_services services;
  asio::io_context io{1};
  io_unit unit{system, io};
  session asking{unit};
  address_book book{registry_actor{}};

  fixture() {
    services.tenant = "one";
    services.user_id = "alice";
    services.may = role::reader;
    services.directory = stub_directory(system, [this](const find_stream& x) {
      ++finds;
      auto& stream = streams[x.path];
      if (!stream)
        stream = start_stream(x.path);
      stream_opened found{stream, {}, false};
      found.row.path = x.path;
      found.row.user_id = "alice";
      return found;
    });
  }

  ~fixture() {
    for (auto& [path, stream] : streams)
      caf::anon_send_exit(stream, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(services.directory, caf::exit_reason::user_shutdown);
  }

  stream_actor start_stream(const std::string& path) {
    auto stream = stub_stream(system);
    auto over = std::make_shared<std::promise<void>>();
    ended[path] = over->get_future();
    caf::actor_cast<caf::abstract_actor*>(stream)->attach_functor([over] { over->set_value(); }); // who came first is told last
    return stream;
  }

  /// Whom the book names, or why not.
  caf::expected<address_book::known_stream> look_up(const std::string& path) {
    caf::expected<address_book::known_stream> found{caf::make_error(ec::internal)};
    auto ask = [&]() -> asio::awaitable<void> { found = co_await book.stream(asking, services, path); };
    io.restart();
    asio::co_spawn(io, ask(), [this](std::exception_ptr) { io.stop(); });
    io.run();
    return found;
  }

  void end(const std::string& path) {
    caf::anon_send_exit(std::exchange(streams[path], stream_actor{}), caf::exit_reason::user_shutdown);
    ended[path].wait();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(address_book_tests, fixture)

CAF_TEST(who is known is not asked for again until he has ended) {
  auto first = look_up("a");
  auto again = look_up("a");
  CAF_REQUIRE(first && again);
  CAF_CHECK((*first)->stream == (*again)->stream);
  CAF_CHECK_EQUAL(finds, 1u);
  end("a");
  auto next = look_up("a");
  CAF_REQUIRE(next);
  CAF_CHECK((*next)->stream == streams["a"]);
  CAF_CHECK((*next)->stream != (*first)->stream);
  CAF_CHECK_EQUAL(finds, 2u);
}

CAF_TEST(who was forgotten is asked for again) {
  look_up("a");
  look_up("b");
  book.forget(services, "a");
  look_up("a");
  look_up("b");
  CAF_CHECK_EQUAL(finds, 3u);
}

CAF_TEST(of one tenant nothing is known to another nor to another user) {
  look_up("a");
  services.tenant = "two";
  look_up("a");
  CAF_CHECK_EQUAL(finds, 2u);
  services.user_id = "bob";
  CAF_CHECK_EQUAL(code_of(look_up("a").error()), ec::not_found);
  services.may = role::admin;
  CAF_CHECK(look_up("a"));
  CAF_CHECK_EQUAL(finds, 2u);
}

CAF_TEST(who has ended is not remembered for long) {
  look_up("stays");
  auto stays = book.size();
  for (int i = 0; i < 1'000; ++i) {
    auto path = std::to_string(i);
    look_up(path);
    end(path);
  }
  CAF_CHECK_LESS(book.size(), stays + 2 * 70);
  auto before = finds;
  look_up("stays");
  CAF_CHECK_EQUAL(finds, before);
}

CAF_TEST(a book that is full begins anew) {
  for (int i = 0; i < 3'000; ++i)
    look_up(std::to_string(i));
  CAF_CHECK_LESS(book.size(), 3'300u);
  auto before = finds;
  look_up("2999");
  CAF_CHECK_EQUAL(finds, before);
}

CAF_TEST_FIXTURE_SCOPE_END()
