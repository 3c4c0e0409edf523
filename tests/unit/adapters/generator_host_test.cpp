#define CAF_SUITE adapters.generator_host

#include "actors/sound.hpp"
#include "adapters/host.hpp"
#include "adapters/lame/lame.hpp"
#include "tests/support/scripted_generator.hpp"

#include <cmath>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// What the generator of a test does.
struct script {
  uint64_t starts_at = 0; ///< sample frames
  uint64_t length = 48'000;
  size_t begins_after = 0;            ///< calls
  std::deque<size_t> gives;           ///< sample frames of each render, then all that is asked for; 0: it waits
  uint64_t breaks_at = UINT64_MAX;    ///< sample frames from its start
  ec breaks_with = ec::unavailable;
};

/// Left: the number of the sample frame in the piece; right: likewise, the upper bits.
class counting_generator final : public generator {
public:
  counting_generator(std::shared_ptr<script> x) : script_(std::move(x)), at_(script_->starts_at) {}

  bool begin() override { return script_->begins_after == 0 || script_->begins_after-- == 0; }
  uint64_t starts_at() const override { return script_->starts_at; }
  std::string plan() const override { return R"({"key":"C"})"; }
  uint64_t length() const override { return script_->length; }
  bool waiting() const override { return waiting_; }

  size_t render(std::span<int16_t> out) override {
    auto most = out.size() / channels;
    if (!script_->gives.empty()) {
      most = std::min(most, script_->gives.front());
      script_->gives.pop_front();
      waiting_ = most < out.size() / channels;
    } else {
      waiting_ = false;
    }
    size_t count = 0;
    for (; count < most && at_ < script_->length; ++count, ++at_) {
      if (at_ - script_->starts_at >= script_->breaks_at)
        throw adapter_error{script_->breaks_with, "it broke"};
      out[2 * count] = static_cast<int16_t>(at_);
      out[2 * count + 1] = static_cast<int16_t>(at_ >> 16);
    }
    return count;
  }

private:
  std::shared_ptr<script> script_;
  uint64_t at_;
  bool waiting_ = false;
};

/// A frame is the first samples of its block.
struct fixture : actor_fixture {
  fixture() : actor_fixture(chunk_store_engine{"memory:"}.get()) {}

  generator_actor spawn() {
    sound_source source{"counting", "1", [this](const sound_request& x) {
      wish = x;
      return std::make_unique<counting_generator>(plot);
    }, [this] { return std::make_unique<scripted_encoder>(encoding); }, {}};
    return spawn_generator_host(sys, source, {false, 1});
  }

  /// The number of the sample frame with which each of these frames begins.
  static std::vector<uint64_t> beginnings(const payload& frames) {
    std::vector<uint64_t> result;
    for (size_t at = 0; at + frame_bytes <= frames.size(); at += frame_bytes) {
      uint16_t parts[2];
      std::memcpy(parts, frames.view().data() + at, sizeof parts);
      result.push_back(parts[0] | static_cast<uint64_t>(parts[1]) << 16);
    }
    return result;
  }

  std::shared_ptr<script> plot = std::make_shared<script>();
  sound_script encoding;
  sound_request wish;
};

/// A piece that is the same wherever one begins to make it.
class tune final : public generator {
public:
  explicit tune(uint64_t from) : from_(from), at_(from) {}
  std::string plan() const override { return "{}"; }
  uint64_t starts_at() const override { return from_; }
  uint64_t length() const override { return 8 * sample_rate; }

  size_t render(std::span<int16_t> out) override {
    size_t count = 0;
    for (; count < out.size() / channels && at_ < length(); ++count, ++at_) {
      auto step = at_ / 12'000;
      auto t = static_cast<double>(at_ % 12'000) / sample_rate;
      auto pitch = 6.283 * 220 * std::pow(2, static_cast<double>(step * 7 % 12) / 12);
      auto x = std::exp(-4 * t) * (1 - std::exp(-200 * t)) * (std::sin(pitch * t) + 0.5 * std::sin(2 * pitch * t));
      out[2 * count] = out[2 * count + 1] = static_cast<int16_t>(9'000 * x);
    }
    return count;
  }

private:
  uint64_t from_;
  uint64_t at_;
};

/// The log of the tune from position `starts_at` on, made by real encoder and host.
struct made_tune {
  position starts_at = 0;
  std::string bytes;
};

made_tune make_tune(actor_fixture& x, uint64_t from) {
  sound_source source{"tune", "1", [from](const sound_request&) { return std::make_unique<tune>(from); },
      [] { return lame::make_lame_encoder(); }, {}};
  auto host = spawn_generator_host(x.sys, source, {false, 1});
  made_tune made{x.ask(host, open_sound{"a", 8}).reply().starts_at, {}};
  for (bool at_end = false; !at_end;) {
    auto rendered = x.ask(host, render_sound{10 * frame_bytes}).reply();
    made.bytes += rendered.frames.view();
    at_end = rendered.at_end;
  }
  return made;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(a_host, fixture)

CAF_TEST(the generator is told what the message says) {
  auto host = spawn();
  ask(host, open_sound{"a waltz", 2.5, 7, "ada", "id", 3, 480});
  CAF_CHECK_EQUAL(wish.prompt, "a waltz");
  CAF_CHECK_EQUAL(wish.duration_s, 2.5);
  CAF_CHECK_EQUAL(wish.seed, 7u);
  CAF_CHECK_EQUAL(wish.user_id, "ada");
  CAF_CHECK_EQUAL(wish.request_id, "id");
  CAF_CHECK_EQUAL(wish.attempt, 3u);
  CAF_CHECK_EQUAL(wish.resume_at_ms, 480u);
}

CAF_TEST(the sound begins at the next frame of the log) {
  for (uint64_t from : {0, 1, 1'151, 1'152, 1'153, 11'520, 70'000}) {
    plot->starts_at = from;
    plot->length = 200'000;
    auto host = spawn();
    auto opened = ask(host, open_sound{}).reply();
    auto frame = (from + 1'151) / 1'152;
    CAF_CHECK(opened.begun);
    CAF_CHECK_EQUAL(opened.starts_at, frame * frame_bytes);
    CAF_CHECK_EQUAL(opened.expected_bytes, (200'000 / 1'152 + 2) * frame_bytes);
    CAF_CHECK_EQUAL(opened.plan, R"({"key":"C"})");
    auto rendered = ask(host, render_sound{3 * frame_bytes}).reply();
    CAF_CHECK_EQUAL(beginnings(rendered.frames), (std::vector<uint64_t>{frame * 1'152, (frame + 1) * 1'152, (frame + 2) * 1'152}));
  }
}

CAF_TEST(a generator that needs longer is asked again) {
  plot->begins_after = 2;
  auto host = spawn();
  for (int i = 0; i < 2; ++i) {
    CAF_CHECK(!ask(host, open_sound{}).reply().begun);
    CAF_CHECK_EQUAL(ask(host, render_sound{frame_bytes}).code(), ec::invalid_argument); // it has not begun
  }
  CAF_CHECK(ask(host, open_sound{}).reply().begun);
  CAF_CHECK_EQUAL(ask(host, render_sound{frame_bytes}).reply().frames.size(), frame_bytes);
}

CAF_TEST(while more is waited for what there is comes first) {
  plot->gives = {1'152, 1'152, 100, 0, 0, 1'052, 1'152};
  encoding.has_tail = false;
  auto host = spawn();
  ask(host, open_sound{});
  std::vector<size_t> sizes;
  uint64_t next = 0;
  for (bool at_end = false; !at_end;) {
    auto rendered = ask(host, render_sound{5 * frame_bytes}).reply();
    sizes.push_back(rendered.frames.size() / frame_bytes);
    for (auto from : beginnings(rendered.frames))
      CAF_CHECK_EQUAL(from, 1'152 * next++);
    at_end = rendered.at_end;
  }
  CAF_CHECK_EQUAL((std::vector<size_t>{sizes.begin(), sizes.begin() + 5}), (std::vector<size_t>{2, 0, 0, 1, 5}));
}

CAF_TEST(what was made before the generator broke comes before its error) {
  for (auto code : {ec::unavailable, ec::timeout, ec::invalid_argument}) {
    plot->breaks_at = 4 * 1'152 + 5;
    plot->breaks_with = code;
    auto host = spawn();
    ask(host, open_sound{});
    CAF_CHECK_EQUAL(ask(host, render_sound{3 * frame_bytes}).reply().frames.size(), 3 * frame_bytes);
    auto last = ask(host, render_sound{3 * frame_bytes}).reply();
    CAF_CHECK_EQUAL(last.frames.size(), frame_bytes);
    CAF_CHECK(!last.at_end);
    for (int i = 0; i < 2; ++i)
      CAF_CHECK_EQUAL(ask(host, render_sound{3 * frame_bytes}).code(), code);
  }
}

CAF_TEST(an encoder that was primed goes on as if nothing had happened) {
  auto whole = make_tune(*this, 0);
  for (position tail = 10 * frame_bytes; tail < whole.bytes.size(); tail += 23 * frame_bytes) {
    auto resumed = make_tune(*this, sound_ms(priming_start(tail)) * 48);
    CAF_CHECK_EQUAL(resumed.starts_at, priming_start(tail));
    CAF_CHECK(resumed.bytes.substr(tail - resumed.starts_at) == whole.bytes.substr(tail));
    auto unprimed = make_tune(*this, sound_ms(tail) * 48);
    CAF_CHECK(unprimed.bytes != whole.bytes.substr(tail));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
