// SHA-256, for whoever must know that bytes are the same.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace segue {

class sha256 {
public:
  sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;
  ~sha256();

  void add(std::string_view bytes);

  /// Of all bytes that were added, in lower-case hexadecimal digits. Nothing may be added afterwards.
  std::string digits();

private:
  struct state;
  std::unique_ptr<state> state_;
};

std::string sha256_of(std::string_view bytes);

} // namespace segue
