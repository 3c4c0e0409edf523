#define CAF_SUITE adapters.page_file

#include "adapters/memory/page_file.hpp"

#include <optional>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.hpp"

using namespace segue;
using segue::memory::page_file;

namespace {

std::string numbers(size_t size, int seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>(i * 31 + i / 251 + static_cast<size_t>(seed));
  return bytes;
}

std::string in_file(const payload& x) {
  std::string bytes(x.size(), '\0');
  auto got = ::pread(x.file(), bytes.data(), bytes.size(), static_cast<off_t>(x.offset()));
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

uint64_t memory_of(int file) {
  struct stat status {};
  CAF_REQUIRE_EQUAL(::fstat(file, &status), 0);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

} // namespace

CAF_TEST(what is put into the file is there and looks as it did) {
  page_file pages;
  std::vector<payload> bytes{payload{numbers(70'000, 1)}, payload{numbers(3, 2)}, payload{numbers(9'000, 3)}};
  auto there = pages.add(bytes);
  CAF_REQUIRE_EQUAL(there.size(), bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    CAF_CHECK(there[i] == bytes[i]);
    CAF_CHECK(in_file(there[i]) == bytes[i].view());
    CAF_CHECK(in_file(there[i].from(2)) == bytes[i].view().substr(2));
  }
  CAF_CHECK_EQUAL(there[1].offset(), there[0].offset() + there[0].size()); // so that both are sent in one go
  CAF_CHECK_EQUAL(payload{"elsewhere"}.file(), -1);
}

CAF_TEST(records of any number lie side by side) {
  page_file pages;
  std::vector<payload> bytes;
  for (int i = 0; i < 5'000; ++i) // more than the system takes in one call
    bytes.push_back(payload{numbers(i % 7 == 0 ? 0 : 100 + static_cast<size_t>(i) % 50, i)});
  auto there = pages.add(bytes);
  CAF_REQUIRE_EQUAL(there.size(), bytes.size());
  auto next = there.front().offset();
  for (size_t i = 0; i < bytes.size(); ++i) {
    CAF_CHECK_EQUAL(there[i].offset(), next);
    CAF_CHECK(in_file(there[i]) == bytes[i].view());
    next += bytes[i].size();
  }
}

CAF_TEST(nothing is put for nothing) {
  page_file pages;
  CAF_CHECK(pages.add({}).empty());
  std::vector<payload> empty(2);
  CAF_CHECK(pages.add(empty).empty());
}

CAF_TEST(the memory comes free with the last who shows it and never before) {
  std::optional<page_file> pages{std::in_place};
  std::vector<payload> bytes{payload{numbers(1 << 20, 1)}, payload{numbers(5, 2)}};
  auto first = pages->add(bytes);
  auto second = pages->add(bytes);
  auto file = ::dup(first[0].file());
  CAF_CHECK_GREATER_OR_EQUAL(memory_of(file), 2u << 20);
  first[0] = {};
  CAF_CHECK_GREATER_OR_EQUAL(memory_of(file), 2u << 20); // the other part is still shown
  first.clear();
  CAF_CHECK_LESS(memory_of(file), (1u << 20) + 100'000u);
  pages.reset();
  CAF_CHECK(second[0] == bytes[0]);
  CAF_CHECK(in_file(second[1]) == bytes[1].view());
  second.clear();
  CAF_CHECK_EQUAL(memory_of(file), 0u);
  ::close(file);
}

CAF_TEST(what a socket has taken stays as it was when the memory is given back and used again) {
  page_file pages;
  int ends[2];
  CAF_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  auto expected = numbers(100'000, 1);
  std::vector<payload> bytes{payload{expected}};
  auto there = pages.add(bytes);
  off_t from = 0;
  CAF_REQUIRE_EQUAL(::sendfile(ends[0], there[0].file(), &from, expected.size()), 100'000);
  there.clear();
  std::vector<payload> others{payload{numbers(100'000, 77)}};
  auto kept = pages.add(others);
  std::string got(expected.size(), '\0');
  CAF_CHECK_EQUAL(::recv(ends[1], got.data(), got.size(), MSG_WAITALL), 100'000);
  CAF_CHECK(got == expected);
  ::close(ends[0]);
  ::close(ends[1]);
}
