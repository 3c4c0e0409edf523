#include "adapters/stream_rows.hpp"

#include "actors/crc32.hpp"

#include <algorithm>
#include <concepts>

namespace segue {

namespace {

constexpr char layout = 1;
constexpr char stream_layout = 3; ///< 2: without archive and user; 1: and without what belongs to forks

class writer {
public:
  explicit writer(size_t expected = 128, char version = layout) {
    bytes_.reserve(expected);
    bytes_.push_back(version);
  }

  writer& operator<<(std::integral auto value) {
    for (size_t i = 0; i < sizeof value; ++i)
      bytes_.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
    return *this;
  }

  writer& operator<<(const std::string& text) {
    *this << static_cast<uint32_t>(text.size());
    bytes_ += text;
    return *this;
  }

  writer& operator<<(const producer_tag& tag) { return *this << tag.id << tag.epoch << tag.seq; }

  writer& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  /// Adds the checksum of everything so far.
  writer& seal() { return *this << crc32(bytes_); }

  std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

class reader {
public:
  explicit reader(std::string_view bytes, char newest = layout) : all_(bytes), rest_(bytes) {
    version_ = take(1)[0];
    if (version_ < 1 || version_ > newest)
      throw bad_row{};
  }

  char version() const { return version_; }

  template <std::integral T>
  reader& operator>>(T& value) {
    auto bytes = take(sizeof value);
    uint64_t wide = 0;
    for (size_t i = 0; i < sizeof value; ++i)
      wide |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    value = static_cast<T>(wide);
    return *this;
  }

  reader& operator>>(std::string& text) {
    uint32_t size = 0;
    *this >> size;
    text = take(size);
    return *this;
  }

  reader& operator>>(producer_tag& tag) { return *this >> tag.id >> tag.epoch >> tag.seq; }

  /// Takes the checksum off the end; throws when it is not that of everything before it.
  void check_seal() {
    constexpr size_t size = sizeof(uint32_t);
    if (rest_.size() < size)
      throw bad_row{};
    auto sealed = all_.substr(0, all_.size() - size);
    reader end{*this};
    end.rest_.remove_prefix(end.rest_.size() - size);
    uint32_t expected = 0;
    end >> expected;
    if (crc32(sealed) != expected)
      throw bad_row{};
    rest_.remove_suffix(size);
  }

  std::string_view rest() const { return rest_; }

private:
  std::string_view take(size_t size) {
    if (rest_.size() < size)
      throw bad_row{};
    auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view all_;
  std::string_view rest_;
  char version_ = 0;
};

std::string big_endian(uint64_t value) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(value >> (8 * (7 - i)));
  return bytes;
}

uint64_t read_big_endian(std::string_view bytes) {
  if (bytes.size() < 8)
    throw bad_row{};
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

} // namespace

std::string id_key(stream_id id) { return big_endian(id); }

stream_id read_id(std::string_view bytes) { return read_big_endian(bytes); }

std::string chunk_key(stream_id id, position start) { return big_endian(id) + big_endian(start); }

position chunk_start(std::string_view key) { return read_big_endian(key.substr(std::min<size_t>(8, key.size()))); }

std::string producer_key(stream_id id, const std::string& producer) { return big_endian(id) + producer; }

std::string encode(const stream_row& x) {
  writer out{128, stream_layout};
  out << x.id << x.path << x.content_type << x.tail << x.closed << x.closed_by << x.stream_seq << x.ttl_s
      << x.expires_at_ms << x.parent << x.fork_position << x.soft_deleted << x.owner_epoch << x.created_at_ms
      << x.forked_from << x.forks << static_cast<uint32_t>(x.lineage.size());
  for (const auto& one : x.lineage)
    out << one.id << one.until;
  out << static_cast<uint8_t>(x.archive) << x.user_id;
  return out.take();
}

stream_row decode_stream(std::string_view bytes) {
  stream_row x;
  reader in{bytes, stream_layout};
  in >> x.id >> x.path >> x.content_type >> x.tail >> x.closed >> x.closed_by >> x.stream_seq >> x.ttl_s
      >> x.expires_at_ms >> x.parent >> x.fork_position >> x.soft_deleted >> x.owner_epoch >> x.created_at_ms;
  if (in.version() == 1)
    return x;
  uint32_t count = 0;
  in >> x.forked_from >> x.forks >> count;
  for (; count > 0; --count) {
    ancestor one;
    in >> one.id >> one.until;
    x.lineage.push_back(one);
  }
  if (in.version() == 2)
    return x;
  uint8_t archive = 0;
  in >> archive >> x.user_id;
  if (archive > static_cast<uint8_t>(archive_state::evicted))
    throw bad_row{};
  x.archive = static_cast<archive_state>(archive);
  return x;
}

std::string encode(const producer_tag& tag) { return (writer{} << tag).take(); }

producer_tag decode_producer(std::string_view bytes) {
  producer_tag tag;
  reader{bytes} >> tag;
  return tag;
}

std::string encode(const chunk& record) {
  writer out{record.bytes.size() + 16 + 4 * record.lengths.size()};
  out << static_cast<uint32_t>(record.lengths.size());
  for (auto length : record.lengths)
    out << length;
  return out.raw(record.bytes.view()).seal().take();
}

position chunk_end(std::string_view key, std::string_view value) {
  constexpr uint64_t seal = sizeof(uint32_t);
  reader in{value};
  uint32_t count = 0;
  in >> count;
  auto around = uint64_t{count} * sizeof(uint32_t) + seal;
  if (around > in.rest().size())
    throw bad_row{};
  return chunk_start(key) + in.rest().size() - around;
}

chunk decode_chunk(position start, std::string_view bytes) {
  reader in{bytes};
  in.check_seal();
  uint32_t count = 0;
  in >> count;
  if (count > in.rest().size() / 4)
    throw bad_row{};
  chunk record{start, {}, std::vector<uint32_t>(count)};
  for (auto& length : record.lengths)
    in >> length;
  record.bytes = payload{std::string{in.rest()}};
  return record;
}

} // namespace segue
