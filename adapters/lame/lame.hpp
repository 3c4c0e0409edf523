// MP3 for the canonical log: frames of constant size that can be cut and joined anywhere.
#pragma once

#include "adapters/ports.hpp"

#include <memory>
#include <string>

namespace segue::lame {

/// An encoder to constant bit rate MP3: 48 kHz, joint stereo, no bit reservoir, no Xing or ID3 tag. Each frame is 24 ms
/// and has `3 * kbps` bytes (384 at 128 kbit/s). The same samples give the same bytes, however they are split.
/// @param kbps one of MPEG-1 layer III's rates: 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320
/// Throws `std::invalid_argument` for another rate, `std::runtime_error` when LAME refuses.
std::unique_ptr<segue::encoder> make_lame_encoder(int kbps = 128);

/// Name and version of the library, e.g. "lame-3.100".
std::string version();

} // namespace segue::lame
