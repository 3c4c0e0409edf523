#define CAF_SUITE adapters.http_generator.resampler

#include "adapters/http_generator/resampler.hpp"

#include "adapters/ports.hpp"

#include <algorithm>
#include <cmath>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;

namespace {

constexpr double pi = 3.14159265358979;

/// A tone on the left, an octave higher on the right, from a moment on.
std::vector<float> tone(uint32_t rate, double seconds, double from = 0) {
  std::vector<float> result;
  for (double i = 0; i < seconds * rate; ++i) {
    auto t = from + i / rate;
    result.push_back(static_cast<float>(0.5 * std::sin(2 * pi * 440 * t)));
    result.push_back(static_cast<float>(0.25 * std::sin(2 * pi * 880 * t)));
  }
  return result;
}

std::vector<int16_t> convert(uint32_t rate, const std::vector<float>& in, size_t step = 1'000'000) {
  resampler x{rate};
  std::vector<int16_t> out;
  for (size_t at = 0; at < in.size(); at += step)
    x.convert(std::span{in}.subspan(at, std::min(step, in.size() - at)), false, out);
  x.convert({}, true, out);
  return out;
}

/// The largest difference between sample frames `first` to `last` of `out`, which begin at a moment, and the tone itself.
double error(const std::vector<int16_t>& out, size_t first, size_t last, double from = 0) {
  auto expected = tone(sample_rate, static_cast<double>(last) / sample_rate, from);
  double worst = 0;
  for (size_t i = first * channels; i < last * channels; ++i)
    worst = std::max(worst, std::abs(out[i] - 32'768.0 * expected[i]));
  return worst;
}

} // namespace

CAF_TEST(at the rate of the log nothing is changed) {
  std::vector<float> in;
  std::vector<int16_t> expected;
  for (int x = -32'768; x < 32'768; ++x) {
    in.push_back(static_cast<float>(x) / 32'768);
    expected.push_back(static_cast<int16_t>(x));
  }
  CAF_CHECK(convert(sample_rate, in) == expected);
}

CAF_TEST(what is too loud is clipped) {
  CAF_CHECK_EQUAL(convert(sample_rate, {1, -1, 3, -3}), (std::vector<int16_t>{32'767, -32'768, 32'767, -32'768}));
}

CAF_TEST(every rate becomes that of the log without delay and with the same sound) {
  for (uint32_t rate : {8'000, 11'025, 16'000, 22'050, 24'000, 32'000, 44'100, 88'200, 96'000, 192'000}) {
    auto out = convert(rate, tone(rate, 1));
    CAF_MESSAGE(rate << ": " << out.size() / channels << " frames, error " << error(out, 2'400, 45'000));
    CAF_CHECK_LESS_OR_EQUAL(std::abs(static_cast<long>(out.size() / channels) - 48'000), 12);
    CAF_CHECK_LESS(error(out, 2'400, 45'000), 3.0); // of 16,384
  }
}

CAF_TEST(samples do not depend on how they are handed in) {
  auto in = tone(44'100, 0.5);
  auto whole = convert(44'100, in);
  for (size_t step : {2u, 200u, 2'048u})
    CAF_CHECK(convert(44'100, in, step) == whole);
}

CAF_TEST(a later beginning gives the same sound once its filter is filled) {
  for (uint32_t rate : {8'000, 24'000, 44'100, 96'000}) {
    auto resumed = convert(rate, tone(rate, 0.5, 0.24));
    CAF_CHECK_LESS(error(resumed, 2'400, 20'000, 0.24), 3.0); // 50 ms of 240
    auto whole = convert(rate, tone(rate, 1));
    auto apart = 0;
    for (size_t i = 2'400 * channels; i < 20'000 * channels; ++i)
      apart = std::max(apart, std::abs(resumed[i] - whole[i + 11'520 * channels]));
    CAF_CHECK_LESS_OR_EQUAL(apart, 1);
  }
}

CAF_TEST(nothing comes of nothing) {
  CAF_CHECK(convert(44'100, {}).empty());
  CAF_CHECK(convert(48'000, {}).empty());
}
