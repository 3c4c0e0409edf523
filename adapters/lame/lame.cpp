#include "adapters/lame/lame.hpp"

#include <algorithm>
#include <array>
#include <lame/lame.h>
#include <stdexcept>
#include <vector>

namespace segue::lame {

namespace {

constexpr size_t frame_samples = 1'152;            // per channel: 24 ms at 48 kHz
constexpr size_t block = frame_samples * channels; // LAME is fed one frame at a time: calls may be split at will
constexpr std::array rates{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};

struct closer {
  void operator()(lame_global_flags* x) const { lame_close(x); }
};

class mp3 : public segue::encoder {
public:
  explicit mp3(int kbps) : bytes_(static_cast<size_t>(kbps) * 3), lame_(lame_init()) {
    auto* x = lame_.get();
    if (!x)
      throw std::runtime_error("lame_init failed");
    auto quiet = [](const char*, va_list) {};
    lame_set_errorf(x, quiet);
    lame_set_debugf(x, quiet);
    lame_set_msgf(x, quiet);
    lame_set_in_samplerate(x, sample_rate);
    lame_set_out_samplerate(x, sample_rate);
    lame_set_num_channels(x, channels);
    lame_set_mode(x, JOINT_STEREO);
    lame_set_VBR(x, vbr_off);
    lame_set_brate(x, kbps);
    lame_set_disable_reservoir(x, 1);
    lame_set_bWriteVbrTag(x, 0);
    lame_set_write_id3tag_automatic(x, 0);
    if (lame_init_params(x) < 0)
      throw std::runtime_error("LAME refused its parameters");
    pending_.reserve(block);
  }

  void encode(std::span<const int16_t> samples, std::string& out) override {
    if (samples.size() % channels != 0)
      throw std::invalid_argument("half a sample frame given to the encoder");
    while (!samples.empty()) {
      auto n = std::min(samples.size(), block - pending_.size());
      pending_.insert(pending_.end(), samples.begin(), samples.begin() + static_cast<ptrdiff_t>(n));
      samples = samples.subspan(n);
      if (pending_.size() == block)
        encode_pending(out);
    }
  }

  void finish(std::string& out) override {
    if (!pending_.empty())
      encode_pending(out);
    take(lame_encode_flush(lame_.get(), raw_.data(), static_cast<int>(raw_.size())), out);
    if (!partial_.empty())
      throw std::runtime_error("LAME ended inside a frame");
  }

  size_t frame_bytes() const override { return bytes_; }

private:
  void encode_pending(std::string& out) {
    auto frames = static_cast<int>(pending_.size() / channels), room = static_cast<int>(raw_.size());
    take(lame_encode_buffer_interleaved(lame_.get(), pending_.data(), frames, raw_.data(), room), out);
    pending_.clear();
  }

  // Hands on whole frames only.
  void take(int n, std::string& out) {
    if (n < 0)
      throw std::runtime_error("LAME failed with code " + std::to_string(n));
    partial_.append(reinterpret_cast<const char*>(raw_.data()), static_cast<size_t>(n));
    auto whole = partial_.size() / bytes_ * bytes_;
    out.append(partial_, 0, whole);
    partial_.erase(0, whole);
  }

  size_t bytes_;
  std::unique_ptr<lame_global_flags, closer> lame_;
  std::vector<int16_t> pending_;
  std::string partial_;
  std::array<unsigned char, 16'384> raw_{}; // more than LAME asks for: 1.25 * 1152 + 7200
};

} // namespace

std::unique_ptr<segue::encoder> make_lame_encoder(int kbps) {
  if (std::find(rates.begin(), rates.end(), kbps) == rates.end())
    throw std::invalid_argument("not an MP3 bit rate: " + std::to_string(kbps) + " kbit/s");
  return std::make_unique<mp3>(kbps);
}

std::string version() { return std::string("lame-") + get_lame_version(); }

} // namespace segue::lame
