#define CAF_SUITE adapters.fluidsynth

#include "adapters/fluidsynth/fluidsynth.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using sound = std::vector<int16_t>;

std::unique_ptr<generator> make(const std::string& prompt, double duration, uint64_t seed = 1) {
  sound_request x;
  x.prompt = prompt;
  x.duration_s = duration;
  x.seed = seed;
  return fluidsynth::make_synth(x, fluidsynth::default_soundfont);
}

sound render(generator& g, size_t step = 4'800) {
  sound result;
  sound buffer(step * channels);
  while (auto n = g.render(buffer))
    result.insert(result.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(n * channels));
  return result;
}

double rms(const sound& x, size_t from, size_t frames) {
  double sum = 0;
  auto end = std::min(x.size(), (from + frames) * channels);
  for (size_t i = from * channels; i < end; ++i)
    sum += static_cast<double>(x[i]) * x[i];
  return std::sqrt(sum / std::max<double>(1, static_cast<double>(end) - static_cast<double>(from * channels)));
}

std::string error_of(const std::string& soundfont) {
  try {
    fluidsynth::make_synth({}, soundfont);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

} // namespace

CAF_TEST(the same prompt and seed give the same samples) {
  for (auto prompt : {"jazz trio", "ambient pads, dreamy"}) {
    auto first = render(*make(prompt, 8));
    auto g = make("something else that runs at the same time", 8);
    sound other(9'600);
    g->render(other);
    CAF_CHECK(render(*make(prompt, 8)) == first);
    CAF_CHECK(render(*make(prompt, 8, 2)) != first);
  }
}

CAF_TEST(samples do not depend on how they are asked for) {
  auto whole = render(*make("bossa nova", 6), 10'000'000);
  for (size_t step : {1u, 63u, 64u, 65u, 1'152u, 9'999u})
    CAF_CHECK(render(*make("bossa nova", 6), step) == whole);
}

CAF_TEST(generators on different threads do not disturb each other) {
  auto alone = render(*make("funk", 6));
  std::vector<sound> results(4);
  std::vector<std::thread> threads;
  for (auto& r : results)
    threads.emplace_back([&r] { r = render(*make("funk", 6)); });
  for (auto& t : threads)
    t.join();
  for (auto& r : results)
    CAF_CHECK(r == alone);
}

CAF_TEST(as many frames come as length promised and then none) {
  for (double wish : {5, 7, 30}) {
    auto g = make("lofi", wish);
    auto promised = g->length();
    CAF_CHECK_EQUAL(render(*g, 777).size(), promised * channels);
    sound more(100);
    CAF_CHECK_EQUAL(g->render(more), 0u);
    CAF_CHECK(static_cast<double>(promised) / sample_rate >= wish - 1);
  }
}

CAF_TEST(nothing clips and nothing is silent until the end) {
  for (auto prompt : {"epic cinematic battle", "metal", "solo piano, calm", "solo flute", "techno", "ambient space",
    "lofi, rain"}) {
    auto g = make(prompt, 20);
    auto x = render(*g);
    auto peak = *std::max_element(x.begin(), x.end());
    auto low = *std::min_element(x.begin(), x.end());
    CAF_CHECK(peak < 32'000 && low > -32'000);
    CAF_CHECK(peak > 4'000);
    auto seconds = x.size() / channels / sample_rate;
    for (size_t s = 0; s + 4 < seconds; ++s)
      CAF_CHECK(rms(x, s * sample_rate, sample_rate) > 100);
    CAF_CHECK(rms(x, x.size() / channels - 480, 480) < 60); // it has faded out
  }
}

CAF_TEST(sound is there within 300 ms) {
  for (auto prompt : {"ambient", "classical", "rock", "waltz", "string quartet", "techno", "solo cello", "cinematic",
    "choir, calm"}) {
    auto g = make(prompt, 30);
    sound start(sample_rate * channels * 3 / 10);
    CAF_REQUIRE_EQUAL(g->render(start), start.size() / channels);
    CAF_CHECK(rms(start, 0, start.size()) > 100);
  }
}

CAF_TEST(the plan is an object) {
  auto plan = make("slow waltz", 20)->plan();
  CAF_CHECK(plan.starts_with("{") && plan.ends_with("}"));
  CAF_CHECK(plan.find("\"tempo_bpm\":") != std::string::npos);
  CAF_CHECK(plan.find("\"style\":\"waltz\"") != std::string::npos);
}

CAF_TEST(a missing soundfont is an error that says what to do) {
  auto what = error_of("/nowhere/no.sf2");
  CAF_CHECK(what.find("/nowhere/no.sf2") != std::string::npos);
  CAF_CHECK(what.find("timgm6mb-soundfont") != std::string::npos);
}

CAF_TEST(a file that is no soundfont is an error) {
  auto path = (std::filesystem::temp_directory_path() / ("segue-no-soundfont-" + std::to_string(::getpid()))).string();
  std::ofstream(path) << "this is not a soundfont";
  CAF_CHECK(error_of(path).find(path) != std::string::npos);
  std::remove(path.c_str());
}

CAF_TEST(the version names everything that decides the samples) {
  auto v = fluidsynth::version();
  CAF_CHECK(v.starts_with("synth-1 fluidsynth-"));
  CAF_CHECK(v.find(" soundfont-") != std::string::npos);
  CAF_CHECK_NOT_EQUAL(v, fluidsynth::version("/nowhere/no.sf2"));
  CAF_CHECK(fluidsynth::version("/nowhere/no.sf2").ends_with("soundfont-none"));
}
