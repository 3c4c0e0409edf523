#define CAF_SUITE actors.sound

#include "actors/sound.hpp"

#include <vector>

#include "tests/support/test.hpp"

using namespace segue;
using state = generation_state;

CAF_TEST(sixteen bytes are a millisecond) {
  CAF_CHECK_EQUAL(sound_ms(0), 0u);
  CAF_CHECK_EQUAL(sound_ms(384), 24u);
  CAF_CHECK_EQUAL(sound_ms(16'000), 1'000u);
}

CAF_TEST(percent reaches a hundred only when the piece completed) {
  struct line {
    state how;
    uint64_t made, expected;
    int percent;
  };
  for (const auto& [how, made, expected, percent] : std::vector<line>{{state::queued, 0, 0, 0},
           {state::running, 5'000, 0, 0}, {state::running, 0, 1'000, 0}, {state::running, 9, 1'000, 0},
           {state::running, 10, 1'000, 1}, {state::running, 500, 1'000, 50}, {state::running, 999, 1'000, 99},
           {state::running, 1'000, 1'000, 99}, {state::running, 2'000, 1'000, 99}, {state::failed, 1'000, 1'000, 99},
           {state::cancelled, 300, 1'000, 30}, {state::completed, 0, 0, 100}, {state::completed, 990, 1'000, 100}}) {
    generation_row row;
    row.state = how;
    row.audio_bytes = made;
    row.expected_bytes = expected;
    CAF_CHECK_EQUAL(percent_made(row), percent);
  }
}

CAF_TEST(the streams of a generation have their paths) {
  CAF_CHECK_EQUAL(audio_path("id"), "generations/id/audio");
  CAF_CHECK_EQUAL(events_path("id"), "generations/id/events");
  const std::string id = "01234567-89ab-4cde-8f01-23456789abcd";
  CAF_CHECK(whose_audio(audio_path(id)) == id);
  for (std::string other : {events_path(id), audio_path("id"), audio_path(id) + "/", "x" + audio_path(id),
           std::string{"generations/audio"}, std::string{}})
    CAF_CHECK(!whose_audio(other));
}

CAF_TEST(seconds become whole frames) {
  CAF_CHECK_EQUAL(sound_bytes(0), 0u);
  CAF_CHECK_EQUAL(sound_bytes(0.024), frame_bytes);
  CAF_CHECK_EQUAL(sound_bytes(60), 2'500 * frame_bytes);
  CAF_CHECK_EQUAL(sound_bytes(1), 42 * frame_bytes);
}

CAF_TEST(whole frames are told from everything else) {
  auto frame = [](std::string header) { return header + std::string(frame_bytes - header.size(), 'x'); };
  auto stereo = frame({'\xff', '\xfb', '\x94', '\x04'});
  auto joint_stereo = frame({'\xff', '\xfb', '\x94', '\x64'});
  CAF_CHECK_EQUAL(whole_frames(""), 0u);
  CAF_CHECK_EQUAL(whole_frames(stereo + joint_stereo), 2 * frame_bytes);
  CAF_CHECK_EQUAL(whole_frames(stereo + joint_stereo.substr(1)), frame_bytes);
  CAF_CHECK_EQUAL(whole_frames(stereo + "ID3"), frame_bytes);
  for (const auto& other : {std::string{'\xff', '\xfa', '\x94', '\x04'}, // with a CRC
           std::string{'\xff', '\xf3', '\x94', '\x04'},                  // MPEG-2
           std::string{'\xff', '\xfb', '\x90', '\x04'},                  // 44.1 kHz
           std::string{'\xff', '\xfb', '\xa4', '\x04'},                  // 160 kbit/s
           std::string{'\xff', '\xfb', '\x96', '\x04'},                  // padded
           std::string{'\xff', '\xfb', '\x94', '\xc4'},                  // mono
           std::string{"RIFF"}})
    CAF_CHECK_EQUAL(whole_frames(frame(other)), 0u);
}

CAF_TEST(a generator is asked to begin early enough to prime its encoder) {
  CAF_CHECK_EQUAL(priming_start(0), 0u);
  CAF_CHECK_EQUAL(priming_start(10 * frame_bytes - 1), 0u);
  for (position tail = 10 * frame_bytes; tail < 100 * frame_bytes; tail += frame_bytes) {
    auto start = priming_start(tail);
    CAF_CHECK_LESS_OR_EQUAL(start + 10 * frame_bytes, tail);
    CAF_CHECK_GREATER(start + 20 * frame_bytes, tail);
    CAF_CHECK_EQUAL(sound_ms(start) % 240, 0u);
    for (uint64_t rate : {8'000, 11'025, 16'000, 22'050, 24'000, 32'000, 44'100, 48'000, 88'200, 96'000, 192'000})
      CAF_CHECK_EQUAL(sound_ms(start) * rate % 1'000, 0u);
  }
}
