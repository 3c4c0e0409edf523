#include "config/settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace segue {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& text, const std::string& allowed) {
  throw bad_setting{name + ": \"" + text + "\" is not possible; it must be " + allowed};
}

/// A number and what follows it.
std::pair<uint64_t, std::string> read_number(const std::string& name, const std::string& text, const char* allowed) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{})
    refuse(name, text, allowed);
  return {value, std::string(end, text.data() + text.size())};
}

template <auto Member>
void text(settings& into, const std::string&, const std::string& value) {
  into.*Member = value;
}

template <auto Member>
void truth(settings& into, const std::string& name, const std::string& value) {
  if (value != "true" && value != "false")
    refuse(name, value, "true or false");
  into.*Member = value == "true";
}

template <auto Member, uint64_t Least, uint64_t Most>
void count(settings& into, const std::string& name, const std::string& value) {
  auto allowed = "a whole number from " + std::to_string(Least) + " to " + std::to_string(Most);
  auto [number, rest] = read_number(name, value, allowed.c_str());
  if (!rest.empty() || number < Least || number > Most)
    refuse(name, value, allowed);
  into.*Member = number;
}

template <auto Member>
void bytes(settings& into, const std::string& name, const std::string& value) {
  constexpr auto allowed = "a number of bytes, e.g. 4096, 512KiB, 64MiB or 1GiB";
  auto [number, unit] = read_number(name, value, allowed);
  auto shift = unit.empty() || unit == "B" ? 0 : unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : -1;
  if (shift < 0 || number > (uint64_t{1} << (50 - shift)))
    refuse(name, value, allowed);
  into.*Member = number << shift;
}

template <auto Member>
void duration(settings& into, const std::string& name, const std::string& value) {
  constexpr auto allowed = "a duration above zero, e.g. 500ms, 30s, 5m or 1h";
  auto [number, unit] = read_number(name, value, allowed);
  auto ms = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  if (ms == 0 || number == 0 || number > 1'000'000)
    refuse(name, value, allowed);
  into.*Member = std::chrono::milliseconds{static_cast<int64_t>(number) * ms};
}

void listen(settings& into, const std::string& name, const std::string& value) {
  auto colon = value.rfind(':');
  constexpr auto allowed = "HOST:PORT with a port from 0 to 65535, e.g. 127.0.0.1:4437 (0: any free port)";
  if (colon == std::string::npos || colon == 0)
    refuse(name, value, allowed);
  auto [port, rest] = read_number(name, value.substr(colon + 1), allowed);
  if (!rest.empty() || port > 65535)
    refuse(name, value, allowed);
  into.listen_host = value.substr(0, colon);
  into.listen_port = static_cast<unsigned short>(port);
}

void origins(settings& into, const std::string& name, const std::string& value) {
  into.allow_origins.clear();
  if (value == "none")
    return;
  std::istringstream in{value + ","};
  for (std::string origin; std::getline(in, origin, ',');) {
    auto host = origin.find("://");
    bool whole = host != std::string::npos && host > 0 && host + 3 < origin.size();
    if (origin != "*" && (!whole || origin.find_first_of("/ \t", host + 3) != std::string::npos || origin.front() == ' '))
      refuse(name, value, "none, * or origins without a path, separated by commas, e.g. https://example.com,http://localhost:3000");
    into.allow_origins.push_back(origin);
  }
}

void log_format(settings& into, const std::string& name, const std::string& value) {
  if (value != "text" && value != "json")
    refuse(name, value, "text or json");
  into.log_json = value == "json";
}

void log_level(settings& into, const std::string& name, const std::string& value) {
  if (value != "debug" && value != "info" && value != "warning" && value != "error")
    refuse(name, value, "debug, info, warning or error");
  into.log_level = value;
}

using s = settings;

} // namespace

const std::vector<setting_row>& setting_rows() {
  static const std::vector<setting_row> rows{
      {"listen", "127.0.0.1:4437", "where to listen, HOST:PORT; port 0 takes a free one", false, listen},
      {"data", "segue-data", "folder of everything that is kept", false, text<&s::data>},
      {"insecure", "false", "allow to listen beyond loopback, where anybody may do anything", true, truth<&s::insecure>},
      {"allow-origin", "none", "web pages of others that may use this server: origins like https://example.com, separated by commas, or *", false,
          origins},
      {"chunk-store", "rocksdb:", "keeps the streams: rocksdb: (in the data folder) or memory: (nothing survives)", false,
          text<&s::chunk_store>},
      {"catalogue", "sqlite:", "keeps the generations: sqlite: (in the data folder) or sqlite::memory:", false,
          text<&s::catalogue>},
      {"generator", "synth:", "makes the sound: synth: (embedded), or an outside model at http://HOST:PORT/PATH", false,
          text<&s::generator>},
      {"soundfont", "/usr/share/sounds/sf2/TimGM6mb.sf2", "instruments of the embedded generator, an SF2 file", false,
          text<&s::soundfont>},
      {"generator-silence", "60s", "an outside model that sends nothing for so long is asked again", false,
          duration<&s::generator_silence>},
      {"generator-attempts", "5", "attempts in a row that add no sound; then the generation has failed", false,
          count<&s::generator_attempts, 1, 1'000'000>},
      {"generations-running", "4", "generations made at the same time", false,
          count<&s::generations_running, 1, 1000>},
      {"generations-queued", "1000", "generations waiting beyond those; more are refused with 429", false,
          count<&s::generations_queued, 1, 1'000'000>},
      {"generations-pushed", "1000", "generations open to a producer outside; more are refused with 429", false,
          count<&s::generations_pushed, 1, 1'000'000>},
      {"heartbeat", "5s", "time between the heartbeat events of a running generation", false, duration<&s::heartbeat>},
      {"listener-bytes", "256KiB", "sent to a live listener at a time; so much may wait for one that is slow", false,
          bytes<&s::listener_bytes>},
      {"listeners-bytes", "512MiB", "waiting for all slow live listeners; beyond it the slowest are cut off, and may come back",
          false, bytes<&s::listeners_bytes>},
      {"ring-bytes", "512KiB", "newest bytes of each live stream kept in memory", false, bytes<&s::ring_bytes>},
      {"pending-bytes", "4MiB", "bytes of each stream that may wait for the store; more are refused with 429", false,
          bytes<&s::pending_bytes>},
      {"idle", "60s", "a stream unused for so long leaves memory", false, duration<&s::idle>},
      {"reserve", "64MiB", "free disk space below which appends are refused with 507; a disk that is really full may end the process", false,
          bytes<&s::reserve_bytes>},
      {"streams", "1000000", "streams of applications; more are refused with 429", false,
          count<&s::streams, 1, 1'000'000'000>},
      {"stream-name", "512", "longest path of such a stream, in bytes; longer ones are refused with 400", false,
          count<&s::stream_name, 1, 4096>},
      {"stream-bytes", "1024GiB", "largest of them; an append that would make it larger is refused with 413", false,
          bytes<&s::stream_bytes>},
      {"stream-producers", "10000", "producers of each; a further one is refused with 429", false,
          count<&s::stream_producers, 1, 1'000'000>},
      {"store-readers", "2", "threads that read from the chunk store", false, count<&s::store_readers, 1, 64>},
      {"io-threads", "0", "threads that serve sockets; 0: half the processors", false, count<&s::io_threads, 0, 256>},
      {"scheduler-threads", "0", "threads that run actors; 0: half the processors", false,
          count<&s::scheduler_threads, 0, 256>},
      {"connections", "10000", "open connections; more are closed at once", false, count<&s::connections, 1, 1'000'000>},
      {"body-limit", "1MiB", "largest request body; larger ones are refused with 413", false, bytes<&s::body_limit>},
      {"header-limit", "16KiB", "largest request header; larger ones are refused with 431", false,
          bytes<&s::header_limit>},
      {"request-timeout", "30s", "a request must arrive within this time", false, duration<&s::request_timeout>},
      {"stall-timeout", "5m", "a client that takes nothing for so long is cut off", false,
          duration<&s::stall_timeout>},
      {"long-poll-timeout", "25s", "how long a long poll waits for something new", false, duration<&s::long_poll_timeout>},
      {"shutdown-timeout", "8s", "how long ending may take", false, duration<&s::shutdown_timeout>},
      {"log-format", "text", "text for people or json for machines", false, log_format},
      {"log-level", "info", "debug, info, warning or error", false, log_level},
  };
  return rows;
}

namespace {

void set(settings& into, const std::string& name, const std::string& value) {
  const auto& rows = setting_rows();
  auto row = std::find_if(rows.begin(), rows.end(), [&](const setting_row& x) { return x.name == name; });
  if (row == rows.end())
    throw bad_setting{"there is no setting \"" + name + "\"; `segue serve --help` lists them"};
  row->set(into, name, value);
}

void read_file(settings& into, const std::string& file) {
  std::ifstream in{file};
  if (!in)
    throw bad_setting{"the configuration file " + file + " cannot be read"};
  nlohmann::json parsed;
  try {
    parsed = nlohmann::json::parse(in, nullptr, true, true);
  } catch (const nlohmann::json::exception& e) {
    throw bad_setting{file + ": " + e.what()};
  }
  if (!parsed.is_object())
    throw bad_setting{file + ": it must be a JSON object of settings"};
  for (const auto& [name, value] : parsed.items()) {
    if (value.is_structured() || value.is_null())
      throw bad_setting{file + ": " + name + " must be a string, a number, true or false"};
    set(into, name, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

} // namespace

settings load_settings(const std::string& file, const std::vector<std::pair<std::string, std::string>>& command_line) {
  settings loaded;
  for (const auto& row : setting_rows())
    row.set(loaded, row.name, row.standard);
  if (!file.empty())
    read_file(loaded, file);
  for (const auto& [name, value] : command_line)
    set(loaded, name, value);
  return loaded;
}

} // namespace segue
