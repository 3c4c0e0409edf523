#define CAF_SUITE adapters.http_generator.wav_decoder

#include "adapters/http_generator/wav_decoder.hpp"

#include "adapters/ports.hpp"

#include <cmath>
#include <cstring>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;

namespace {

using samples = std::vector<float>;

std::string number(uint64_t value, size_t size) {
  std::string bytes;
  for (; size > 0; --size, value >>= 8)
    bytes += static_cast<char>(value);
  return bytes;
}

std::string chunk(const std::string& id, const std::string& body) {
  return id + number(body.size(), 4) + body + std::string(body.size() % 2, '\0');
}

struct format {
  uint32_t tag = 1;
  uint32_t channels = 2;
  uint32_t rate = 44'100;
  uint32_t bits = 16;

  std::string body() const {
    auto frame = channels * bits / 8;
    return number(tag, 2) + number(channels, 2) + number(rate, 4) + number(rate * frame, 4) + number(frame, 2) + number(bits, 2);
  }
};

const std::string riff = "RIFF" + number(0xffffffff, 4) + "WAVE";

std::string header(const format& x = {}, uint32_t data_size = 0xffffffff) {
  return riff + chunk("fmt ", x.body()) + "data" + number(data_size, 4);
}

struct decoded {
  samples out;
  uint32_t rate = 0;
};

decoded decode(const std::string& body, size_t cut = 1'000'000) {
  wav_decoder x;
  decoded result;
  for (size_t at = 0; at < body.size(); at += cut)
    x.decode(std::string_view{body}.substr(at, cut), result.out);
  result.rate = x.rate();
  return result;
}

std::string refusal(const std::string& body) {
  try {
    decode(body);
    return "accepted";
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    return e.what();
  }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string floats(std::initializer_list<float> values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

const std::string four = number(0x4000, 2) + number(0xc000, 2) + number(0x2000, 2) + number(0xe000, 2);
const samples four_samples{0.5f, -0.5f, 0.25f, -0.25f};

} // namespace

CAF_TEST(a stream of unknown size ends with the body) {
  for (uint32_t size : {0xffffffffu, 0u, 0x7fffffffu, 0x80000000u, 0x7fff0000u}) {
    auto x = decode(header({}, size) + four);
    CAF_CHECK_EQUAL(x.out, four_samples);
    CAF_CHECK_EQUAL(x.rate, 44'100u);
  }
}

CAF_TEST(what follows samples of a known size is none) {
  CAF_CHECK_EQUAL(decode(header({}, 8) + four + chunk("LIST", std::string(500, 'x'))).out, four_samples);
  CAF_CHECK_EQUAL(decode(header({}, 8) + four + four).out, four_samples);
}

CAF_TEST(other chunks are passed over also those of an odd size) {
  auto body = riff + chunk("JUNK", "odd") + chunk("bext", "") + chunk("fmt ", format{}.body()) + chunk("LIST", std::string(4'001, 'x'))
      + chunk("fact", number(2, 4)) + "data" + number(0, 4) + four;
  CAF_CHECK_EQUAL(decode(body).out, four_samples);
}

CAF_TEST(a header may be cut anywhere) {
  auto body = riff + chunk("JUNK", "odd") + chunk("fmt ", format{}.body()) + "data" + number(8, 4) + four + chunk("LIST", "abc");
  for (size_t cut = 1; cut <= body.size(); ++cut)
    CAF_CHECK_EQUAL(decode(body, cut).out, four_samples);
}

CAF_TEST(samples may be floats) {
  auto x = decode(header({3, 1, 96'000, 32}) + floats({0.5f, -1.0f, 2.0f}));
  CAF_CHECK_EQUAL(x.out, (samples{0.5f, 0.5f, -1, -1, 2, 2}));
  CAF_CHECK_EQUAL(x.rate, 96'000u);
}

CAF_TEST(floats that are no numbers are silence) {
  auto x = decode(header({3, 1, 48'000, 32}) + floats({NAN, INFINITY, -INFINITY, 1e30f}));
  CAF_CHECK_EQUAL(x.out, (samples{0, 0, 0, 0, 0, 0, 4, 4}));
}

CAF_TEST(an extensible format is what stands further back) {
  auto extensible = [](uint32_t tag, uint32_t bits) {
    auto body = format{0xfffe, 2, 48'000, bits}.body() + number(22, 2) + number(bits, 2) + number(3, 4) + number(tag, 2);
    return riff + chunk("fmt ", body + std::string(14, 'g')) + "data" + number(0, 4);
  };
  CAF_CHECK_EQUAL(decode(extensible(1, 16) + four).out, four_samples);
  CAF_CHECK_EQUAL(decode(extensible(3, 32) + floats({0.5f, 0.25f})).out, (samples{0.5f, 0.25f}));
  CAF_CHECK(contains(refusal(extensible(1, 24)), "24-bit samples of kind 1"));
}

CAF_TEST(no sample comes of a header alone) {
  auto whole = header();
  for (size_t size = 0; size <= whole.size(); ++size)
    CAF_CHECK(decode(whole.substr(0, size)).out.empty());
}

CAF_TEST(what cannot be read says why) {
  CAF_CHECK(contains(refusal("<html> this is a page"), "it does not begin with RIFF and WAVE"));
  CAF_CHECK(contains(refusal("RIFX" + number(0, 4) + "WAVE"), "it does not begin with RIFF and WAVE"));
  CAF_CHECK(contains(refusal("RIFF" + number(0, 4) + "AVI "), "it does not begin with RIFF and WAVE"));
  CAF_CHECK(contains(refusal(riff + "data" + number(0, 4)), "its samples come before their format"));
  for (size_t size : {0u, 15u, 1'025u})
    CAF_CHECK(contains(refusal(riff + "fmt " + number(size, 4)), "its format chunk has " + std::to_string(size) + " bytes"));
  for (auto bits : {8u, 24u, 32u})
    CAF_CHECK(contains(refusal(header({1, 2, 44'100, bits})), std::to_string(bits) + "-bit samples of kind 1; allowed are"));
  CAF_CHECK(contains(refusal(header({3, 2, 44'100, 64})), "64-bit samples of kind 3"));
  CAF_CHECK(contains(refusal(header({0x55, 2, 44'100, 16})), "kind 85"));
  CAF_CHECK(contains(refusal(header({1, 6, 44'100, 16})), "6 channels"));
  CAF_CHECK(contains(refusal(header({1, 0, 44'100, 16})), "0 channels"));
  CAF_CHECK(contains(refusal(header({1, 2, 4'000, 16})), "sample rate is 4000"));
  CAF_CHECK(contains(refusal(header({1, 2, 200'000, 16})), "sample rate is 200000"));
}
