// A model test of `follower`: a scripted server that cuts, vanishes, lies and lags, in virtual time.
#define CAF_SUITE tools.client.follow

#include "tools/client/follow.hpp"

#include <algorithm>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::client;
using namespace std::chrono_literals;

namespace {

std::string name_of(follow_end x) {
  constexpr const char* names[] = {"complete", "refused", "unreachable", "inconsistent", "sink_failed", "interrupted"};
  return names[static_cast<size_t>(x)];
}

class scripted_piece final : public piece_source {
public:
  explicit scripted_piece(unsigned seed) : random(seed) {}

  reply state() override {
    advance(5ms);
    if (down())
      return failed(outcome::unreachable);
    if (chance(10))
      return failed(outcome::cut);
    if (refusal)
      return failed(outcome::problem, refusal);
    bool over = made() == total && clock >= start + std::chrono::milliseconds(total / 16) + 2s; // its books lag behind
    auto answer = good();
    answer.body = {{"request_id", "x"}, {"state", over ? "completed" : "running"}, {"audio_bytes", made() + lie}};
    return answer;
  }

  reply audio(uint64_t offset, const byte_sink& sink) override {
    ++requests;
    advance(5ms);
    if (down())
      return failed(outcome::unreachable);
    if (refusal)
      return failed(outcome::problem, refusal);
    if (chance(10))
      return failed(outcome::problem, chance(50) ? 503 : 429);
    for (;;) {
      if (stop)
        return failed(outcome::stopped, 200);
      if (down() || chance(5))
        return failed(outcome::cut, 200);
      if (offset == made()) {
        if (made() == total || chance(2))
          return good();
        advance(100ms);
        continue;
      }
      auto size = std::min<uint64_t>(made() - offset, 1 + random() % 5'000);
      std::string bytes;
      for (auto at = offset; at < offset + size; ++at)
        bytes += letter(at);
      if (!sink(bytes))
        return failed(outcome::stopped, 200);
      offset += size;
    }
  }

  std::chrono::steady_clock::time_point now() override { return clock; }
  void pause(std::chrono::milliseconds time) override { advance(time); }
  bool stopped() override { return stop; }

  static char letter(uint64_t at) { return static_cast<char>('a' + (at * 7 + (at >> 8)) % 23); }

  uint64_t made() const { return std::min<uint64_t>(total, static_cast<uint64_t>((clock - start) / 1ms) * 16); }

  std::minstd_rand random;
  std::chrono::steady_clock::time_point start{};
  std::chrono::steady_clock::time_point clock{};
  std::chrono::steady_clock::time_point down_from = start + 10s;
  std::chrono::steady_clock::time_point down_to = start + 40s;
  uint64_t total = 480'000;
  uint64_t lie = 0;
  long refusal = 0;
  unsigned requests = 0;
  bool stop = false;

private:
  void advance(std::chrono::milliseconds time) { clock += time; }
  bool chance(unsigned percent) { return random() % 100 < percent; }
  bool down() const { return clock >= down_from && clock < down_to; }

  reply good() const { return failed(outcome::ok, 200); }

  reply failed(outcome kind, long status = 0) const {
    reply answer;
    answer.kind = kind;
    answer.status = status;
    answer.detail = kind == outcome::ok ? "" : "scripted";
    return answer;
  }
};

const byte_sink swallow = [](auto) { return true; };

} // namespace

CAF_TEST(every byte comes once whatever the server does) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAF_MESSAGE("seed " << seed);
    scripted_piece piece{seed};
    const uint64_t from = seed % 3 == 0 ? 12'345 : 0;
    piece.clock += from == 0 ? 0s : 1s;
    std::string got;
    auto keep = [&](std::string_view bytes) {
      got += bytes;
      return true;
    };
    auto result = follower(piece, keep, {}).sound(from);
    CAF_REQUIRE_EQUAL(name_of(result.how), "complete");
    CAF_REQUIRE_EQUAL(result.position, piece.total);
    CAF_REQUIRE_EQUAL(got.size(), piece.total - from);
    size_t wrong = 0;
    for (size_t at = 0; at < got.size(); ++at)
      wrong += got[at] != scripted_piece::letter(from + at);
    CAF_REQUIRE_EQUAL(wrong, 0u);
    CAF_CHECK(piece.requests < 400);
    CAF_CHECK_EQUAL(result.last.state, "completed");
  }
}

CAF_TEST(the state is watched to its end) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    scripted_piece piece{seed};
    auto result = follower(piece, {}, {}).state();
    CAF_REQUIRE_EQUAL(name_of(result.how), "complete");
    CAF_CHECK_EQUAL(result.last.audio_bytes, piece.total);
  }
}

CAF_TEST(a minute after the last sign of life it gives up) {
  scripted_piece piece{1};
  piece.down_to = piece.start + 1h;
  auto result = follower(piece, swallow, {}).sound(0);
  CAF_CHECK_EQUAL(name_of(result.how), "unreachable");
  CAF_CHECK(piece.clock - piece.down_from >= 59s);
  CAF_CHECK(piece.clock - piece.down_from <= 67s);
  CAF_CHECK(result.position <= 16u * 10'000);
}

CAF_TEST(sound and books that disagree are told) {
  scripted_piece piece{1};
  piece.lie = 384;
  CAF_CHECK_EQUAL(name_of(follower(piece, swallow, {}).sound(0).how), "inconsistent");
}

CAF_TEST(a refusal ends it at once) {
  for (long status : {400, 404}) {
    scripted_piece piece{1};
    piece.refusal = status;
    auto result = follower(piece, swallow, {}).sound(0);
    CAF_CHECK_EQUAL(name_of(result.how), "refused");
    CAF_CHECK_EQUAL(result.why.status, status);
    CAF_CHECK_EQUAL(piece.requests, 1u);
  }
}

CAF_TEST(it stops for the sink and for the user) {
  scripted_piece piece{1};
  auto full = [n = 0](auto) mutable { return ++n < 5; };
  CAF_CHECK_EQUAL(name_of(follower(piece, full, {}).sound(0).how), "sink_failed");
  scripted_piece other{2};
  auto leave = [&, n = 0](auto) mutable {
    other.stop = ++n == 5;
    return true;
  };
  CAF_CHECK_EQUAL(name_of(follower(other, leave, {}).sound(0).how), "interrupted");
}

CAF_TEST(a server that goes away and comes back is told once) {
  scripted_piece piece{4};
  follow_hooks hooks;
  std::vector<std::string> notes;
  hooks.on_note = [&](const std::string& x) { notes.push_back(x.substr(0, 18)); };
  uint64_t seen = 0;
  hooks.on_position = [&](uint64_t at) {
    CAF_REQUIRE(at > seen);
    seen = at;
  };
  CAF_CHECK_EQUAL(name_of(follower(piece, swallow, hooks).sound(0).how), "complete");
  CAF_CHECK_EQUAL(seen, piece.total);
  CAF_CHECK_EQUAL(notes, (std::vector<std::string>{"the server does no", "the server is back"}));
}

CAF_TEST(delays double from a tenth of a second to five seconds) {
  patience x{{}};
  auto most = 100ms;
  for (int i = 0; i < 12; ++i) {
    auto delay = x.next_delay();
    CAF_CHECK(delay >= most / 2 && delay <= most);
    most = std::min<std::chrono::milliseconds>(2 * most, 5s);
  }
  x.progress();
  CAF_CHECK(x.next_delay() <= 100ms);
}
