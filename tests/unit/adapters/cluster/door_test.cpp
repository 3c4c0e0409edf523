#define CAF_SUITE adapters.cluster.door

#include "adapters/cluster/door.hpp"

#include <condition_variable>
#include <csignal>

#include <poll.h>
#include <unistd.h>

#include "tests/support/test.hpp"

using namespace segue::cluster;
using namespace std::chrono_literals;

namespace {

const std::string secret = "a secret of more than sixteen bytes";

/// Who came, and who did not.
struct visitors {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> inside;
  std::vector<std::string> refused;
  std::vector<encrypted> sockets;
  std::atomic<uint64_t> last = 0; ///< visit

  door_keeper keeper() {
    return {
        [this](const guest& x) {
          note(inside, x.who.id + " " + x.who.name);
          last = x.visit;
        },
        [this](encrypted x) {
          std::lock_guard lock{mutex};
          sockets.push_back(std::move(x));
          changed.notify_all();
        },
        [this](const std::string&, const std::string& why) { note(refused, why); },
    };
  }

  void note(std::vector<std::string>& where, const std::string& what) {
    std::lock_guard lock{mutex};
    where.push_back(what);
    changed.notify_all();
  }

  template <class Predicate>
  bool wait(Predicate until) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 5s, until);
  }
};

struct fixture {
  visitors came;
  door at{door_options{"127.0.0.1", 0, {"owner", "near", "one"}, secret, 500ms, 4}};

  fixture() { at.open(came.keeper()); }
  ~fixture() { at.stop(); }

  std::unique_ptr<secrecy> with; ///< of the last one who said hello

  static deadline soon() { return std::chrono::steady_clock::now() + 5s; }

  wire knock() { return dial("127.0.0.1", at.port(), soon()); }

  /// Says hello; empty: let in, else why not.
  std::string hello(wire& socket, const std::string& id, const std::string& key = secret, const std::string& interface = "one") {
    signal(SIGPIPE, SIG_IGN); // as the program does
    try {
      caller talk{{id, "far", interface}, key};
      socket.write_line(talk.greeting(), soon());
      socket.write_line(talk.prove(socket.read_line(soon())), soon());
      talk.believe(socket.read_line(soon()));
      with = std::make_unique<secrecy>(socket, secrecy::side::caller, talk.key(), soon());
      return {};
    } catch (const std::exception& e) {
      return e.what();
    }
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool hung_up(const wire& x) {
  if (!readable(x.socket(), std::chrono::steady_clock::now() + 5s))
    return false;
  char byte = 0;
  return ::read(x.socket(), &byte, 1) <= 0;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(door_tests, fixture)

CAF_TEST(who knows the secret is let in and what follows is encrypted) {
  auto socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  CAF_REQUIRE(came.wait([this] { return came.sockets.size() == 1; }));
  CAF_CHECK_EQUAL(came.inside.at(0), "a far");
  auto& there = *came.sockets[0].with;
  const std::string text(100'000, 'x');
  size_t sent = 0;
  std::string heard;
  while (heard.size() < text.size()) {
    auto out = sent < text.size() ? there.write(text.data() + sent, text.size() - sent) : secrecy::progress{};
    sent = std::min(sent + out.bytes, text.size());
    char buffer[5000];
    auto in = with->read(buffer, sizeof buffer);
    CAF_REQUIRE(!out.broken && !in.broken);
    heard.append(buffer, in.bytes);
  }
  CAF_CHECK(heard.substr(0, text.size()) == text);
}

CAF_TEST(who has another key than the hello gave hears nothing) {
  auto socket = knock();
  caller talk{{"a", "far", "one"}, secret};
  socket.write_line(talk.greeting(), soon());
  socket.write_line(talk.prove(socket.read_line(soon())), soon());
  talk.believe(socket.read_line(soon()));
  std::string why;
  try {
    secrecy wrong{socket, secrecy::side::caller, std::string(64, '0'), soon()};
  } catch (const wire_error& e) {
    why = e.what();
  }
  CAF_CHECK_EQUAL(why, "no encryption came about");
  CAF_CHECK(came.wait([this] { return came.refused.size() == 1; }));
  CAF_CHECK(came.inside.empty());
}

CAF_TEST(who does not is told why and noted) {
  auto socket = knock(), other = knock();
  CAF_CHECK(has(hello(socket, "a", "another secret altogether"), "--cluster-secret"));
  CAF_CHECK(has(hello(other, "b", secret, "two"), "interface"));
  CAF_CHECK(came.wait([this] { return came.refused.size() == 2; }));
  CAF_CHECK(came.inside.empty() && came.sockets.empty());
}

CAF_TEST(who says nothing is sent away after a while and keeps out nobody else) {
  auto silent = knock(), socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  CAF_CHECK(hung_up(silent));
  CAF_CHECK(came.wait([this] { return came.refused.size() == 1; }));
}

CAF_TEST(whoever says nothing makes way for who comes later and keeps nobody out) {
  std::vector<wire> silent;
  for (int i = 0; i < 12; ++i)
    silent.push_back(knock());
  CAF_CHECK(came.wait([this] { return came.refused.size() == 8; }));
  auto socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  CAF_CHECK(hung_up(silent.front()));
  CAF_CHECK(came.wait([this] { return came.refused.size() == 12; })); // the last ones because their time was over
  CAF_CHECK_EQUAL(came.refused.front(), "too many say hello at a time");
}

CAF_TEST(a node that is cut off sees it and may come again when it is forgotten) {
  auto socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  CAF_REQUIRE(came.wait([this] { return came.sockets.size() == 1; }));
  CAF_CHECK(at.quiet(came.last) < 5s);
  at.cut(came.last + 1);
  CAF_CHECK(at.quiet(came.last) < 5s);
  at.cut(came.last);
  CAF_CHECK(hung_up(socket));
  CAF_CHECK(at.quiet(came.last) > 1h);
  at.forget(came.last);
  auto again = knock();
  CAF_CHECK_EQUAL(hello(again, "a"), "");
}

CAF_TEST(a node that comes again takes the place of itself) {
  auto socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  auto again = knock();
  CAF_CHECK_EQUAL(hello(again, "a"), "");
  CAF_CHECK(hung_up(socket));
  CAF_CHECK(came.wait([this] { return came.sockets.size() == 2; }));
}

CAF_TEST(forgetting a former link leaves the next one of its node alone) {
  auto socket = knock();
  CAF_CHECK_EQUAL(hello(socket, "a"), "");
  auto former = came.last.load();
  auto again = knock();
  CAF_CHECK_EQUAL(hello(again, "a"), "");
  CAF_REQUIRE(came.wait([this] { return came.sockets.size() == 2; }));
  at.forget(former);
  CAF_CHECK(at.quiet(came.last) < 5s);
}

CAF_TEST(a door that is closed lets nobody in) {
  auto silent = knock();
  std::this_thread::sleep_for(50ms);
  at.stop();
  CAF_CHECK(hung_up(silent));
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(an address that is taken is said) {
  auto taken = listen_on("127.0.0.1", 0);
  std::string why;
  try {
    door second{door_options{"127.0.0.1", port_of(taken.socket()), {}, secret}};
  } catch (const wire_error& e) {
    why = e.what();
  }
  CAF_CHECK(has(why, "in use"));
}
