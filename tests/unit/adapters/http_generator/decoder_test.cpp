#define CAF_SUITE adapters.http_generator.decoder

#include "adapters/http_generator/decoder.hpp"

#include "adapters/lame/lame.hpp"
#include "adapters/ports.hpp"

#include <cmath>
#include <cstring>
#include <random>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;

namespace {

using samples = std::vector<float>;

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (auto x : values)
    result += static_cast<char>(x);
  return result;
}

/// Samples of a body in cuts of so many bytes.
samples decode(const std::string& type, const std::string& body, size_t cut = 1'000'000) {
  auto x = make_decoder(type);
  samples out;
  for (size_t at = 0; at < body.size(); at += cut)
    x->decode(std::string_view{body}.substr(at, cut), out);
  return out;
}

std::string refusal(const std::string& type, const std::string& body = {}, size_t cut = 1'000'000) {
  try {
    decode(type, body, cut);
    return "accepted";
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    return e.what();
  }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A chord in 16 bit at the rate of the log.
std::vector<int16_t> chord(size_t frames) {
  std::vector<int16_t> result;
  for (size_t i = 0; i < frames; ++i) {
    auto t = static_cast<double>(i) / sample_rate;
    result.push_back(static_cast<int16_t>(9'000 * std::sin(2'764 * t)));
    result.push_back(static_cast<int16_t>(9'000 * std::sin(4'146 * t)));
  }
  return result;
}

std::string mp3_of(const std::vector<int16_t>& sound) {
  auto encoder = lame::make_lame_encoder();
  std::string out;
  encoder->encode(sound, out);
  encoder->finish(out);
  return out;
}

} // namespace

CAF_TEST(L16 is big endian and pcm is little endian) {
  auto body = bytes({0x40, 0x00, 0x00, 0xc0});
  CAF_CHECK_EQUAL(decode("audio/L16;rate=48000;channels=2", body), (samples{0.5f, 192 / 32'768.0f}));
  CAF_CHECK_EQUAL(decode("audio/pcm;rate=48000;channels=2", body), (samples{64 / 32'768.0f, -0.5f}));
}

CAF_TEST(mono is doubled and is the default) {
  for (const char* type : {"audio/L16;rate=8000", "audio/L16;rate=8000;channels=1"})
    CAF_CHECK_EQUAL(decode(type, bytes({0x40, 0x00, 0xc0, 0x00})), (samples{0.5f, 0.5f, -0.5f, -0.5f}));
}

CAF_TEST(every 16 bit number is its own sample) {
  std::string body;
  for (int x = -32'768; x < 32'768; ++x)
    body += bytes({x & 0xff, x >> 8 & 0xff});
  auto out = decode("audio/pcm;rate=48000", body);
  CAF_REQUIRE_EQUAL(out.size(), 2u * 65'536);
  for (int x = -32'768; x < 32'768; ++x)
    if (out[static_cast<size_t>(x + 32'768) * 2] * 32'768 != static_cast<float>(x))
      CAF_FAIL(x << " is not " << x);
}

CAF_TEST(samples do not depend on how a body is cut) {
  std::string body;
  for (int i = 0; i < 240; ++i)
    body += static_cast<char>(i * 37);
  auto whole = decode("audio/pcm;rate=48000;channels=2", body);
  for (size_t cut : {1u, 2u, 3u, 5u, 7u, 64u})
    CAF_CHECK_EQUAL(decode("audio/pcm;rate=48000;channels=2", body, cut), whole);
}

CAF_TEST(types are read as HTTP writes them) {
  for (const char* type : {"audio/mpeg", "Audio/MPEG", "audio/mpeg; charset=x", "audio/wav", "audio/x-wav", "AUDIO/WAV",
           "audio/L16;rate=44100;channels=2", "audio/l16 ; Rate=44100 ; CHANNELS=2", "audio/pcm;channels=\"1\";rate=\"8000\"",
           "audio/pcm; rate=192000; channels=2; note=x", "audio/L16;rate=44100;"})
    CAF_CHECK_EQUAL(refusal(type), "accepted");
  CAF_CHECK_EQUAL(make_decoder("audio/L16; rate=22050")->rate(), 22'050u);
}

CAF_TEST(another type is refused and says which are allowed) {
  for (std::string type : {"", "text/html", "audio/ogg", "audio", "audio/mpegx", "application/octet-stream", ";", "audio/wav2"}) {
    auto why = refusal(type);
    CAF_CHECK(contains(why, '"' + type + '"'));
    for (const char* allowed : {"audio/mpeg", "audio/wav", "audio/L16", "big-endian", "audio/pcm", "little-endian"})
      CAF_CHECK(contains(why, allowed));
  }
}

CAF_TEST(a type that is no UTF-8 is quoted as far as it is) {
  CAF_CHECK(contains(refusal("audio/m\xf6p"), "\"audio/m\xef\xbf\xbdp\""));
}

CAF_TEST(rates and channels have bounds) {
  CAF_CHECK(contains(refusal("audio/L16"), "sample rate is 0; allowed are 8,000 to 192,000"));
  for (const char* rate : {"7999", "192001", "x", "44100x", "-44100", "44.1", "", "99999999999"})
    CAF_CHECK(contains(refusal(std::string{"audio/L16;rate="} + rate), "allowed are 8,000 to 192,000"));
  for (const char* channels : {"0", "3", "6", "x"})
    CAF_CHECK(contains(refusal(std::string{"audio/L16;rate=8000;channels="} + channels), "allowed are 1 and 2"));
}

CAF_TEST(MP3 is decoded whatever the cuts) {
  auto sound = chord(48'000);
  auto body = mp3_of(sound);
  auto whole = decode("audio/mpeg", body);
  CAF_REQUIRE_GREATER(whole.size(), sound.size());
  for (size_t cut : {1u, 100u, 384u, 1'000u})
    CAF_CHECK(decode("audio/mpeg", body, cut) == whole);
  constexpr size_t delay = 1'105 * channels; // of encoder and decoder, which nothing in the bytes tells
  double squares = 0;
  for (size_t i = 4'800; i < 90'000; ++i)
    squares += std::pow(whole[i + delay] * 32'768 - 0.95 * sound[i], 2); // LAME turns it down a little
  CAF_CHECK_LESS(std::sqrt(squares / 85'200), 100); // one sample beside it would be 370 at least
}

CAF_TEST(what is no MP3 is refused) {
  std::string page = "<html><body>It works!</body></html>\n";
  while (page.size() < 100'000)
    page += page;
  CAF_CHECK(contains(refusal("audio/mpeg", page), "the model's MP3 cannot be decoded: "));
  std::minstd_rand dice{1};
  std::string noise;
  for (int i = 0; i < 1'000'000; ++i)
    noise += static_cast<char>(dice() >> 8 & 0x7f); // no byte in it begins a frame
  CAF_CHECK(contains(refusal("audio/mpeg", noise), "the model's MP3 cannot be decoded: "));
  CAF_CHECK(contains(refusal("audio/mpeg", std::string(17 << 20, 'x'), 4'096), "there is no frame in 16 MiB"));
}
