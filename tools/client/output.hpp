#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segue::client {

/// Where sound goes: a file that others play while it grows, or standard output. Unbuffered; every failure leaves a
/// sentence in `error()`.
class output {
public:
  output() = default;
  ~output();
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// Opens a file, creating it if need be and changing nothing in it yet; "-" is standard output.
  bool open(const std::string& path);
  /// Makes the file `keep` bytes long; the next write goes behind them. Only files are cut, not pipes or devices.
  bool begin(std::uint64_t keep);
  /// Writes all of it. False after an error, or after Ctrl-C while a full pipe was waited for.
  bool write(std::string_view bytes);
  /// The file could be closed properly.
  bool close();
  /// Nothing will be written: removes the file if `open` created it.
  void discard();

  /// Bytes in the file; 0 for anything that is no file.
  [[nodiscard]] std::uint64_t size() const;
  /// The last bytes of the file, `most` of them; nothing of what cannot be read.
  [[nodiscard]] std::string ending(std::size_t most) const;
  [[nodiscard]] bool is_stdout() const { return path_ == "-"; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& error() const { return error_; }

private:
  bool fail(const char* doing);

  std::string path_;
  std::string error_;
  int descriptor_ = -1;
  bool created_ = false;
};

} // namespace segue::client
