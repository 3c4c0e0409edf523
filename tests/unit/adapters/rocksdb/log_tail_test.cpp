// What a crash leaves of RocksDB's log, at the byte.
#define CAF_SUITE adapters.rocksdb.log_tail

#include "adapters/rocksdb/log_tail.hpp"

#include "adapters/rocksdb/rocksdb_chunk_store.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::rocksdb_engine;

namespace {

std::filesystem::path log_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".log")
      return entry.path();
  CAF_FAIL("no log in " << folder);
  return {};
}

std::string read(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

log_tail tail_of(const std::string& log) {
  std::istringstream in{log};
  return read_log(in);
}

/// A stream that is appended to, and what lies on the disk meanwhile.
struct written_log {
  temporary_folder folder;
  rocksdb_chunk_store store{{folder.path(), 0}};
  stream_row row;
  std::string bytes;         ///< of the log's file now
  std::vector<size_t> ends;  ///< in it, of the record of each commit
  std::vector<size_t> tails; ///< of the stream, after each commit

  written_log() {
    const std::vector<stream_write> creation{create_stream{{"song", "audio/mpeg"}, 7}};
    row = store.commit(creation).front().written.row;
    look();
  }

  void append(std::string chunk) {
    const std::vector<stream_write> writes{
        put_chunks{row.id, row.owner_epoch, row.tail, {{row.tail, payload{std::move(chunk)}, {}}}, {}, {}, false, {}}};
    row = store.commit(writes).front().written.row;
    look();
  }

  void look() {
    bytes = read(log_in(folder.path()));
    ends.push_back(tail_of(bytes).end);
    tails.push_back(row.tail);
  }

  /// Opens a copy, as after a crash that left this of the log; returns the tail of the stream.
  size_t recover(const std::string& left) const {
    temporary_folder other;
    std::filesystem::copy(folder.path(), other.path(), std::filesystem::copy_options::recursive);
    std::ofstream{log_in(other.path()), std::ios::binary} << left;
    rocksdb_chunk_store recovered{{other.path(), 0}};
    auto found = recovered.load_row("song");
    CAF_REQUIRE(found);
    auto chunks = recovered.load_chunks(found->id, 0, UINT64_MAX);
    CAF_CHECK_EQUAL(chunks.empty() ? 0 : chunks.back().end(), found->tail);
    return found->tail;
  }

  /// What is said instead, if it is damage.
  std::string refusal(const std::string& left) const {
    try {
      recover(left);
    } catch (const adapter_error& e) {
      CAF_MESSAGE(e.what());
      CAF_CHECK_EQUAL(e.code(), ec::corrupt);
      return e.what();
    }
    return "no refusal";
  }
};

} // namespace

CAF_TEST(zeros are written ahead of the log while it is open and go when it is closed) {
  temporary_folder folder;
  {
    rocksdb_chunk_store store{{folder.path(), 0}};
    const std::vector<stream_write> creation{create_stream{{"song", "audio/mpeg"}, 7}};
    store.commit(creation);
    auto log = read(log_in(folder.path()));
    auto end = tail_of(log).end;
    CAF_CHECK_GREATER(end, 0u);
    CAF_CHECK_GREATER(log.size(), end + (256 << 10));
    CAF_CHECK_EQUAL(log.find_first_not_of('\0', end), std::string::npos);
  }
  auto log = read(log_in(folder.path()));
  CAF_CHECK_EQUAL(tail_of(log).end, log.size());
}

CAF_TEST(a commit that is larger than what is written ahead is found whole) {
  written_log log;
  for (size_t size : {100, 70'000, 3'000'000, 10})
    log.append(std::string(size, 'x'));
  CAF_CHECK_EQUAL(log.recover(log.bytes), log.tails.back());
  CAF_CHECK_EQUAL(log.recover(log.bytes.substr(0, log.ends.back())), log.tails.back());
}

CAF_TEST(whatever the power leaves of the last commit the ones before are there) {
  written_log log;
  std::mt19937 dice{7};
  for (int i = 0; i < 40; ++i)
    log.append(std::string(1 + dice() % (i % 4 == 0 ? 100'000 : 3'000), static_cast<char>('a' + i % 26)));
  for (size_t i = 1; i < log.ends.size(); ++i) {
    auto left = log.bytes.substr(0, log.ends[i]) + std::string(dice() % 50'000, '\0');
    bool whole = true;
    for (auto at = log.ends[i - 1]; at < log.ends[i]; at = (at / 512 + 1) * 512)
      if (dice() % 3 == 0) { // this sector was not written
        auto size = std::min((at / 512 + 1) * 512, log.ends[i]) - at;
        whole = whole && left.compare(at, size, std::string(size, '\0')) == 0;
        left.replace(at, size, size, '\0');
      }
    CAF_CHECK_EQUAL(log.recover(left), log.tails[whole ? i : i - 1]);
    auto cut = log.ends[i - 1] + dice() % (log.ends[i] - log.ends[i - 1]);
    CAF_CHECK_EQUAL(log.recover(log.bytes.substr(0, cut)), log.tails[i - 1]);
  }
}

CAF_TEST(damage before a later commit is refused instead of losing that commit unseen) {
  written_log log;
  for (int i = 0; i < 30; ++i)
    log.append(std::string(5'000, static_cast<char>('a' + i % 26)));
  for (size_t i : {3, 10, 20}) {
    auto flipped = log.bytes;
    flipped[log.ends[i] - 1'000] ^= 1;
    auto told = log.refusal(flipped);
    auto kept = "truncate -s " + std::to_string(log.ends[i - 1]) + " ";
    CAF_CHECK(told.find(kept) != std::string::npos);
    CAF_CHECK_EQUAL(log.recover(flipped.substr(0, log.ends[i - 1])), log.tails[i - 1]); // whoever does as told
    auto lost = log.bytes;
    lost.replace(log.ends[i], log.ends[i + 1] - log.ends[i], log.ends[i + 1] - log.ends[i], '\0');
    auto told_of_hole = log.refusal(lost);
    CAF_CHECK(told_of_hole.find("damaged at byte " + std::to_string(log.ends[i])) != std::string::npos);
  }
}

CAF_TEST(damage is seen also when no later commit begins a block) {
  written_log log;
  for (int i = 0; i < 9; ++i)
    log.append("acked" + std::to_string(i)); // all of it lies in the first block
  CAF_REQUIRE_LESS(log.ends.back(), 32u << 10);
  for (size_t i : {3, 8})
    for (auto at = log.ends[i - 1]; at < log.ends[i]; ++at) { // also where its size and its kind are told
      auto flipped = log.bytes;
      flipped[at] ^= 1;
      CAF_CHECK(log.refusal(flipped).find("damaged at byte " + std::to_string(log.ends[i - 1])) != std::string::npos);
    }
  auto lost = log.bytes;
  lost.replace(log.ends[3], 7, 7, '\0'); // a sector that was written and is not there
  CAF_CHECK(log.refusal(lost).find("damaged at byte " + std::to_string(log.ends[3])) != std::string::npos);
  auto last = log.bytes;
  last[log.ends.back() - 1] ^= 1; // which cannot be told from a torn one
  CAF_CHECK_EQUAL(log.recover(last), log.tails[log.tails.size() - 2]);
}

CAF_TEST(a small log in a torn chunk is not taken for a later commit) {
  written_log other;
  other.append("inside");
  written_log log;
  log.append("before");
  auto before = log.ends.back();
  log.append(other.bytes.substr(0, other.ends.back()));
  CAF_REQUIRE_LESS(log.ends.back(), 32u << 10);
  auto left = log.bytes;
  left[log.ends.back() - 1] ^= 1;
  CAF_CHECK_EQUAL(log.recover(left), log.tails[1]);
  left.replace(before, 7, 7, '\0'); // where it begins was not written
  CAF_CHECK_EQUAL(log.recover(left), log.tails[1]);
}

CAF_TEST(a log in a chunk is not taken for one) {
  written_log other;
  other.append("inside");
  written_log log;
  log.append("before");
  auto size = log.ends.back();
  log.append(std::string(40'000, 'x') + other.bytes.substr(0, 100'000));
  auto left = log.bytes;
  left[size + 20] ^= 1; // torn where it begins
  CAF_CHECK_EQUAL(log.recover(left), log.tails[1]);
}

CAF_TEST(a log that cannot be read is no short log) {
  temporary_folder folder;
  std::filesystem::create_directory(folder.path() / "000007.log"); // opens, and cannot be read
  auto why = ec::none;
  try {
    cut_torn_tail(folder.path());
  } catch (const adapter_error& e) {
    why = e.code();
  }
  CAF_CHECK_EQUAL(why, ec::unavailable);
}

CAF_TEST(of several logs the newest with anything in it is cut and those behind it emptied) {
  written_log log;
  log.append("abc");
  temporary_folder folder;
  auto write = [&](const char* name, const std::string& bytes) { std::ofstream{folder.path() / name, std::ios::binary} << bytes; };
  write("000010.log", log.bytes.substr(0, log.ends.back()) + "torn");
  write("1000000.log", "torn"); // begun, and the power went again
  write("of somebody else.log", "no record");
  cut_torn_tail(folder.path());
  auto left = read(folder.path() / "000010.log");
  CAF_CHECK_EQUAL(left.size(), log.ends.back());
  CAF_CHECK_EQUAL(read(folder.path() / "1000000.log"), "");
  CAF_CHECK_EQUAL(read(folder.path() / "of somebody else.log"), "no record");
}

namespace {

/// Two logs, of which the newer one goes on where the older one ends.
struct two_logs {
  temporary_folder folder;
  std::string bytes;        ///< of the older one, with zeros behind
  std::vector<size_t> ends; ///< in it
  std::string newer;

  two_logs() {
    written_log whole;
    for (int i = 0; i < 6; ++i)
      whole.append(std::string(200, static_cast<char>('a' + i)));
    ends.assign(whole.ends.begin(), whole.ends.end() - 2);
    bytes = whole.bytes.substr(0, ends.back()) + std::string(5'000, '\0');
    newer = whole.bytes.substr(ends.back(), whole.ends.back() - ends.back());
  }

  /// What is said of them with this in the older one; nothing when they are taken.
  std::string refusal(const std::string& older) const {
    auto write = [&](const char* name, const std::string& what) { std::ofstream{folder.path() / name, std::ios::binary} << what; };
    write("000009.log", older);
    write("000010.log", newer);
    try {
      cut_torn_tail(folder.path());
    } catch (const adapter_error& e) {
      CAF_CHECK_EQUAL(e.code(), ec::corrupt);
      return e.what();
    }
    CAF_CHECK(read(folder.path() / "000009.log") == older);
    CAF_CHECK(read(folder.path() / "000010.log") == newer);
    return {};
  }
};

} // namespace

CAF_TEST(an older log that lacks anything that was acknowledged is refused) {
  two_logs logs;
  CAF_CHECK_EQUAL(logs.refusal(logs.bytes), "");
  CAF_CHECK_EQUAL(logs.refusal(logs.bytes.substr(0, logs.ends.back())), "");
  auto last = logs.ends[logs.ends.size() - 2];
  for (auto at = last; at < logs.ends.back(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = logs.bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      CAF_CHECK(logs.refusal(flipped).find("000009.log is damaged at byte " + std::to_string(last)) != std::string::npos);
    }
  for (auto end : {logs.ends[0], last, last + 100}) // also where a record ends, which no checksum tells
    CAF_CHECK(logs.refusal(logs.bytes.substr(0, end)).find("000009.log is damaged") != std::string::npos);
  CAF_CHECK(logs.refusal("no record").find("damaged at byte 0") != std::string::npos);
}

CAF_TEST(what was begun and never acknowledged at the end of an older log is no damage) {
  two_logs logs;
  auto torn = logs.bytes;
  torn.replace(logs.ends.back(), 100, 100, 'x');
  CAF_CHECK_EQUAL(logs.refusal(torn), "");
}

CAF_TEST(many logs that a crash leaves are taken as they are and with damage in any of them are refused) {
  temporary_folder folder, crashed;
  rocksdb_chunk_store store{{folder.path(), 0}};
  auto commit = [&](stream_write x) {
    const std::vector<stream_write> writes{std::move(x)};
    return store.commit(writes).front().written.row;
  };
  std::vector<stream_row> rows;
  for (int i = 0; i < 4; ++i) {
    auto row = commit(create_stream{{"song " + std::to_string(i), "audio/mpeg"}, 7});
    for (int k = 0; k < 8; ++k) // so much that a new log begins, which the other kinds of rows do not leave
      row = commit(put_chunks{row.id, row.owner_epoch, row.tail, {{row.tail, payload{std::string(1'500'000, 'x')}, {}}}, {}, {}, false, {}});
    rows.push_back(row);
  }
  std::filesystem::copy(folder.path(), crashed.path(), std::filesystem::copy_options::recursive);
  std::vector<std::filesystem::path> logs;
  for (const auto& entry : std::filesystem::directory_iterator{crashed.path()})
    if (entry.path().extension() == ".log")
      logs.push_back(entry.path().filename());
  std::sort(logs.begin(), logs.end());
  CAF_REQUIRE_GREATER(logs.size(), 2u);
  auto open = [&](auto damage) {
    temporary_folder other;
    std::filesystem::copy(crashed.path(), other.path(), std::filesystem::copy_options::recursive);
    damage(other.path());
    rocksdb_chunk_store recovered{{other.path(), 0}};
    for (const auto& row : rows)
      CAF_CHECK(recovered.load_row(row.path) == row);
  };
  open([](const auto&) {});
  for (size_t i = 0; i + 1 < logs.size(); ++i) {
    auto why = ec::none;
    try {
      open([&](const std::filesystem::path& there) {
        std::filesystem::resize_file(there / logs[i], std::filesystem::file_size(there / logs[i]) / 2);
      });
    } catch (const adapter_error& e) {
      why = e.code();
    }
    CAF_CHECK_EQUAL(why, ec::corrupt);
  }
}
