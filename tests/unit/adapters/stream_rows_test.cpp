#define CAF_SUITE adapters.stream_rows

#include "adapters/stream_rows.hpp"

#include <algorithm>
#include <random>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

stream_row some_row() {
  stream_row x;
  x.id = 0x1122'3344'5566'7788;
  x.path = "generations/id/audio";
  x.content_type = "audio/mpeg";
  x.tail = UINT64_MAX - 1;
  x.closed = true;
  x.closed_by = {"gen/id", 3, 4};
  x.stream_seq = std::string("a\0b\xff", 4);
  x.ttl_s = -1;
  x.expires_at_ms = -1'795'255'200'000;
  x.parent = 5;
  x.forked_from = "a/b";
  x.fork_position = 6;
  x.lineage = {{3, 4}, {5, 6}};
  x.forks = 9;
  x.soft_deleted = true;
  x.owner_epoch = 7;
  x.created_at_ms = 1'795'255'200'000;
  return x;
}

const chunk sound{1'000, payload{std::string("\0\x01 sound \xff", 10)}, {}};
const chunk messages{1'000, payload{"{\"a\":1}{\"b\":2}5"}, {7, 7, 1}};

bool same(const chunk& a, const chunk& b) { return a.start == b.start && a.bytes == b.bytes && a.lengths == b.lengths; }

/// `bad_row`, another exception, or `decoded`.
template <class F>
std::string outcome_of(F decode) {
  try {
    decode();
    return "decoded";
  } catch (const bad_row&) {
    return "bad_row";
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// How many proper beginnings of `bytes` are not refused.
template <class F>
size_t accepted_beginnings(const std::string& bytes, F decode) {
  size_t count = 0;
  for (size_t size = 0; size < bytes.size(); ++size)
    count += outcome_of([&] { decode(std::string_view{bytes}.substr(0, size)); }) != "bad_row";
  return count;
}

/// Positions of the bits of `bytes` that can be flipped without being noticed.
std::vector<size_t> unnoticed_flips(const chunk& x) {
  std::vector<size_t> result;
  auto bytes = encode(x);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    if (outcome_of([&] { decode_chunk(x.start, flipped); }) != "bad_row")
      result.push_back(bit);
  }
  return result;
}

} // namespace

CAF_TEST(a stream comes back as it was written) {
  CAF_CHECK(decode_stream(encode(some_row())) == some_row());
  CAF_CHECK(decode_stream(encode(stream_row{})) == stream_row{});
}

CAF_TEST(a producer comes back as it was written) {
  for (const auto& tag :
      {producer_tag{}, producer_tag{"gen/id", 1, 2}, producer_tag{std::string(1'000, 'p'), UINT64_MAX, 0}})
    CAF_CHECK(decode_producer(encode(tag)) == tag);
}

CAF_TEST(a chunk comes back as it was written) {
  for (const auto& x : {sound, messages, chunk{7, payload{std::string(100'000, 'x')}, {}}})
    CAF_CHECK(same(decode_chunk(x.start, encode(x)), x));
}

CAF_TEST(where a chunk ends is read without looking at its bytes) {
  for (const auto& x : {sound, messages, chunk{7, payload{std::string(100'000, 'x')}, {}}, chunk{9, {}, {}}}) {
    auto bytes = encode(x);
    CAF_CHECK_EQUAL(chunk_end(chunk_key(1, x.start), bytes), x.end());
    bytes.back() = static_cast<char>(~bytes.back());
    CAF_CHECK_EQUAL(chunk_end(chunk_key(1, x.start), bytes), x.end());
  }
  auto of_nothing = encode(chunk{9, {}, {}});
  CAF_CHECK_EQUAL(accepted_beginnings(of_nothing, [](std::string_view part) { chunk_end(chunk_key(1, 9), part); }), 0u);
}

CAF_TEST(a part of a payload is written without the rest) {
  chunk part{4, payload{"0123456789"}.from(4).first(3), {}};
  CAF_CHECK(same(decode_chunk(4, encode(part)), {4, payload{"456"}, {}}));
}

CAF_TEST(random rows come back as they were written) {
  std::mt19937_64 dice{11};
  auto number = [&] { return dice() >> (dice() % 64); };
  auto text = [&] {
    std::string x;
    for (auto n = dice() % 40; n > 0; --n)
      x += static_cast<char>(dice());
    return x;
  };
  auto tag = [&] { return producer_tag{text(), number(), number()}; };
  size_t wrong = 0;
  for (int i = 0; i < 500; ++i) {
    stream_row row{number(), text(), text(), number(), dice() % 2 == 0, tag(), text(), static_cast<int64_t>(dice()),
        static_cast<int64_t>(dice()), number(), text(), number(), {}, static_cast<uint32_t>(dice()), dice() % 2 == 0, number(),
        static_cast<int64_t>(dice())};
    for (auto n = dice() % 4; n > 0; --n)
      row.lineage.push_back({number(), number()});
    wrong += !(decode_stream(encode(row)) == row);
    auto producer = tag();
    wrong += !(decode_producer(encode(producer)) == producer);
    chunk record{number(), {}, {}};
    std::string bytes;
    for (auto n = dice() % 5; n > 0; --n) {
      auto message = text() + "x";
      bytes += message;
      record.lengths.push_back(static_cast<uint32_t>(message.size()));
    }
    record.bytes = payload{bytes + (bytes.empty() ? "plain" : "")};
    wrong += !same(decode_chunk(record.start, encode(record)), record);
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(a row cut short at any byte is refused) {
  CAF_CHECK_EQUAL(accepted_beginnings(encode(some_row()), [](auto x) { decode_stream(x); }), 0u);
  CAF_CHECK_EQUAL(accepted_beginnings(encode(producer_tag{"gen/id", 1, 2}), [](auto x) { decode_producer(x); }), 0u);
  for (const auto& record : {sound, messages})
    CAF_CHECK_EQUAL(accepted_beginnings(encode(record), [](auto x) { decode_chunk(1'000, x); }), 0u);
}

CAF_TEST(a row of another layout is refused) {
  auto with_layout = [](std::string bytes, char layout) {
    bytes[0] = layout;
    return bytes;
  };
  for (int layout = 0; layout < 256; ++layout) {
    auto x = static_cast<char>(layout);
    std::string expected = layout == 1 ? "decoded" : "bad_row";
    std::string of_streams = layout >= 1 && layout <= 3 ? "decoded" : "bad_row";
    CAF_CHECK_EQUAL(outcome_of([&] { decode_stream(with_layout(encode(some_row()), x)); }), of_streams);
    CAF_CHECK_EQUAL(outcome_of([&] { decode_producer(with_layout(encode(producer_tag{}), x)); }), expected);
    CAF_CHECK_EQUAL(outcome_of([&] { decode_chunk(1'000, with_layout(encode(sound), x)); }), expected);
  }
}

CAF_TEST(a stream written before there were forks is none) {
  auto bytes = encode(some_row());
  bytes[0] = 1;
  auto row = decode_stream(bytes);
  auto expected = some_row();
  expected.forked_from.clear();
  expected.lineage.clear();
  expected.forks = 0;
  CAF_CHECK(row == expected);
}

CAF_TEST(a flipped bit in a chunk of plain bytes is noticed) {
  CAF_CHECK_EQUAL(unnoticed_flips(sound), std::vector<size_t>{});
}

CAF_TEST(a flipped bit in a chunk of messages is noticed) {
  CAF_CHECK_EQUAL(unnoticed_flips(messages), std::vector<size_t>{});
}

CAF_TEST(a chunk that claims a thousand million messages is refused) {
  auto bytes = encode(sound);
  std::fill(bytes.begin() + 5, bytes.begin() + 9, '\xff');
  CAF_CHECK_EQUAL(outcome_of([&] { decode_chunk(1'000, bytes); }), "bad_row");
}

CAF_TEST(keys sort like ids and positions) {
  std::mt19937_64 dice{12};
  std::vector<std::pair<stream_id, position>> keys{
      {0, 0}, {0, UINT64_MAX}, {1, 0}, {255, 1}, {256, 0}, {UINT64_MAX, 0}};
  for (int i = 0; i < 2'000; ++i)
    keys.emplace_back(dice() % 300, dice() >> (dice() % 64));
  size_t wrong = 0;
  for (size_t i = 1; i < keys.size(); ++i) {
    auto [a_id, a_at] = keys[i - 1];
    auto [b_id, b_at] = keys[i];
    wrong += (chunk_key(a_id, a_at) < chunk_key(b_id, b_at)) != (keys[i - 1] < keys[i]);
    wrong += (id_key(a_id) < id_key(b_id)) != (a_id < b_id);
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(keys are read back) {
  for (uint64_t x : {uint64_t{0}, uint64_t{1}, uint64_t{0x0123'4567'89ab'cdef}, UINT64_MAX}) {
    CAF_CHECK_EQUAL(read_id(id_key(x)), x);
    CAF_CHECK_EQUAL(read_id(chunk_key(x, 7)), x);
    CAF_CHECK_EQUAL(chunk_start(chunk_key(7, x)), x);
  }
}

CAF_TEST(keys of one stream begin with its id) {
  auto id = id_key(0x0123'4567'89ab'cdef);
  CAF_CHECK_EQUAL(id.size(), 8u);
  CAF_CHECK(chunk_key(0x0123'4567'89ab'cdef, 9).starts_with(id));
  CAF_CHECK_EQUAL(producer_key(0x0123'4567'89ab'cdef, "gen/id"), id + "gen/id");
}

CAF_TEST(a key that is too short is refused) {
  for (size_t size = 0; size < 16; ++size) {
    auto key = chunk_key(1, 2).substr(0, size);
    CAF_CHECK_NOT_EQUAL(outcome_of([&] { chunk_start(key); }), "decoded");
    CAF_CHECK_EQUAL(outcome_of([&] { read_id(key); }), size < 8 ? "bad_row" : "decoded");
  }
}
