#include "adapters/http_generator/http_generator.hpp"

#include "actors/log.hpp"
#include "adapters/http_generator/answer.hpp"
#include "adapters/http_generator/decoder.hpp"
#include "adapters/http_generator/resampler.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace segue::http_generator {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds patience{500};           ///< one call waits no longer
constexpr milliseconds refusal_patience{2'000}; ///< for the text of a refusal
constexpr size_t decoded_at_once = 4'096;       ///< bytes, so that few samples wait
constexpr size_t remembered = 800;              ///< bytes of the body, for a reason that quotes it
constexpr uint64_t frames_a_ms = sample_rate / 1'000;

std::string request_of(const sound_request& wish) {
  nlohmann::ordered_json body{{"userId", wish.user_id}, {"requestId", wish.request_id}, {"promptText", wish.prompt},
      {"attempt", wish.attempt}, {"seed", wish.seed}, {"durationS", wish.duration_s}, {"resumeAtMs", wish.resume_at_ms}};
  return body.dump();
}

class outside_model final : public generator {
public:
  outside_model(const sound_request& wish, const model_address& model)
      : call_(model, request_of(wish)), longest_(model.longest), length_(static_cast<uint64_t>(std::llround(wish.duration_s * sample_rate))) {}

  bool begin() override {
    if (!call_.answered())
      call_.wait(patience);
    if (!call_.answered())
      return false;
    if (call_.status() != 200)
      return refused();
    auto type = call_.header("Content-Type").value_or("");
    try {
      decoder_ = make_decoder(type);
    } catch (const adapter_error& e) {
      unusable_ = e.what();
      return refused();
    }
    starts_at_ = read_ms("Segue-Resumed-At-Ms", call_.header("Segue-Resumed-At-Ms")) * frames_a_ms;
    if (auto length = read_ms("Segue-Length-Ms", call_.header("Segue-Length-Ms")))
      length_ = length * frames_a_ms;
    plan_ = nlohmann::json{{"format", type}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (call_.open_ended())
      log::warning("generator", "open_ended", "the model's answer has neither chunks nor a Content-Length: a cut would be "
          "taken for the end of the piece");
    return true;
  }

  uint64_t starts_at() const override { return starts_at_; }
  std::string plan() const override { return plan_; }
  uint64_t length() const override { return length_; }
  bool waiting() const override { return waiting_; }

  size_t render(std::span<int16_t> out) override {
    auto deadline = clock::now() + patience;
    waiting_ = false;
    while (samples_.size() < out.size() && !over_ && !waiting_) {
      auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
      if (auto bytes = call_.take(decoded_at_once); !bytes.empty())
        decode(bytes);
      else if (call_.over())
        finish();
      else if (left.count() > 0)
        call_.wait(left);
      else
        waiting_ = true;
    }
    auto count = std::min(out.size(), samples_.size());
    std::copy_n(samples_.begin(), count, out.begin());
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<ptrdiff_t>(count));
    return count / channels;
  }

private:
  /// No sound will come. Throws what the model says instead, as soon as it is known; until then false.
  bool refused() {
    if (refused_at_ == clock::time_point{})
      refused_at_ = clock::now();
    auto waited = std::chrono::duration_cast<milliseconds>(clock::now() - refused_at_);
    bool whole = said_.size() >= remembered || waited >= refusal_patience;
    try {
      if (!whole)
        call_.wait(std::min(patience, refusal_patience - waited));
    } catch (const adapter_error&) {
      whole = true; // then what came has to do
    }
    for (auto bytes = call_.take(decoded_at_once); !bytes.empty(); bytes = call_.take(decoded_at_once))
      remember(bytes);
    if (!whole && !call_.over())
      return false;
    if (!unusable_.empty())
      throw adapter_error{ec::invalid_argument, unusable_ + quotation(said_)};
    auto status = call_.status();
    throw adapter_error{may_pass(status) ? ec::unavailable : ec::invalid_argument, "the model answered with status "
        + std::to_string(status) + quotation(said_) + "; allowed is 200 with " + allowed_types};
  }

  void remember(const std::string& bytes) { said_.append(bytes, 0, remembered - std::min(remembered, said_.size())); }

  void decode(const std::string& bytes) {
    remember(bytes);
    std::vector<float> decoded;
    try {
      decoder_->decode(bytes, decoded);
    } catch (const adapter_error& e) {
      throw adapter_error{e.code(), e.what() + quotation(said_)};
    }
    if (decoder_->rate() != 0 && !resampler_)
      resampler_.emplace(decoder_->rate());
    if (!decoded.empty())
      resampler_->convert(decoded, false, samples_);
    came_ += decoded.size();
    if (came_ * 1'000 > static_cast<uint64_t>(longest_.count()) * channels * decoder_->rate())
      throw adapter_error{ec::invalid_argument, "the model sends more than " + std::to_string(longest_.count() / 1'000) + " s of sound"};
  }

  /// An empty body may be a cut that could not be told; one without a sample is none of the allowed types.
  void finish() {
    over_ = true;
    if (came_ == 0 && said_.empty())
      throw adapter_error{ec::unavailable, "the model's answer was empty"};
    if (came_ == 0)
      throw adapter_error{ec::invalid_argument, "the model's answer holds no sound" + quotation(said_)};
    resampler_->convert({}, true, samples_);
  }

  model_call call_;
  milliseconds longest_;
  uint64_t starts_at_ = 0;
  uint64_t length_;
  std::string plan_ = "{}";
  std::unique_ptr<decoder> decoder_;
  std::optional<resampler> resampler_;
  std::vector<int16_t> samples_; ///< not asked for yet
  uint64_t came_ = 0;            ///< samples decoded
  bool over_ = false;
  bool waiting_ = false;
  std::string said_;             ///< the first bytes of the body
  std::string unusable_;         ///< why an answer with status 200 is no sound
  clock::time_point refused_at_{};
};

} // namespace

std::unique_ptr<generator> make_outside_model(const sound_request& wish, const model_address& model) {
  return std::make_unique<outside_model>(wish, model);
}

} // namespace segue::http_generator
