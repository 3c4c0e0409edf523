// An outside model as the adapter sees it: a wish, the answer a test writes, and all that comes of it.
#pragma once

#include "adapters/http_generator/http_generator.hpp"
#include "tests/support/model_server.hpp"

#include "tests/support/test.hpp"

namespace segue {

inline const std::string l16 = "Content-Type: audio/L16;rate=48000;channels=1\n";
inline const std::string chunked = "Transfer-Encoding: chunked\n";

inline sound_request wish() { return {"a waltz", 2.5, 7, "ada", "01234567-89ab-4cde-8f01-23456789abcd", 3, 480}; }

/// Big-endian mono samples that count up.
inline std::string counting(int from, int to) {
  std::string bytes;
  for (; from < to; ++from) {
    bytes += static_cast<char>(from >> 8);
    bytes += static_cast<char>(from);
  }
  return bytes;
}

/// Everything an answer gave until its end, or until it broke.
struct outcome {
  std::vector<int16_t> left; ///< samples of the left channel
  ec code = ec::none;
  std::string why;
};

inline outcome listen(generator& model) {
  outcome result;
  bool doubled = true;
  try {
    while (!model.begin()) {
    }
    std::vector<int16_t> block(1152 * channels);
    size_t count = 0;
    do {
      count = model.render(block);
      for (size_t i = 0; i < count; ++i) {
        doubled = doubled && block[i * channels] == block[i * channels + 1];
        result.left.push_back(block[i * channels]);
      }
    } while (count > 0 || model.waiting());
  } catch (const adapter_error& e) {
    result.code = e.code();
    result.why = e.what();
  }
  CAF_CHECK(doubled); // they were mono
  return result;
}

inline outcome listen(const std::string& url, std::chrono::milliseconds silence = std::chrono::seconds{60}) {
  return listen(*http_generator::make_outside_model(wish(), {url, silence}));
}

/// What comes of one answer.
inline outcome listen(std::function<void(model_connection&)> script, std::chrono::milliseconds silence = std::chrono::seconds{60}) {
  model_server server{std::move(script)};
  auto result = listen(server.url(), silence);
  CAF_CHECK_EQUAL(server.calls(), 1u);
  return result;
}

/// Counting up from 0, as far as it goes.
inline bool counts(const std::vector<int16_t>& samples) {
  for (size_t i = 0; i < samples.size(); ++i)
    if (samples[i] != static_cast<int16_t>(i))
      return false;
  return true;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class F>
std::chrono::milliseconds time_of(F f) {
  auto begun = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

} // namespace segue
