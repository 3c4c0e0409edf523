// What the body of an answer is made of: bytes in, samples out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace segue::http_generator {

inline constexpr uint32_t lowest_rate = 8'000;
inline constexpr uint32_t highest_rate = 192'000;

/// The types a model may answer with, for whoever is told that another one is not possible.
extern const char* const allowed_types;

/// Turns bytes, cut anywhere, into samples: interleaved stereo, 1.0 being full scale; mono is doubled.
/// Everything throws `adapter_error{ec::invalid_argument}` when the bytes cannot be what they should be.
class decoder {
public:
  virtual ~decoder() = default;

  /// Takes the next bytes and appends the samples that are ready.
  virtual void decode(std::string_view bytes, std::vector<float>& out) = 0;

  /// Sample frames a second, from `lowest_rate` to `highest_rate`; 0 while no sample has come.
  virtual uint32_t rate() const = 0;
};

/// The decoder for a `Content-Type`.
std::unique_ptr<decoder> make_decoder(std::string_view content_type);

/// Throws unless sound of this kind can be taken.
void insist_on_format(uint64_t rate, uint64_t channels);

} // namespace segue::http_generator
