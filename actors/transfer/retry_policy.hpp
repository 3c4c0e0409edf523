// When a transfer that failed is tried again. A plain class: what it says is stored in the row.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace segue {

struct retry_limits {
  uint32_t attempts = 8;                      ///< in a row that may fail for good reason; then somebody has to decide
  std::chrono::milliseconds pause{1'000};     ///< after the first one, doubled by each further one …
  std::chrono::milliseconds longest{300'000}; ///< … up to here
};

class retry_policy {
public:
  /// `seed` of the jitter, which keeps transfers that failed together from coming back together.
  explicit retry_policy(retry_limits limits = {}, uint64_t seed = 0) : limits_(limits), dice_(seed) {}

  /// So many attempts have failed now. How long to wait before the next; nothing: there shall be none.
  std::optional<std::chrono::milliseconds> failed(uint32_t attempts) {
    return attempts >= limits_.attempts ? std::nullopt : std::optional{pause(attempts)};
  }

  /// Likewise of what is tried for ever: between a half and the whole of the pause that is due.
  std::chrono::milliseconds pause(uint32_t attempts) {
    auto doublings = std::min(attempts > 0 ? attempts - 1 : 0, 30u);
    auto whole = std::min<int64_t>(limits_.pause.count() << doublings, limits_.longest.count());
    return std::chrono::milliseconds{std::uniform_int_distribution{whole - whole / 2, whole}(dice_)};
  }

private:
  retry_limits limits_;
  std::mt19937_64 dice_;
};

} // namespace segue
