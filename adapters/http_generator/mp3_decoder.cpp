#include "adapters/http_generator/mp3_decoder.hpp"

#include "adapters/ports.hpp"

#include <array>
#include <mpg123.h>

namespace segue::http_generator {

namespace {

constexpr size_t most_barren = 16 << 20; ///< bytes without a frame: more than any tag with pictures

} // namespace

void mp3_decoder::closer::operator()(mpg123_handle_struct* x) const { mpg123_delete(x); }

mp3_decoder::mp3_decoder() : handle_(mpg123_new(nullptr, nullptr)) {
  auto* x = handle_.get();
  bool ready = x && mpg123_param(x, MPG123_ADD_FLAGS, MPG123_QUIET, 0) == MPG123_OK && mpg123_format_none(x) == MPG123_OK
      && mpg123_format2(x, 0, MPG123_STEREO, MPG123_ENC_FLOAT_32) == MPG123_OK && mpg123_open_feed(x) == MPG123_OK;
  if (!ready)
    throw std::runtime_error{"libmpg123 could not be set up"};
}

void mp3_decoder::decode(std::string_view bytes, std::vector<float>& out) {
  std::array<float, 2 * 1152> block;
  auto* input = reinterpret_cast<const unsigned char*>(bytes.data());
  auto size = bytes.size();
  barren_ += size;
  for (;;) {
    size_t written = 0;
    auto status = mpg123_decode(handle_.get(), input, size, block.data(), sizeof block, &written);
    out.insert(out.end(), block.begin(), block.begin() + static_cast<ptrdiff_t>(written / sizeof(float)));
    size = 0; // it was taken as a whole
    barren_ = written > 0 ? 0 : barren_;
    if (status == MPG123_NEW_FORMAT)
      read_format();
    else if (status == MPG123_NEED_MORE)
      break;
    else if (status != MPG123_OK)
      refuse(mpg123_strerror(handle_.get()));
  }
  if (barren_ > most_barren)
    refuse("there is no frame in " + std::to_string(barren_ >> 20) + " MiB");
}

void mp3_decoder::read_format() {
  long rate = 0;
  int channels = 0;
  int encoding = 0;
  if (mpg123_getformat(handle_.get(), &rate, &channels, &encoding) != MPG123_OK)
    refuse(mpg123_strerror(handle_.get()));
  if (rate_ != 0 && static_cast<uint32_t>(rate) != rate_)
    refuse("its sample rate changes from " + std::to_string(rate_) + " to " + std::to_string(rate));
  rate_ = static_cast<uint32_t>(rate);
  insist_on_format(rate_, static_cast<uint64_t>(channels));
}

void mp3_decoder::refuse(const std::string& what) const {
  throw adapter_error{ec::invalid_argument, "the model's MP3 cannot be decoded: " + what};
}

} // namespace segue::http_generator
