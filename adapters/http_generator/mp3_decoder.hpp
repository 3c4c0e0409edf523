// MP3, and the older layers, by libmpg123.
#pragma once

#include "adapters/http_generator/decoder.hpp"

struct mpg123_handle_struct;

namespace segue::http_generator {

class mp3_decoder final : public decoder {
public:
  mp3_decoder();

  void decode(std::string_view bytes, std::vector<float>& out) override;
  uint32_t rate() const override { return rate_; }

private:
  struct closer {
    void operator()(mpg123_handle_struct* x) const;
  };

  void read_format();
  [[noreturn]] void refuse(const std::string& what) const;

  std::unique_ptr<mpg123_handle_struct, closer> handle_;
  uint32_t rate_ = 0;
  size_t barren_ = 0; ///< bytes since the last sample
};

} // namespace segue::http_generator
