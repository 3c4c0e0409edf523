// Random writes to every log engine, compared with the memory engine as the reference model.
#define CAF_SUITE contract.chunk_store_model

#include "adapters/memory/memory_chunk_store.hpp"

#include <algorithm>
#include <random>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

const std::vector<std::string> paths{"a", "ab", "b", "c/d"};

/// Draws writes that are sometimes right and sometimes stale, and keeps every id and row it has seen.
class player {
public:
  explicit player(uint32_t seed) : dice_(seed) {}

  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>{0, bound - 1}(dice_); }
  bool once_in(size_t times) { return below(times) == 0; }
  const std::string& path() { return paths[below(paths.size())]; }

  stream_write draw(const std::vector<stream_row>& rows) {
    auto kind = below(10);
    if (kind == 0 || rows.empty())
      return draw_create();
    if (kind == 1)
      return claim_stream{path()};
    if (kind == 2 && once_in(3))
      return delete_stream{path()};
    return draw_put(rows[below(rows.size())]);
  }

private:
  create_stream draw_create() {
    stream_wish wish{path(), once_in(2) ? "audio/mpeg" : "text/plain"};
    if (once_in(3))
      wish.ttl_s = static_cast<int64_t>(below(100));
    if (once_in(2)) {
      wish.forked_from = path();
      wish.fork_position = once_in(3) ? at_tail : below(2000);
    }
    if (once_in(3))
      wish.first = payload{std::string(1 + below(50), 'f')};
    wish.close = once_in(10);
    return {std::move(wish), static_cast<int64_t>(below(1000)), once_in(20) ? 1 : UINT64_MAX,
        once_in(20) ? 40 : UINT64_MAX};
  }

  put_chunks draw_put(const stream_row& row) {
    put_chunks x{row.id, row.owner_epoch, row.tail, {}, {}, {}, once_in(12), {}};
    if (once_in(8))
      x.owner_epoch += once_in(2) ? 1 : -1;
    if (once_in(8))
      x.expected_tail += below(5);
    auto at = x.expected_tail;
    for (auto n = below(4) + (x.close ? 0 : 1); n > 0; --n) {
      std::vector<uint32_t> lengths;
      std::string text;
      for (auto m = below(3); m > 0; --m) {
        lengths.push_back(static_cast<uint32_t>(1 + below(9)));
        text.append(lengths.back(), static_cast<char>(below(256)));
      }
      if (text.empty())
        text.assign(1 + below(3000), static_cast<char>(below(256)));
      x.chunks.push_back({at, payload{text}, lengths});
      at += text.size();
    }
    for (const auto* id : {"p", "pq", "q"})
      if (once_in(3))
        x.producers.push_back({id, below(4), below(100)});
    if (once_in(4))
      x.stream_seq = std::to_string(below(1000));
    if (x.close && once_in(2))
      x.closed_by = {"p", 1, 2};
    return x;
  }

  std::mt19937 dice_;
};

bool same(std::vector<producer_tag> a, std::vector<producer_tag> b) {
  auto by_id = [](auto& x, auto& y) { return x.id < y.id; };
  std::sort(a.begin(), a.end(), by_id);
  std::sort(b.begin(), b.end(), by_id);
  return a == b;
}

bool same(const write_outcome& a, const write_outcome& b) {
  if (a.code != b.code)
    return false;
  return a.code != ec::none
      || (a.written.row == b.written.row && a.written.created == b.written.created
          && same(a.written.producers, b.written.producers));
}

bool same(const std::vector<chunk>& a, const std::vector<chunk>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const chunk& x, const chunk& y) {
    return x.start == y.start && x.bytes == y.bytes && x.lengths == y.lengths;
  });
}

/// Plays the same writes to both and compares outcomes and everything that can be read.
void play(chunk_store_engine& store, uint32_t seed, size_t rounds) {
  memory::memory_chunk_store model;
  player dice{seed};
  stream_id last_id = 1;
  std::vector<stream_row> seen; // the newest row of each path, also of deleted ones
  auto agree = true;
  auto check = [&](bool same_answers, const char* what, size_t round) {
    if (!same_answers && agree)
      CAF_ERROR("seed " << seed << ", round " << round << ": " << what << " differ");
    agree = agree && same_answers;
  };
  for (size_t round = 0; round < rounds && agree; ++round) {
    std::vector<stream_write> writes;
    for (auto n = 1 + dice.below(5); n > 0; --n)
      writes.push_back(dice.draw(seen));
    auto expected = model.commit(writes);
    auto found = store->commit(writes);
    check(std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
              [](auto& a, auto& b) { return same(a, b); }), "outcomes", round);
    if (dice.once_in(40))
      store->reopen();
    if (dice.once_in(40))
      store.restart();
    for (const auto& path : paths) {
      auto row = model.load_row(path);
      check(store->load_row(path) == row, "rows", round);
      if (!row)
        continue;
      last_id = std::max(last_id, row->id);
      std::erase_if(seen, [&](const stream_row& x) { return x.path == path; });
      seen.push_back(*row);
    }
    auto above = dice.below(last_id + 1);
    check(store->load_expiring(above, 3) == model.load_expiring(above, 3), "what expires", round);
    for (stream_id id = 0; id <= last_id + 1; ++id) {
      auto after = dice.below(3000);
      auto limit = dice.below(4000);
      check(same(store->load_chunks(id, after, limit), model.load_chunks(id, after, limit)), "chunks", round);
    }
  }
  for (stream_id id = 0; id <= last_id + 1; ++id)
    check(same(store->load_chunks(id, 0, UINT64_MAX), model.load_chunks(id, 0, UINT64_MAX)), "all chunks", rounds);
  CAF_CHECK(agree);
}

} // namespace

CAF_TEST(every engine answers random writes and reads like the model) {
  for (uint32_t seed = 1; seed <= 3; ++seed)
    for_each_chunk_store([seed](chunk_store_engine& store) { play(store, seed, 250); });
}
