// What every log engine promises to those who move finished streams to an object store and back.
#define CAF_SUITE contract.archive

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

constexpr auto none = archive_state::none;
constexpr auto stored = archive_state::stored;
constexpr auto evicted = archive_state::evicted;

write_outcome commit(chunk_store& store, stream_write write) {
  auto outcomes = store.commit({&write, 1});
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  return std::move(outcomes.front());
}

/// A closed stream of these records, and its row.
stream_row finished(chunk_store& store, const std::vector<std::string>& texts, stream_wish wish = {"a", "audio/mpeg"}) {
  auto row = commit(store, create_stream{std::move(wish), 7}).written.row;
  put_chunks x{row.id, row.owner_epoch, row.tail, {}, {{"p", 1, 2}}, "0007", true, {"p", 1, 2}};
  auto at = row.tail;
  for (const auto& text : texts) {
    x.chunks.push_back({at, payload{text}, {static_cast<uint32_t>(text.size())}});
    at += text.size();
  }
  return commit(store, x).written.row;
}

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

std::string all(chunk_store& store, stream_id id) { return line(store.load_chunks(id, 0, UINT64_MAX)); }

ec mark(chunk_store& store, stream_id id, archive_state from, archive_state to) {
  return commit(store, mark_archive{id, from, to}).code;
}

ec restore(chunk_store& store, stream_id id, const std::vector<chunk>& records) {
  return commit(store, restore_chunks{id, records}).code;
}

std::vector<chunk> part(const std::vector<chunk>& records, size_t first, size_t count) {
  return {records.begin() + static_cast<ptrdiff_t>(first), records.begin() + static_cast<ptrdiff_t>(first + count)};
}

} // namespace

CAF_TEST(a row is found by its id) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = finished(*store, {"abc"});
    CAF_CHECK(store->load_row(row.id) == row);
    CAF_CHECK(!store->load_row(row.id + 1000));
    CAF_CHECK(!store->load_row(stream_id{0}));
    store.restart();
    CAF_CHECK(store->load_row(row.id) == row);
    commit(*store, delete_stream{"a"});
    CAF_CHECK(!store->load_row(row.id));
  });
}

CAF_TEST(a closed stream goes from state to state and nothing else does) {
  for_each_chunk_store([](chunk_store_engine& store) {
    CAF_CHECK_EQUAL(mark(*store, 1000, none, stored), ec::not_found);
    auto open = commit(*store, create_stream{{"open", "audio/mpeg"}, 7}).written.row;
    CAF_CHECK_EQUAL(mark(*store, open.id, none, stored), ec::conflict);
    CAF_CHECK_EQUAL(mark(*store, open.id, stored, none), ec::none); // it is in that one
    auto row = finished(*store, {"abc", "de"});
    CAF_CHECK_EQUAL(mark(*store, row.id, stored, evicted), ec::conflict);
    CAF_CHECK_EQUAL(mark(*store, row.id, none, stored), ec::none);
    CAF_CHECK_EQUAL(mark(*store, row.id, none, stored), ec::none); // once more
    row.archive = stored;
    CAF_CHECK(store->load_row(row.id) == row);
    CAF_CHECK_EQUAL(all(*store, row.id), "0:abc/3 3:de/2 ");
    store.restart();
    CAF_CHECK(store->load_row("a") == row);
    auto refused = commit(*store, mark_archive{row.id, none, evicted});
    CAF_CHECK_EQUAL(refused.code, ec::conflict);
    CAF_CHECK_EQUAL(refused.written.row, row);
  });
}

CAF_TEST(evicting removes the chunks and nothing else) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto neighbour = finished(*store, {"stays"}, {"b", "audio/mpeg"});
    auto row = finished(*store, {"abc", "de"});
    mark(*store, row.id, none, stored);
    CAF_CHECK_EQUAL(mark(*store, row.id, stored, evicted), ec::none);
    row.archive = evicted;
    CAF_CHECK(store->load_row("a") == row);
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    store.restart();
    CAF_CHECK(store->load_row(row.id) == row);
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    CAF_CHECK_EQUAL(all(*store, neighbour.id), "0:stays/5 ");
    auto claimed = commit(*store, claim_stream{"a"}).written;
    CAF_CHECK(claimed.producers == std::vector<producer_tag>({{"p", 1, 2}}));
    CAF_CHECK(claimed.row.archive == evicted);
  });
}

CAF_TEST(records come back where they were in pieces and more than once) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = finished(*store, {"abc", "de", "fghi", "j"});
    auto records = store->load_chunks(row.id, 0, UINT64_MAX);
    auto whole = line(records);
    mark(*store, row.id, none, stored);
    CAF_CHECK_EQUAL(restore(*store, row.id, records), ec::none); // nothing is missing
    CAF_CHECK_EQUAL(all(*store, row.id), whole);
    mark(*store, row.id, stored, evicted);
    CAF_CHECK_EQUAL(restore(*store, row.id, part(records, 0, 2)), ec::none);
    CAF_CHECK_EQUAL(all(*store, row.id), "0:abc/3 3:de/2 ");
    store.restart(); // and another worker begins anew
    CAF_CHECK_EQUAL(restore(*store, row.id, part(records, 0, 1)), ec::none);
    CAF_CHECK_EQUAL(restore(*store, row.id, part(records, 1, 2)), ec::none);
    CAF_CHECK_EQUAL(restore(*store, row.id, part(records, 3, 1)), ec::none);
    CAF_CHECK_EQUAL(restore(*store, row.id, records), ec::none);
    CAF_CHECK_EQUAL(all(*store, row.id), whole);
    CAF_CHECK(store->load_row(row.id).value_or(stream_row{}).archive == evicted);
    CAF_CHECK_EQUAL(mark(*store, row.id, evicted, stored), ec::none);
    CAF_CHECK_EQUAL(line(store->load_chunks(row.id, 4, 1)), "3:de/2 ");
    mark(*store, row.id, stored, evicted); // and away again
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    CAF_CHECK_EQUAL(restore(*store, row.id, records), ec::none);
    CAF_CHECK_EQUAL(all(*store, row.id), whole);
    CAF_CHECK_EQUAL(restore(*store, row.id + 1000, records), ec::not_found);
  });
}

CAF_TEST(a fork has its own records evicted and restored) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto parent = finished(*store, {"abcdef"});
    stream_wish wish{"fork", "audio/mpeg"};
    wish.forked_from = "a";
    wish.fork_position = 4;
    wish.first = payload{std::string{"xy"}};
    auto row = finished(*store, {"z"}, wish);
    auto records = store->load_chunks(row.id, 4, UINT64_MAX);
    CAF_CHECK_EQUAL(line(records), "4:xy 6:z/1 ");
    mark(*store, row.id, none, stored);
    mark(*store, row.id, stored, evicted);
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    CAF_CHECK_EQUAL(restore(*store, row.id, records), ec::none);
    CAF_CHECK_EQUAL(all(*store, row.id), "4:xy 6:z/1 ");
    CAF_CHECK_EQUAL(all(*store, parent.id), "0:abcdef/6 ");
  });
}

CAF_TEST(one commit may archive and evict and restore) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = finished(*store, {"abc", "de"});
    auto records = store->load_chunks(row.id, 0, UINT64_MAX);
    std::vector<stream_write> writes{mark_archive{row.id, none, stored}, mark_archive{row.id, stored, evicted},
        restore_chunks{row.id, part(records, 0, 1)}, restore_chunks{row.id, records},
        mark_archive{row.id, evicted, stored}, restore_chunks{row.id, records}};
    for (const auto& outcome : store->commit(writes))
      CAF_CHECK_EQUAL(outcome.code, ec::none);
    CAF_CHECK_EQUAL(all(*store, row.id), "0:abc/3 3:de/2 ");
    CAF_CHECK(store->load_row("a").value_or(stream_row{}).archive == stored);
  });
}

CAF_TEST(what is evicted or half restored can be deleted) {
  for_each_chunk_store([](chunk_store_engine& store) {
    auto row = finished(*store, {"abc", "de"});
    auto records = store->load_chunks(row.id, 0, UINT64_MAX);
    mark(*store, row.id, none, stored);
    mark(*store, row.id, stored, evicted);
    restore(*store, row.id, part(records, 0, 1));
    CAF_CHECK_EQUAL(commit(*store, delete_stream{"a"}).code, ec::none);
    CAF_CHECK_EQUAL(restore(*store, row.id, records), ec::not_found);
    CAF_CHECK_EQUAL(mark(*store, row.id, evicted, stored), ec::not_found);
    CAF_CHECK_EQUAL(all(*store, row.id), "");
    CAF_CHECK_EQUAL(finished(*store, {"x"}).archive == none, true);
  });
}
