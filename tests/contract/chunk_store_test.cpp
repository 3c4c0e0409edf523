// What every log engine promises, see `adapters/ports.hpp`. The memory engine is the reference model of the last test.
#define CAF_SUITE contract.chunk_store

#include "adapters/memory/memory_chunk_store.hpp"

#include <algorithm>
#include <random>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

std::vector<write_outcome> commit(chunk_store& store, const std::vector<stream_write>& writes) {
  auto outcomes = store.commit(writes);
  CAF_CHECK_EQUAL(outcomes.size(), writes.size());
  outcomes.resize(writes.size());
  return outcomes;
}

write_outcome commit_one(chunk_store& store, stream_write write) { return commit(store, {std::move(write)}).front(); }

stream_row create(chunk_store& store, const std::string& path = "a", const std::string& type = "audio/mpeg") {
  return commit_one(store, create_stream{{path, type}, 7}).written.row;
}

/// Records of these texts at the tail of the row.
put_chunks put(const stream_row& row, const std::vector<std::string>& texts, bool close = false) {
  put_chunks x{row.id, row.owner_epoch, row.tail, {}, {}, {}, close, {}};
  auto at = row.tail;
  for (const auto& text : texts) {
    x.chunks.push_back({at, payload{text}, {}});
    at += text.size();
  }
  return x;
}

/// The records as one line: start, bytes and message lengths of each.
std::string line(const std::vector<chunk>& records) {
  std::string out;
  for (const auto& x : records) {
    out += std::to_string(x.start) + ":" + std::string{x.bytes.view()};
    for (auto length : x.lengths)
      out += "/" + std::to_string(length);
    out += ' ';
  }
  return out;
}

std::string line(std::vector<producer_tag> tags) {
  std::sort(tags.begin(), tags.end(), [](auto& a, auto& b) { return a.id < b.id; });
  std::string out;
  for (const auto& x : tags)
    out += x.id + "," + std::to_string(x.epoch) + "," + std::to_string(x.seq) + " ";
  return out;
}

std::string all(chunk_store& store, stream_id id) { return line(store.load_chunks(id, 0, UINT64_MAX)); }

std::vector<producer_tag> producers_of(chunk_store& store, const std::string& path) {
  return commit_one(store, claim_stream{path}).written.producers;
}

} // namespace

CAF_TEST(creating is idempotent and keeps what was there) {
  for_each_chunk_store([](chunk_store_engine& store) {
    CAF_CHECK(!store->load_row("a"));
    auto first = commit_one(*store, create_stream{{"a", "audio/mpeg"}, 7});
    CAF_CHECK_EQUAL(first.code, ec::none);
    CAF_CHECK(first.written.created);
    stream_row expected;
    expected.id = first.written.row.id;
    expected.path = "a";
    expected.content_type = "audio/mpeg";
    expected.owner_epoch = 1;
    expected.created_at_ms = 7;
    CAF_CHECK_NOT_EQUAL(expected.id, 0u);
    CAF_CHECK_EQUAL(first.written.row, expected);
    auto again = commit_one(*store, create_stream{{"a", "text/plain"}, 9});
    CAF_CHECK_EQUAL(again.code, ec::none);
    CAF_CHECK(!again.written.created);
    CAF_CHECK_EQUAL(again.written.row, expected);
    CAF_CHECK(store->load_row("a") == expected);
    CAF_CHECK_NOT_EQUAL(create(*store, "b").id, expected.id);
  });
}

CAF_TEST(ids are never used again) {
  for_each_chunk_store([](chunk_store_engine& store) {
    std::vector<stream_id> seen;
    for (int round = 0; round < 4; ++round) {
      auto id = create(*store).id;
      CAF_CHECK(std::find(seen.begin(), seen.end(), id) == seen.end());
      seen.push_back(id);
      CAF_CHECK_EQUAL(commit_one(*store, delete_stream{"a"}).code, ec::none);
      if (round == 1)
        store->reopen();
      if (round == 2)
        store.restart();
    }
  });
}

CAF_TEST(a claim raises the owner epoch and tells the producers) {
  for_each_chunk_store([](chunk_store_engine& store) {
    CAF_CHECK_EQUAL(commit_one(*store, claim_stream{"a"}).code, ec::not_found);
    auto write = put(create(*store), {"abc"});
    write.producers = {{"p", 3, 1}, {"q", 0, 0}};
    CAF_CHECK_EQUAL(commit_one(*store, write).code, ec::none);
    auto claimed = commit_one(*store, claim_stream{"a"});
    CAF_CHECK_EQUAL(claimed.code, ec::none);
    CAF_CHECK(!claimed.written.created);
    CAF_CHECK_EQUAL(claimed.written.row.owner_epoch, 2u);
    CAF_CHECK_EQUAL(claimed.written.row.tail, 3u);
    CAF_CHECK_EQUAL(line(claimed.written.producers), "p,3,1 q,0,0 ");
    CAF_CHECK(store->load_row("a") == claimed.written.row);
  });
}

CAF_TEST(a put is refused for another owner or tail and for an unknown stream) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto old = create(*store);
    auto row = commit_one(*store, claim_stream{"a"}).written.row;
    CAF_CHECK_EQUAL(commit_one(*store, put(old, {"old owner"})).code, ec::fenced);
    auto stored = commit_one(*store, put(row, {"abc", "de"}));
    CAF_CHECK_EQUAL(stored.code, ec::none);
    CAF_CHECK_EQUAL(stored.written.row.tail, 5u);
    CAF_CHECK_EQUAL(commit_one(*store, put(row, {"old tail"})).code, ec::fenced);
    auto ahead = stored.written.row;
    ahead.tail = 9;
    CAF_CHECK_EQUAL(commit_one(*store, put(ahead, {"leaves a hole"})).code, ec::fenced);
    auto unknown = stored.written.row;
    unknown.id += 1000;
    CAF_CHECK_EQUAL(commit_one(*store, put(unknown, {"nobody"})).code, ec::not_found);
    CAF_CHECK_EQUAL(all(*store, row.id), "0:abc 3:de ");
    CAF_CHECK(store->load_row("a") == stored.written.row);
  });
}

CAF_TEST(later writes of one commit see the earlier ones) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = create(*store);
    auto longer = row;
    longer.tail = 3;
    auto claimed = longer;
    claimed.owner_epoch = 2;
    auto first = put(row, {"abc"});
    first.producers = {{"p", 1, 0}};
    auto outcomes = commit(*store, {first, put(row, {"late"}), claim_stream{"a"}, put(longer, {"fenced"}),
        put(claimed, {"de"}), create_stream{{"b", "text/plain"}, 8}, create_stream{{"b", "text/plain"}, 9},
        delete_stream{"a"}, put(claimed, {"gone"}), create_stream{{"a", "text/plain"}, 9}, claim_stream{"a"}});
    std::vector<ec> codes;
    for (const auto& x : outcomes)
      codes.push_back(x.code);
    std::vector<ec> expected{ec::none, ec::fenced, ec::none, ec::fenced, ec::none, ec::none, ec::none, ec::none,
        ec::not_found, ec::none, ec::none};
    CAF_CHECK_EQUAL(codes, expected);
    CAF_CHECK_EQUAL(line(outcomes[2].written.producers), "p,1,0 ");
    CAF_CHECK_EQUAL(outcomes[4].written.row.tail, 5u);
    CAF_CHECK(outcomes[5].written.created && !outcomes[6].written.created && outcomes[9].written.created);
    CAF_CHECK(outcomes[10].written.producers.empty());
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    CAF_CHECK_EQUAL(store->load_row("a").value_or(stream_row{}).tail, 0u);
  });
}

CAF_TEST(a closed stream refuses and remembers what closed it) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto last = put(create(*store), {"end"}, true);
    last.closed_by = {"p", 2, 5};
    last.stream_seq = "0009";
    auto row = commit_one(*store, last).written.row;
    CAF_CHECK(row.closed);
    CAF_CHECK_EQUAL(row.closed_by, (producer_tag{"p", 2, 5}));
    CAF_CHECK_EQUAL(row.stream_seq, "0009");
    CAF_CHECK_EQUAL(commit_one(*store, put(row, {"more"})).code, ec::closed);
    CAF_CHECK_EQUAL(commit_one(*store, put(row, {}, true)).code, ec::closed);
    store.restart();
    CAF_CHECK(store->load_row("a") == row);
    auto bare = commit_one(*store, put(create(*store, "b"), {}, true));
    CAF_CHECK(bare.written.row.closed && bare.written.row.tail == 0);
  });
}

CAF_TEST(deleting removes chunks and producers and creating again starts empty) {
  for_each_chunk_store([](chunk_store_engine& store) {
    CAF_CHECK_EQUAL(commit_one(*store, delete_stream{"never there"}).code, ec::none);
    auto row = create(*store);
    auto neighbour = create(*store, "b");
    auto write = put(row, {"abc"});
    write.producers = {{"p", 1, 0}};
    commit(*store, {write, put(neighbour, {"stays"})});
    CAF_CHECK_EQUAL(commit_one(*store, delete_stream{"a"}).code, ec::none);
    CAF_CHECK(!store->load_row("a"));
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    auto again = create(*store);
    CAF_CHECK_EQUAL(again.tail, 0u);
    CAF_CHECK_EQUAL(again.owner_epoch, 1u);
    CAF_CHECK_EQUAL(all(*store, again.id), "");
    CAF_CHECK(producers_of(*store, "a").empty());
    CAF_CHECK_EQUAL(all(*store, neighbour.id), "0:stays ");
  });
}

CAF_TEST(records are loaded from any position and at least one) {
  for_each_chunk_store([](chunk_store_engine& store) {
    commit_one(*store, put(create(*store, "before"), {"xxxxxxxxxxxx"}));
    auto row = create(*store);
    commit_one(*store, put(create(*store, "behind"), {"yyyy"}));
    commit_one(*store, put(row, {"abc", "defgh", "ij"}));
    auto load = [&](position after, uint64_t limit) { return line(store->load_chunks(row.id, after, limit)); };
    CAF_CHECK_EQUAL(load(0, 100), "0:abc 3:defgh 8:ij ");
    CAF_CHECK_EQUAL(load(0, 0), "0:abc ");
    CAF_CHECK_EQUAL(load(0, 7), "0:abc ");
    CAF_CHECK_EQUAL(load(0, 8), "0:abc 3:defgh ");
    CAF_CHECK_EQUAL(load(2, 100), "0:abc 3:defgh 8:ij "); // whole, also when asked for a part
    CAF_CHECK_EQUAL(load(3, 1), "3:defgh ");
    CAF_CHECK_EQUAL(load(7, 100), "3:defgh 8:ij ");
    CAF_CHECK_EQUAL(load(9, 100), "8:ij ");
    CAF_CHECK_EQUAL(load(10, 100), "");
    CAF_CHECK_EQUAL(load(UINT64_MAX, 100), "");
    CAF_CHECK_EQUAL(line(store->load_chunks(row.id + 1000, 0, 100)), "");
    CAF_CHECK_EQUAL(line(store->load_chunks(0, 0, 100)), "");
  });
}

CAF_TEST(one read has a bounded number of records) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = create(*store);
    std::vector<std::string> texts(chunk_store::most_records + 100, "x");
    commit_one(*store, put(row, texts));
    auto first = store->load_chunks(row.id, 0, UINT64_MAX);
    CAF_CHECK_EQUAL(first.size(), chunk_store::most_records);
    auto rest = store->load_chunks(row.id, first.back().end(), UINT64_MAX);
    CAF_CHECK_EQUAL(rest.size(), 100u);
  });
}

CAF_TEST(message lengths and any byte are kept) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = create(*store, std::string{"p\0/\xff\n", 5}, "application/json");
    auto write = put(row, {R"({"a":1}[2])", std::string{"\0\xff\x01", 3}});
    write.chunks[0].lengths = {7, 3};
    commit_one(*store, write);
    store.restart();
    CAF_CHECK(store->load_row(row.path));
    CAF_CHECK_EQUAL(all(*store, row.id), (R"(0:{"a":1}[2]/7/3 10:)" + std::string{"\0\xff\x01 ", 4}));
  });
}

CAF_TEST(of each producer the newest state is kept) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto write = put(create(*store), {"a"});
    write.producers = {{"p", 1, 0}, {"pp", 4, 4}};
    auto row = commit_one(*store, write).written.row;
    write = put(row, {"b"});
    write.producers = {{"p", 2, 0}};
    commit_one(*store, write);
    store.restart();
    CAF_CHECK_EQUAL(line(producers_of(*store, "a")), "p,2,0 pp,4,4 ");
  });
}

CAF_TEST(what is durable is there after reopening and after a restart) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = commit_one(*store, put(create(*store), {"abc", "def"})).written.row;
    store->reopen();
    CAF_CHECK(store->load_row("a") == row);
    row = commit_one(*store, put(row, {"ghi"}, true)).written.row;
    store.restart();
    CAF_CHECK(store->load_row("a") == row);
    CAF_CHECK_EQUAL(all(*store, row.id), "0:abc 3:def 6:ghi ");
  });
}

CAF_TEST(below the reserve nothing is written and that is said) {
  chunk_store_engine store{"rocksdb:", UINT64_MAX};
  auto code = ec::none;
  try {
    create(*store);
  } catch (const adapter_error& e) {
    code = e.code();
  }
  CAF_CHECK_EQUAL(code, ec::storage_full);
  CAF_CHECK(!store->load_row("a"));
}
