#define CAF_SUITE http.write_all

#include "http/write_all.hpp"

#include "adapters/memory/page_file.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>

#include <csignal>
#include <functional>
#include <random>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;
using namespace std::chrono_literals;

namespace {

struct fixture {
  asio::io_context io{1};
  asio::ip::tcp::socket ours{io};
  asio::ip::tcp::socket client{io};
  memory::page_file pages;
  bool sent = false;
  boost::system::error_code failed;

  fixture() {
    std::signal(SIGPIPE, SIG_IGN); // as the program does
    asio::ip::tcp::acceptor door{io, {asio::ip::address_v4::loopback(), 0}};
    client.connect(door.local_endpoint());
    ours = door.accept();
    ours.non_blocking(true);
  }

  asio::awaitable<void> run(std::vector<payload> bytes, write_limits limits) {
    try {
      co_await write_all(io, ours, std::move(bytes), limits);
      sent = true;
    } catch (const boost::system::system_error& e) {
      failed = e.code();
    }
  }

  void write(std::vector<payload> bytes, write_limits limits) {
    asio::co_spawn(io, run(std::move(bytes), limits), asio::detached);
  }

  payload in_file(const std::string& bytes) {
    std::vector<payload> one{payload{bytes}};
    return pages.add(one).at(0);
  }
};

std::string noise(size_t size) {
  static std::mt19937 random{7};
  std::string bytes(size, '\0');
  for (auto& x : bytes)
    x = static_cast<char>(random());
  return bytes;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(write_all_tests, fixture)

CAF_TEST(what lies in memory and what lies in files arrives in order whatever the slices) {
  for (size_t slice : {1'000u, 32u << 10, 512u << 10}) {
    std::string expected;
    std::vector<payload> parts;
    auto add = [&](payload x) {
      expected += x.view();
      parts.push_back(std::move(x));
    };
    add(payload{"head"});
    for (size_t size : {1u, 5'000u, 300'000u}) {
      auto both = noise(size * 2);
      std::vector<payload> halves{payload{both.substr(0, size)}, payload{both.substr(size)}};
      for (auto& x : pages.add(halves)) // side by side
        add(x);
      add(in_file(noise(size)).from(size / 2)); // elsewhere in the file
      add(payload{});
      add(payload{noise(size)});
    }
    for (int i = 0; i < 200; ++i) // more than one system call takes
      add(payload{noise(10)});
    sent = false;
    write(parts, {slice, 5s});
    std::string all(expected.size(), '\0');
    asio::async_read(client, asio::buffer(all), [](auto, auto) {});
    io.run_for(20s);
    io.restart();
    CAF_CHECK(sent);
    CAF_CHECK(all == expected);
  }
}

CAF_TEST(who takes it slowly gets everything) {
  auto bytes = noise(12 << 20); // more than the kernel keeps
  for (auto& part : {in_file(bytes), payload{bytes}}) {
    sent = false;
    write({part}, {512 << 10, 500ms});
    io.run_for(100ms);
    io.restart();
    CAF_CHECK(!sent);
    std::string all(bytes.size(), '\0');
    asio::async_read(client, asio::buffer(all), [](auto, auto) {});
    io.run_for(20s);
    io.restart();
    CAF_CHECK(sent);
    CAF_CHECK(all == bytes);
  }
}

CAF_TEST(others on the thread have their turn between two slices and not within one) {
  auto bytes = in_file(noise(100'000));
  auto turns_beside = [&](size_t slice) {
    size_t turns = 0;
    std::function<void()> turn = [&] {
      ++turns;
      if (!sent)
        asio::post(io, turn);
    };
    sent = false;
    asio::post(io, turn);
    write({bytes}, {slice, 5s});
    io.run_for(20s);
    io.restart();
    CAF_CHECK(sent);
    return turns;
  };
  CAF_CHECK_GREATER_OR_EQUAL(turns_beside(10'000), 9u);
  CAF_CHECK_LESS_OR_EQUAL(turns_beside(100'000), 2u); // before it, and after it
}

CAF_TEST(a client that takes nothing for too long is given up) {
  write({in_file(noise(12 << 20))}, {512 << 10, 50ms});
  io.run_for(20s);
  CAF_CHECK(!sent);
  CAF_CHECK_EQUAL(failed, asio::error::timed_out);
}

CAF_TEST(a client that has left is noticed) {
  client.close();
  for (auto& part : {in_file(noise(12 << 20)), payload{noise(12 << 20)}}) {
    failed = {};
    write({part, part}, {64 << 10, 5s});
    io.run_for(20s);
    io.restart();
    CAF_CHECK(!sent);
    CAF_CHECK(failed == asio::error::broken_pipe || failed == asio::error::connection_reset);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
