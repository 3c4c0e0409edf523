#define CAF_SUITE actors.lineage

#include "actors/lineage.hpp"

#include <random>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

std::string line(const std::vector<ancestor>& lineage) {
  std::string text;
  for (const auto& x : lineage)
    text += std::to_string(x.id) + "<" + std::to_string(x.until) + " ";
  return text;
}

/// A fork of `parent` at `at` that has grown by `grown` since.
stream_row fork(const stream_row& parent, stream_id id, position at, position grown) {
  stream_row row;
  row.id = id;
  row.parent = parent.id;
  row.fork_position = at;
  row.lineage = lineage_of_fork(parent, at);
  row.tail = at + grown;
  return row;
}

stream_row stream(stream_id id, position tail) {
  stream_row row;
  row.id = id;
  row.tail = tail;
  return row;
}

} // namespace

CAF_TEST(a stream holds its own bytes) { CAF_CHECK_EQUAL(line(holders_of(stream(1, 10))), "1<10 "); }

CAF_TEST(a fork has the beginning of its parent) {
  CAF_CHECK_EQUAL(line(holders_of(fork(stream(1, 10), 2, 4, 5))), "1<4 2<9 ");
  CAF_CHECK_EQUAL(line(holders_of(fork(stream(1, 10), 2, 0, 5))), "2<5 ");
}

CAF_TEST(a fork of a fork has the beginnings of both) {
  auto second = fork(stream(1, 10), 2, 4, 6);
  CAF_CHECK_EQUAL(line(holders_of(fork(second, 3, 7, 1))), "1<4 2<7 3<8 ");
  CAF_CHECK_EQUAL(line(holders_of(fork(second, 3, 4, 1))), "1<4 3<5 ");
  CAF_CHECK_EQUAL(line(holders_of(fork(second, 3, 2, 1))), "1<2 3<3 ");
}

CAF_TEST(every byte of a chain of forks is the one its stream had) {
  std::mt19937 dice{7};
  auto below = [&](uint64_t bound) { return std::uniform_int_distribution<uint64_t>{0, bound - 1}(dice); };
  for (int round = 0; round < 200; ++round) {
    std::vector<stream_row> rows{stream(1, below(30))};
    std::vector<std::vector<stream_id>> bytes{std::vector<stream_id>(rows[0].tail, 1)}; // who appended each byte
    for (stream_id id = 2; id < 8; ++id) {
      auto of = below(rows.size());
      auto at = below(rows[of].tail + 1);
      rows.push_back(fork(rows[of], id, at, below(10)));
      bytes.emplace_back(bytes[of].begin(), bytes[of].begin() + static_cast<ptrdiff_t>(at));
      bytes.back().resize(rows.back().tail, id);
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<stream_id> read;
      for (const auto& holder : holders_of(rows[i]))
        read.resize(std::max<size_t>(read.size(), holder.until), holder.id);
      CAF_CHECK(read == bytes[i]);
    }
  }
}
