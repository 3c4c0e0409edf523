#define CAF_SUITE http.shared_frame

#include "http/shared_frame.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

struct connected {
  int ends[2];

  connected() {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
      throw std::runtime_error("socketpair");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK); // as all sockets of the edge
  }
  ~connected() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  std::string read(size_t size) const {
    std::string bytes(size, '\0');
    auto got = ::recv(ends[1], bytes.data(), size, MSG_WAITALL);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
};

std::string numbers(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

} // namespace

CAF_TEST(small or large and for few or many every socket gets the same bytes) {
  for (size_t size : {1u, 1'000u, 16'500u, 100'000u})
    for (size_t listeners : {1u, 1'000u}) {
      auto bytes = numbers(size);
      shared_frame frame{payload{bytes}, listeners};
      connected one, other;
      CAF_CHECK_EQUAL(frame.send_now(one.ends[0]), size);
      CAF_CHECK_EQUAL(frame.send_now(other.ends[0]), size);
      CAF_CHECK(one.read(size) == bytes);
      CAF_CHECK(other.read(size) == bytes);
    }
}

CAF_TEST(what was sent can still be read when the frame is gone) {
  auto bytes = numbers(50'000);
  connected slow;
  CAF_CHECK_EQUAL((shared_frame{payload{bytes}, 1'000}.send_now(slow.ends[0])), bytes.size());
  shared_frame another{payload{std::string(50'000, 'x')}, 1'000}; // would take pages that are free
  CAF_CHECK(slow.read(bytes.size()) == bytes);
}

CAF_TEST(a full socket takes a beginning and says how much) {
  auto bytes = numbers(4 << 20);
  shared_frame frame{payload{bytes}, 1'000};
  connected slow;
  auto sent = frame.send_now(slow.ends[0]);
  CAF_CHECK(sent > 0 && sent < bytes.size());
  CAF_CHECK(slow.read(sent) == bytes.substr(0, sent));
}

CAF_TEST(a broken socket takes nothing) {
  std::signal(SIGPIPE, SIG_IGN); // as the server does
  shared_frame frame{payload{numbers(50'000)}, 1'000};
  connected left;
  ::shutdown(left.ends[1], SHUT_RD);
  CAF_CHECK_EQUAL(frame.send_now(left.ends[0]), 0u);
}
