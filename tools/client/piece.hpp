#pragma once

#include <string>

#include "tools/client/follow.hpp"

namespace segue::client {

/// The path of a generation.
[[nodiscard]] std::string generation_path(std::string_view id);
/// A byte position as the protocol writes it.
[[nodiscard]] std::string offset_text(std::uint64_t position);

/// A piece at a real server, the real clock, and Ctrl-C.
class piece final : public piece_source {
public:
  piece(http_client& client, std::string_view id) : client_(client), path_(generation_path(id)) {}

  reply state() override;
  reply audio(std::uint64_t offset, const byte_sink& sink) override;
  std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }
  void pause(std::chrono::milliseconds time) override;
  bool stopped() override;

private:
  http_client& client_;
  std::string path_;
};

} // namespace segue::client
