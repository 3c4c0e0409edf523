#define CAF_SUITE adapters.lame

#include "adapters/lame/lame.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

constexpr size_t frame = 1'152 * channels;

// A chord that moves, with a click now and then: work for the bit allocation.
std::vector<int16_t> sound(size_t sample_frames) {
  std::vector<int16_t> result(sample_frames * channels);
  uint32_t noise = 1;
  for (size_t i = 0; i < sample_frames; ++i) {
    noise = noise * 1'664'525u + 1'013'904'223u;
    auto t = static_cast<double>(i) / sample_rate;
    auto x = 0.3 * std::sin(1'382.3 * t) + 0.2 * std::sin(t * (2'100 + 300 * t));
    if (i % 12'000 < 400)
      x += 0.3 * (static_cast<double>(noise >> 16) / 32'768 - 1);
    result[2 * i] = static_cast<int16_t>(x * 32'000);
    result[2 * i + 1] = static_cast<int16_t>(x * std::cos(3 * t) * 32'000);
  }
  return result;
}

std::string encode(const std::vector<int16_t>& samples, size_t step, int kbps = 128) {
  auto x = lame::make_lame_encoder(kbps);
  std::string out;
  for (size_t i = 0; i < samples.size(); i += step)
    x->encode(std::span(samples).subspan(i, std::min(step, samples.size() - i)), out);
  x->finish(out);
  return out;
}

size_t byte_at(const std::string& x, size_t i) { return static_cast<unsigned char>(x[i]); }

} // namespace

CAF_TEST(a frame of 24 ms at 128 kbit per second has exactly 384 bytes) {
  CAF_CHECK_EQUAL(lame::make_lame_encoder()->frame_bytes(), 384u);
  CAF_CHECK_EQUAL(lame::make_lame_encoder(192)->frame_bytes(), 576u);
}

CAF_TEST(every call hands over whole frames) {
  auto samples = sound(3 * sample_rate);
  auto x = lame::make_lame_encoder();
  std::string out;
  for (size_t i = 0; i + 778 <= samples.size(); i += 778) {
    x->encode(std::span(samples).subspan(i, 778), out);
    CAF_REQUIRE_EQUAL(out.size() % 384, 0u);
  }
  CAF_CHECK(out.size() / 384 + 4 >= samples.size() / frame); // it keeps at most three frames back
  x->finish(out);
  CAF_CHECK_EQUAL(out.size() % 384, 0u);
}

CAF_TEST(the frames cover all samples and little more) {
  for (size_t frames : {1u, 10u, 125u}) {
    auto out = encode(sound(frames * 1'152), frame);
    CAF_CHECK(out.size() / 384 >= frames);
    CAF_CHECK(out.size() / 384 <= frames + 3);
  }
}

CAF_TEST(every frame header is valid and no frame reaches back into the bit reservoir) {
  for (auto kbps : {128, 192}) {
    auto out = encode(sound(4 * sample_rate), 5'000, kbps);
    auto size = static_cast<size_t>(kbps) * 3;
    CAF_REQUIRE_EQUAL(out.size() % size, 0u);
    for (size_t i = 0; i < out.size(); i += size) {
      CAF_REQUIRE_EQUAL(byte_at(out, i), 0xffu);
      CAF_REQUIRE_EQUAL(byte_at(out, i + 1), 0xfbu);                                     // MPEG-1, layer III, no CRC
      CAF_REQUIRE_EQUAL(byte_at(out, i + 2), kbps == 128 ? 0x94u : 0xb4u);               // rate, 48 kHz, no padding
      CAF_REQUIRE(byte_at(out, i + 3) >> 6 <= 1);                                        // stereo or joint stereo
      CAF_REQUIRE_EQUAL(byte_at(out, i + 4) << 1 | byte_at(out, i + 5) >> 7, size_t{0}); // main_data_begin
    }
  }
}

CAF_TEST(the first frame is sound and not a tag) {
  auto out = encode(sound(sample_rate), frame);
  CAF_CHECK_EQUAL(out.substr(0, 384).find("Xing"), std::string::npos);
  CAF_CHECK_EQUAL(out.substr(0, 384).find("Info"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(out.substr(0, 3), "ID3");
}

CAF_TEST(the same samples give the same bytes however they are split) {
  auto samples = sound(2 * sample_rate + 77);
  auto whole = encode(samples, samples.size());
  for (size_t step : {2u, 1'000u, 2'304u, 2'306u, 30'000u})
    CAF_CHECK(encode(samples, step) == whole);
}

CAF_TEST(finishing without a sample gives whole frames or nothing) {
  auto out = encode({}, frame);
  CAF_CHECK_EQUAL(out.size() % 384, 0u);
  CAF_CHECK(out.size() <= 3 * 384);
}

CAF_TEST(an impossible bit rate is refused) {
  try {
    lame::make_lame_encoder(100);
    CAF_FAIL("100 kbit/s was accepted");
  } catch (const std::invalid_argument& e) {
    CAF_CHECK_EQUAL(std::string(e.what()), "not an MP3 bit rate: 100 kbit/s");
  }
}
