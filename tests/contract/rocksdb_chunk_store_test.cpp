// What is special about the embedded log: a disk that is full, and where its bytes lie.
#define CAF_SUITE contract.rocksdb_chunk_store

#include "adapters/rocksdb/rocksdb_chunk_store.hpp"

#include <algorithm>
#include <thread>

#include <dlfcn.h>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using rocksdb_engine::rocksdb_chunk_store;

namespace {

constexpr uint64_t no_disk_has_so_much = UINT64_MAX / 2;

put_chunks next(const stream_row& row, std::string bytes) {
  return {row.id, row.owner_epoch, row.tail, {{row.tail, payload{std::move(bytes)}, {}}}, {}, {}, false, {}};
}

stream_row create(chunk_store& store, const std::string& path) {
  const std::vector<stream_write> writes{create_stream{{path, "audio/mpeg"}, 7}};
  return store.commit(writes).front().written.row;
}

/// Appends records of `size` bytes until there are `total`.
stream_row fill(chunk_store& store, stream_row row, size_t total, size_t size) {
  for (auto end = row.tail + total; row.tail < end;) {
    const std::vector<stream_write> writes{next(row, std::string(size, static_cast<char>('a' + row.id % 26)))};
    row = store.commit(writes).front().written.row;
  }
  return row;
}

uint64_t bytes_in(const std::filesystem::path& folder) {
  uint64_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (auto kind = entry.path().extension(); kind == ".sst" || kind == ".blob")
      sum += entry.file_size();
  return sum;
}

} // namespace

CAF_TEST(a full disk refuses what wants room and does what makes room) {
  temporary_folder folder;
  stream_row kept, removed;
  {
    rocksdb_chunk_store store{{folder.path(), 0}};
    kept = create(store, "kept");
    removed = create(store, "removed");
  }
  rocksdb_chunk_store store{{folder.path(), no_disk_has_so_much}};
  const std::vector<stream_write> mixed{next(kept, "more"), delete_stream{"removed"}, create_stream{{"new", "audio/mpeg"}, 7}};
  auto outcomes = store.commit(mixed);
  CAF_REQUIRE_EQUAL(outcomes.size(), 3u);
  CAF_CHECK_EQUAL(outcomes[0].code, ec::storage_full);
  CAF_CHECK_EQUAL(outcomes[1].code, ec::none);
  CAF_CHECK_EQUAL(outcomes[2].code, ec::storage_full);
  CAF_CHECK(!store.load_row("removed"));
  CAF_CHECK(!store.load_row("new"));
  auto row = store.load_row("kept");
  CAF_REQUIRE(row);
  CAF_CHECK_EQUAL(row->tail, 0u);
}

CAF_TEST(a full disk says so when nothing can be done) {
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), no_disk_has_so_much}};
  const std::vector<stream_write> writes{create_stream{{"new", "audio/mpeg"}, 7}};
  auto why = ec::none;
  try {
    store.commit(writes);
  } catch (const adapter_error& e) {
    why = e.code();
  }
  CAF_CHECK_EQUAL(why, ec::storage_full);
}

CAF_TEST(a tail that only records tell is known after a restart) {
  temporary_folder folder;
  stream_row grown, fork, closed;
  {
    rocksdb_chunk_store store{{folder.path(), 0}};
    grown = fill(store, create(store, "grown"), 5'000, 1'000);
    const std::vector<stream_write> writes{create_stream{{"fork", "audio/mpeg", 60, 0, "grown", 2'500}, 7},
        put_chunks{grown.id, grown.owner_epoch, grown.tail, {{grown.tail, payload{"end"}, {}}}, {}, {}, true, {}}};
    auto outcomes = store.commit(writes);
    fork = outcomes[0].written.row;
    closed = outcomes[1].written.row;
    CAF_CHECK_EQUAL(fork.tail, 2'500u);
  }
  rocksdb_chunk_store store{{folder.path(), 0}};
  CAF_CHECK(store.load_row("grown") == closed);
  CAF_CHECK(store.load_row(fork.id) == fork);
  for (size_t appended : {0, 10, 20}) {
    auto found = store.load_row("fork");
    auto expiring = store.load_expiring(0, 10);
    CAF_REQUIRE(found && !expiring.empty());
    CAF_CHECK_EQUAL(found->tail, 2'500 + appended);
    CAF_CHECK_EQUAL(expiring.front().tail, 2'500 + appended);
    store.reopen(); // whatever `commit` remembers is forgotten
    fill(store, *found, 10, 10);
  }
}

CAF_TEST(without its records a finished stream keeps its tail) {
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), 0}};
  auto row = fill(store, create(store, "archived"), 5'000, 1'000);
  const std::vector<stream_write> writes{put_chunks{row.id, row.owner_epoch, row.tail, {}, {}, {}, true, {}},
      mark_archive{row.id, archive_state::none, archive_state::stored},
      mark_archive{row.id, archive_state::stored, archive_state::evicted}};
  store.commit(writes);
  store.reopen();
  auto found = store.load_row("archived");
  CAF_REQUIRE(found);
  CAF_CHECK_EQUAL(found->tail, 5'000u);
  CAF_CHECK(store.load_chunks(row.id, 0, 10).empty());
}

CAF_TEST(a store that is open is left alone by whoever comes second) {
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), 0}};
  auto row = fill(store, create(store, "a"), 5'000, 1'000);
  auto before = bytes_in(folder.path());
  auto why = ec::none;
  try {
    rocksdb_chunk_store second{{folder.path(), 0}};
  } catch (const adapter_error& e) {
    why = e.code();
  }
  CAF_CHECK_EQUAL(why, ec::unavailable);
  CAF_CHECK_EQUAL(bytes_in(folder.path()), before); // with the zeros ahead of its log
  store.reopen();
  CAF_CHECK_EQUAL(fill(store, row, 1'000, 1'000).tail, 6'000u);
}

CAF_TEST(a bit that flips anywhere in a file of records is seen and none of them is told otherwise) {
  temporary_folder folder;
  {
    rocksdb_chunk_store store{{folder.path(), 0}};
    fill(store, create(store, "a"), 5'000, 1'000);
  }
  { rocksdb_chunk_store store{{folder.path(), 0}}; } // what was in the log goes to a table
  size_t seen = 0;
  std::vector<std::filesystem::path> tables;
  for (const auto& entry : std::filesystem::directory_iterator{folder.path()})
    if (entry.path().extension() == ".sst")
      tables.push_back(entry.path());
  CAF_REQUIRE(!tables.empty());
  for (const auto& table : tables) {
    for (std::uintmax_t at = 0; at < std::filesystem::file_size(table); at += 23) {
      temporary_folder other;
      std::filesystem::copy(folder.path(), other.path(), std::filesystem::copy_options::recursive);
      std::fstream file{other.path() / table.filename(), std::ios::in | std::ios::out | std::ios::binary};
      file.seekg(static_cast<std::streamoff>(at));
      auto flipped = static_cast<char>(file.get() ^ 1);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(flipped);
      file.close();
      try {
        rocksdb_chunk_store store{{other.path(), 0}};
        auto found = store.load_row("a");
        CAF_REQUIRE(found);
        CAF_CHECK_EQUAL(found->tail, 5'000u);
        position end = 0;
        for (const auto& x : store.load_chunks(found->id, 0, UINT64_MAX)) {
          CAF_CHECK_EQUAL(x.start, end);
          end += x.bytes.size();
        }
        CAF_CHECK_EQUAL(end, 5'000u);
      } catch (const adapter_error&) {
        ++seen;
      }
    }
  }
  CAF_CHECK_GREATER(seen, 0u);
}

CAF_TEST(the checksums of RocksDB are computed by the processor) {
  std::string digits = "123456789"; // the check value of CRC-32C
  CAF_CHECK_EQUAL(rocksdb::crc32c::Extend(0, digits.data(), digits.size()), 0xE3069283u);
  auto half = rocksdb::crc32c::Extend(0, digits.data(), 4);
  CAF_CHECK_EQUAL(rocksdb::crc32c::Extend(half, digits.data() + 4, 5), 0xE3069283u);
  CAF_CHECK_EQUAL(rocksdb::crc32c::Extend(7, digits.data(), 0), 7u);
  Dl_info whose{};
  auto* found = dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
  CAF_REQUIRE(found && dladdr(found, &whose));
  CAF_CHECK(std::filesystem::path{whose.dli_fname}.filename() == "segue_tests"); // what RocksDB calls is ours
}

CAF_TEST(what was removed makes room on the disk) {
  constexpr size_t mebibyte = 1 << 20;
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), 0}};
  auto removed = fill(store, create(store, "removed"), 48 * mebibyte, 64 << 10);
  auto full = bytes_in(folder.path());
  CAF_CHECK_GREATER(full, 32 * mebibyte);
  const std::vector<stream_write> removal{delete_stream{"removed"}};
  store.commit(removal);
  auto kept = fill(store, create(store, "kept"), 64 * mebibyte, 64 << 10); // whoever goes on to write pays for the tidying
  CAF_CHECK_LESS(bytes_in(folder.path()), full + 32 * mebibyte);
  auto of_removed = store.load_chunks(removed.id, 0, UINT64_MAX);
  auto of_kept = store.load_chunks(kept.id, kept.tail - mebibyte, mebibyte);
  CAF_CHECK_EQUAL(of_removed.size(), 0u);
  CAF_CHECK_EQUAL(of_kept.size(), 16u);
}

CAF_TEST(what was removed between what stays makes room as well) {
  constexpr size_t mebibyte = 1 << 20;
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), 0}};
  auto kept = create(store, "kept");
  std::vector<stream_row> removed;
  for (auto name : {"a", "b", "c", "d", "e"})
    removed.push_back(create(store, name));
  for (int i = 0; i < 12; ++i) {
    kept = fill(store, kept, mebibyte, 64 << 10);
    for (auto& row : removed)
      row = fill(store, row, mebibyte, 64 << 10);
  }
  for (const auto& row : removed) {
    const std::vector<stream_write> removal{delete_stream{row.path}};
    store.commit(removal);
  }
  fill(store, create(store, "new"), 160 * mebibyte, 64 << 10);
  CAF_CHECK_LESS(bytes_in(folder.path()), (12 + 60 + 160 - 30) * mebibyte); // half of it has gone by now
  auto found = store.load_chunks(kept.id, 0, UINT64_MAX);
  CAF_REQUIRE_EQUAL(found.size(), 12u * 16u);
  CAF_CHECK(std::all_of(found.begin(), found.end(), [&](const chunk& x) {
    return x.bytes.view() == std::string(64 << 10, static_cast<char>('a' + kept.id % 26));
  }));
}

CAF_TEST(what was removed makes room also when nothing can be written any more) {
  constexpr size_t mebibyte = 1 << 20;
  for (bool between : {false, true}) { // files in which nothing is left, and others
    temporary_folder folder;
    stream_row kept, removed;
    {
      rocksdb_chunk_store store{{folder.path(), 0}};
      kept = create(store, "kept");
      removed = create(store, "removed");
      for (int i = 0; i < 48; ++i) {
        removed = fill(store, removed, mebibyte, 64 << 10);
        if (between)
          kept = fill(store, kept, mebibyte / 2, 64 << 10);
      }
    }
    auto full = bytes_in(folder.path());
    rocksdb_chunk_store store{{folder.path(), no_disk_has_so_much}};
    const std::vector<stream_write> removal{delete_stream{"removed"}};
    store.commit(removal);
    const std::vector<stream_write> more{next(kept, "more")};
    size_t refused = 0;
    for (int i = 0; i < 100 && bytes_in(folder.path()) + 40 * mebibyte > full; ++i) {
      try {
        store.commit(more);
      } catch (const adapter_error& e) {
        refused += e.code() == ec::storage_full ? 1 : 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    CAF_CHECK_GREATER(refused, 0u);
    CAF_CHECK_LESS(bytes_in(folder.path()) + 40 * mebibyte, full);
    store.reopen(); // whatever is under way
    auto found = store.load_chunks(kept.id, 0, UINT64_MAX);
    CAF_CHECK_EQUAL(found.size(), between ? 48u * 8u : 0u);
    CAF_CHECK(std::all_of(found.begin(), found.end(), [&](const chunk& x) {
      return x.bytes.view() == std::string(64 << 10, static_cast<char>('a' + kept.id % 26));
    }));
  }
}
