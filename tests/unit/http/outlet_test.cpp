#define CAF_SUITE http.outlet

#include "http/outlet.hpp"

#include <boost/asio/io_context.hpp>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;
using namespace std::chrono_literals;

namespace {

constexpr size_t bound = 1 << 20;

/// One thread's listeners, none of whom takes anything.
struct crowd {
  explicit crowd(metrics& counters) : limits{1min, bound, counters} {}

  outlet& add() {
    asio::ip::tcp::acceptor door{io, {asio::ip::address_v4::loopback(), 0}};
    clients.emplace_back(io).connect(door.local_endpoint());
    auto& ours = sockets.emplace_back(door.accept());
    ours.set_option(asio::socket_base::send_buffer_size{1 << 16});
    ours.non_blocking(true);
    outlets.push_back(std::make_unique<outlet>(ours, pool));
    fill(*outlets.back());
    return *outlets.back();
  }

  /// Until its socket takes no more.
  static void fill(outlet& x) {
    while (x.idle())
      x.send(payload{std::string(1 << 16, 'x')});
  }

  asio::io_context io{1};
  outlet_limits limits;
  outlet_pool pool{limits};
  std::list<asio::ip::tcp::socket> clients;
  std::list<asio::ip::tcp::socket> sockets;
  std::vector<std::unique_ptr<outlet>> outlets;
};

const payload most{std::string(bound * 3 / 4, 'x')};

} // namespace

CAF_TEST(who has kept longest is cut off when a thread keeps too much and nobody of another thread) {
  metrics counters;
  crowd here{counters};
  crowd there{counters};
  auto& other = there.add();
  other.send(most);
  auto& first = here.add();
  first.send(most);
  CAF_CHECK(!other.failed() && !first.failed());
  auto& second = here.add();
  second.send(most);
  CAF_CHECK(!other.failed() && first.failed() && !second.failed());
  CAF_CHECK_EQUAL(counters.listeners_cut.Value(), 1);
  CAF_CHECK_GREATER(counters.bytes_waiting.Value(), 2.0 * most.size());
  here.outlets.clear();
  there.outlets.clear();
  CAF_CHECK_EQUAL(counters.bytes_waiting.Value(), 0);
}
