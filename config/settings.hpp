// Every setting of the server: one row each, for the command line, the configuration file and the documentation.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace segue {

/// The values, ready to use. `setting_rows` says what each means.
struct settings {
  std::string listen_host;
  unsigned short listen_port = 0;
  std::string data;
  bool insecure = false;
  std::vector<std::string> allow_origins;
  std::string tls_certificate;
  std::string tls_key;
  bool auth = false;
  std::string jwt_secret;
  std::string metrics_token;
  std::string cluster_host; ///< where other nodes may join; empty: nowhere
  unsigned short cluster_port = 0;
  std::string cluster_secret;
  std::string join_host; ///< of the node to join; empty: none
  unsigned short join_port = 0;
  std::chrono::milliseconds join_patience{};
  std::chrono::milliseconds link_timeout{};
  std::string chunk_store;
  std::string cache;
  uint64_t cache_bytes = 0;
  std::string catalogue;
  std::string objects;
  bool archive = false; ///< policy: finished pieces go to the object store
  std::chrono::milliseconds archive_after{};
  uint64_t object_part = 0;
  bool work_elsewhere = false;
  uint64_t transfer_workers = 0;
  uint64_t transfer_attempts = 0;
  std::chrono::milliseconds transfer_lease{};
  std::chrono::milliseconds store_timeout{};
  std::chrono::milliseconds lease{};
  std::string generator;
  std::string soundfont;
  std::chrono::milliseconds generator_silence{};
  uint64_t generator_attempts = 0;
  uint64_t generations_running = 0;
  uint64_t generations_queued = 0;
  uint64_t generations_pushed = 0;
  std::chrono::milliseconds heartbeat{};
  uint64_t listener_bytes = 0;
  uint64_t listeners_bytes = 0;
  uint64_t ring_bytes = 0;
  uint64_t pending_bytes = 0;
  std::chrono::milliseconds idle{};
  uint64_t reserve_bytes = 0;
  uint64_t streams = 0;
  uint64_t stream_name = 0;
  uint64_t stream_bytes = 0;
  uint64_t stream_producers = 0;
  uint64_t store_readers = 0;
  uint64_t io_threads = 0;
  uint64_t scheduler_threads = 0;
  uint64_t connections = 0;
  uint64_t body_limit = 0;
  uint64_t header_limit = 0;
  std::chrono::milliseconds request_timeout{};
  std::chrono::milliseconds stall_timeout{};
  std::chrono::milliseconds long_poll_timeout{};
  std::chrono::milliseconds shutdown_timeout{};
  bool log_json = false;
  std::string log_level;

  /// By name: these settings, with what the tenant has of its own. At least one.
  std::map<std::string, std::shared_ptr<const settings>> tenants;
};

/// One setting: a flag `--name VALUE`, and a member "name" of the configuration file.
struct setting_row {
  const char* name;
  const char* standard; ///< default, as one would write it
  const char* help;
  bool flag; ///< may be given without a value, which means true
  bool of_tenant; ///< a tenant may have its own
  void (*set)(settings& into, const std::string& name, const std::string& text); ///< throws `bad_setting`
};

/// What is wrong with a value, and what is allowed.
struct bad_setting {
  std::string what;
};

const std::vector<setting_row>& setting_rows();

/// Defaults, then the configuration file (JSON with comments; empty: none), then the command line, as name and text, then what
/// the member "tenants" of the file says of each tenant. In every text `${env:NAME}` and `${file:PATH}` stand for what is kept
/// there, so that secrets need not be written down. Throws `bad_setting`, which names no such value.
settings load_settings(
    const std::string& file, const std::vector<std::pair<std::string, std::string>>& command_line);

} // namespace segue
