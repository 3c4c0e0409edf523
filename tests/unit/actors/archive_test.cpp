#define CAF_SUITE actors.archive

#include "actors/archive.hpp"

#include <nlohmann/json.hpp>

#include <random>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using json = nlohmann::json;

const std::vector<uint64_t> sizes{3, 1, 4, 1, 5, 9, 2, 6};

/// Records of these sizes, no two of whose bytes in a row are alike.
std::vector<chunk> records_of(const std::vector<uint64_t>& lengths) {
  std::vector<chunk> records;
  position at = 0;
  for (auto length : lengths) {
    std::string bytes;
    for (uint64_t i = 0; i < length; ++i)
      bytes += static_cast<char>('a' + (at + i) % 25);
    records.push_back({at, payload{bytes}, {}});
    at += length;
  }
  return records;
}

manifest manifest_of(const std::vector<chunk>& records) {
  manifest x;
  for (const auto& record : records)
    x.add(record);
  x.content_type = "audio/mpeg";
  x.sha256 = "cafe";
  return x;
}

manifest usual() { return manifest_of(records_of(sizes)); }

std::string bytes_of(const std::vector<chunk>& records) {
  std::string all;
  for (const auto& x : records)
    all += x.bytes.view();
  return all;
}

/// What an object store gives back of the whole.
payload range_of(const std::string& whole, manifest::range part) { return payload{whole.substr(part.from, part.length)}; }

template <class F>
std::string complaint(F f) {
  try {
    f();
    return "none";
  } catch (const bad_archive& e) {
    return e.what();
  }
}

/// What is said about a manifest, one of whose members was changed.
std::string complaint_with(const char* member, json value) {
  auto text = json::parse(usual().write());
  text[member] = std::move(value);
  return complaint([&] { manifest::read(text.dump()); });
}

std::string spell(manifest::range x) { return std::to_string(x.from) + "+" + std::to_string(x.length); }

} // namespace

CAF_TEST(the objects of a stream lie beside each other and players know what one of them is) {
  CAF_CHECK_EQUAL(bytes_key("a/b/audio"), "a/b/audio.mp3");
  CAF_CHECK_EQUAL(manifest_key("a/b/audio"), "a/b/audio.json");
}

CAF_TEST(a manifest is as long as its records) {
  manifest x;
  CAF_CHECK_EQUAL(x.size(), 0u);
  CAF_CHECK_EQUAL(x.records(), 0u);
  position end = 0;
  for (const auto& record : records_of(sizes)) {
    x.add(record);
    CAF_CHECK_EQUAL(x.size(), end = record.end());
  }
  CAF_CHECK_EQUAL(x.records(), sizes.size());
}

CAF_TEST(a gap and a repetition are refused and change nothing) {
  auto x = usual();
  for (position start : {0, 30, 32})
    CAF_CHECK(complaint([&] { x.add({start, payload{"abc"}, {}}); }) != "none");
  CAF_CHECK_EQUAL(x.size(), 31u);
  CAF_CHECK_EQUAL(x.records(), sizes.size());
}

CAF_TEST(a range begins with the record that holds the position) {
  auto x = usual(); // records begin at 0 3 4 8 9 14 23 25
  CAF_CHECK_EQUAL(spell(x.covering(0, 1)), "0+3");
  CAF_CHECK_EQUAL(spell(x.covering(2, 1)), "0+3");
  CAF_CHECK_EQUAL(spell(x.covering(3, 1)), "3+1");
  CAF_CHECK_EQUAL(spell(x.covering(22, 1)), "14+9");
  CAF_CHECK_EQUAL(spell(x.covering(30, 1)), "25+6");
}

CAF_TEST(a range holds as many whole records as fit and at least one) {
  auto x = usual();
  CAF_CHECK_EQUAL(spell(x.covering(0, 0)), "0+3");
  CAF_CHECK_EQUAL(spell(x.covering(0, 3)), "0+3");
  CAF_CHECK_EQUAL(spell(x.covering(0, 4)), "0+4");
  CAF_CHECK_EQUAL(spell(x.covering(0, 7)), "0+4");
  CAF_CHECK_EQUAL(spell(x.covering(0, 8)), "0+8");
  CAF_CHECK_EQUAL(spell(x.covering(14, 5)), "14+9"); // one that is larger than the limit
  CAF_CHECK_EQUAL(spell(x.covering(0, UINT64_MAX)), "0+31");
}

CAF_TEST(at the end and behind it there is nothing) {
  auto x = usual();
  for (position at : {31u, 32u, UINT32_MAX})
    CAF_CHECK_EQUAL(x.covering(at, 100).length, 0u);
  CAF_CHECK_EQUAL(manifest{}.covering(0, 100).length, 0u);
}

CAF_TEST(whatever range is read it is cut into the records that were appended) {
  auto records = records_of(sizes);
  auto whole = bytes_of(records);
  auto x = manifest_of(records);
  for (position after = 0; after < whole.size(); ++after)
    for (uint64_t limit = 0; limit <= whole.size(); ++limit) {
      auto part = x.covering(after, limit);
      auto cut = x.cut(part.from, range_of(whole, part));
      CAF_REQUIRE(!cut.empty());
      auto first = std::find_if(records.begin(), records.end(), [&](const chunk& r) { return r.end() > after; });
      for (const auto& record : cut) {
        CAF_REQUIRE(first != records.end());
        CAF_CHECK_EQUAL(record.start, first->start);
        CAF_CHECK(record.bytes == first->bytes);
        ++first;
      }
    }
}

CAF_TEST(nothing is cut into nothing) {
  for (position from : {0u, 4u, 31u, 99u})
    CAF_CHECK_EQUAL(usual().cut(from, {}).size(), 0u);
}

CAF_TEST(a single changed byte is noticed wherever it lies) {
  auto whole = bytes_of(records_of(sizes));
  auto x = usual();
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit : {0, 7}) {
      auto changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      CAF_CHECK_EQUAL(complaint([&] { x.cut(0, payload{changed}); }), "an archived record does not match its checksum");
    }
}

CAF_TEST(bytes that do not end with a record or go on behind the last are refused) {
  auto whole = bytes_of(records_of(sizes));
  auto x = usual();
  const std::string other = "an archived piece has other records than its manifest";
  for (size_t length : {1, 2, 5, 30})
    CAF_CHECK_EQUAL(complaint([&] { x.cut(0, payload{whole.substr(0, length)}); }), other);
  CAF_CHECK_EQUAL(complaint([&] { x.cut(0, payload{whole + "a"}); }), other);
  CAF_CHECK_EQUAL(complaint([&] { x.cut(31, payload{"a"}); }), other);
}

CAF_TEST(bytes from inside a record are refused) {
  auto whole = bytes_of(records_of(sizes));
  for (position from : {1u, 2u, 15u, 30u})
    CAF_CHECK(complaint([&] { usual().cut(from, payload{whole.substr(from)}); }) != "none");
}

CAF_TEST(what is written is read again) {
  auto x = usual();
  auto again = manifest::read(x.write());
  CAF_CHECK_EQUAL(again.content_type, "audio/mpeg");
  CAF_CHECK_EQUAL(again.sha256, "cafe");
  CAF_CHECK_EQUAL(again.size(), x.size());
  CAF_CHECK_EQUAL(again.records(), x.records());
  CAF_CHECK_EQUAL(again.write(), x.write());
  auto whole = bytes_of(records_of(sizes));
  CAF_CHECK_EQUAL(bytes_of(again.cut(0, payload{whole})), whole);
}

CAF_TEST(an empty piece has a manifest) {
  auto x = manifest_of({});
  auto again = manifest::read(x.write());
  CAF_CHECK_EQUAL(again.size(), 0u);
  CAF_CHECK_EQUAL(again.records(), 0u);
}

CAF_TEST(a long piece of any records comes back as it was) {
  std::minstd_rand dice{7};
  std::vector<uint64_t> lengths;
  for (int i = 0; i < 5'000; ++i)
    lengths.push_back(1 + dice() % 1'000);
  auto records = records_of(lengths);
  auto whole = bytes_of(records);
  auto x = manifest::read(manifest_of(records).write());
  std::string heard;
  for (position at = 0; at < x.size();) {
    auto part = x.covering(at, 64 << 10);
    CAF_REQUIRE(part.from == at && part.length > 0);
    for (const auto& record : x.cut(part.from, range_of(whole, part)))
      heard += record.bytes.view();
    at += part.length;
  }
  CAF_CHECK(heard == whole);
}

CAF_TEST(what is no manifest is refused) {
  for (const char* text : {"", "{", "null", "[]", "5", "\"format\"", "{}", "{\"format\":1}"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(complaint([&] { manifest::read(text); }) != "none");
  }
}

CAF_TEST(a manifest cut short anywhere is refused) {
  auto text = usual().write();
  for (size_t length = 0; length < text.size(); ++length)
    CAF_REQUIRE(complaint([&] { manifest::read(text.substr(0, length)); }) != "none");
}

CAF_TEST(another format is named) {
  CAF_CHECK_EQUAL(complaint_with("format", 2), "a manifest has format 2, and only 1 is known");
  CAF_CHECK_EQUAL(complaint_with("format", "1"), "a manifest has format \"1\", and only 1 is known");
}

CAF_TEST(records that are not as long as the piece are refused) {
  const std::string wrong = "the records of a manifest are not as long as it says";
  CAF_CHECK_EQUAL(complaint_with("bytes", 30), wrong);
  CAF_CHECK_EQUAL(complaint_with("bytes", "31"), wrong);
  CAF_CHECK_EQUAL(complaint_with("records", json::array()), wrong);
}

CAF_TEST(records that cannot be are refused) {
  CAF_CHECK_EQUAL(complaint_with("records", {{31, 1}, {0, 1}}), "a manifest has an empty record");
  for (const json& records : {json{31}, json{{31}}, json{{"31", 1}}, json{{-31, 1}}, json(5), json{{nullptr, 1}}}) {
    CAF_MESSAGE(records.dump());
    CAF_CHECK(complaint_with("records", records) != "none");
  }
  CAF_CHECK(complaint_with("content_type", 5) != "none");
  CAF_CHECK(complaint_with("sha256", json::array()) != "none");
}
