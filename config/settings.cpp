#include "config/settings.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

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

std::pair<std::string, unsigned short> read_address(const std::string& name, const std::string& value, uint64_t least, const std::string& allowed) {
  auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0)
    refuse(name, value, allowed);
  auto [port, rest] = read_number(name, value.substr(colon + 1), allowed.c_str());
  if (!rest.empty() || port < least || port > 65535)
    refuse(name, value, allowed);
  return {value.substr(0, colon), static_cast<unsigned short>(port)};
}

void listen(settings& into, const std::string& name, const std::string& value) {
  std::tie(into.listen_host, into.listen_port) =
      read_address(name, value, 0, "HOST:PORT with a port from 0 to 65535, e.g. 127.0.0.1:4437 (0: any free port)");
}

void cluster_listen(settings& into, const std::string& name, const std::string& value) {
  if (!value.empty())
    std::tie(into.cluster_host, into.cluster_port) =
        read_address(name, value, 0, "HOST:PORT with a port from 0 to 65535, e.g. 127.0.0.1:4438 (0: any free port), or empty");
}

void join(settings& into, const std::string& name, const std::string& value) {
  if (!value.empty())
    std::tie(into.join_host, into.join_port) =
        read_address(name, value, 1, "HOST:PORT as the other node has it in --cluster-listen, e.g. 10.0.0.5:4438, or empty");
}

/// It is shown to whoever dials, as a proof that only who knows it can make: it must not be guessed.
void cluster_secret(settings& into, const std::string& name, const std::string& value) {
  constexpr size_t shortest = 16;
  if (!value.empty() && value.size() < shortest)
    throw bad_setting{name + ": it has " + std::to_string(value.size()) + " bytes, and must have at least " + std::to_string(shortest)
        + "; `openssl rand -hex 32` makes a good one"};
  into.cluster_secret = value;
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

void policy(settings& into, const std::string& name, const std::string& value) {
  if (value != "keep" && value != "archive")
    refuse(name, value, "keep or archive");
  into.archive = value == "archive";
}

template <size_t Size>
struct literal {
  constexpr literal(const char (&x)[Size]) { std::copy_n(x, Size, text); }
  char text[Size];
};

/// What follows the scheme is known to the engine alone. The value is not shown: there may be a password in it.
template <auto Member, literal... Schemes>
void engine(settings& into, const std::string& name, const std::string& value) {
  if (!(value.starts_with(Schemes.text) || ...)) {
    std::string all;
    ((all += (all.empty() ? "" : ", ") + std::string{Schemes.text}), ...);
    throw bad_setting{name + ": it must begin with one of " + all};
  }
  into.*Member = value;
}

void transfers(settings& into, const std::string& name, const std::string& value) {
  if (value != "here" && value != "elsewhere")
    refuse(name, value, "here or elsewhere");
  into.work_elsewhere = value == "elsewhere";
}

void object_part(settings& into, const std::string& name, const std::string& value) {
  bytes<&settings::object_part>(into, name, value);
  if (into.object_part > 0 && into.object_part < (5 << 20))
    refuse(name, value, "0, or at least 5MiB, which is the smallest part that object stores take");
}

void jwt_secret(settings& into, const std::string& name, const std::string& value) {
  constexpr size_t shortest = 32; // as RFC 7518 wants it for HS256
  if (!value.empty() && value.size() < shortest)
    throw bad_setting{name + ": it has " + std::to_string(value.size()) + " bytes, and must have at least "
        + std::to_string(shortest) + " bytes"};
  into.jwt_secret = value;
}

using s = settings;

} // namespace

const std::vector<setting_row>& setting_rows() {
  static const std::vector<setting_row> rows{
      {"listen", "127.0.0.1:4437", "where to listen, HOST:PORT; port 0 takes a free one", false, false, listen},
      {"data", "segue-data", "folder of everything that is kept", false, false, text<&s::data>},
      {"insecure", "false", "allow to listen beyond loopback, where anybody may do anything", true, false, truth<&s::insecure>},
      {"allow-origin", "none", "web pages of others that may use this server: origins like https://example.com, separated by commas, or *", false, false,
          origins},
      {"tls-certificate", "", "certificate chain of this server, a PEM file: it speaks https then; read at the start", false, false,
          text<&s::tls_certificate>},
      {"tls-key", "", "private key of the certificate, a PEM file", false, false, text<&s::tls_key>},
      {"auth", "false", "ask for an API key (`segue keys add`) or a token; then --listen may go beyond loopback", true, false,
          truth<&s::auth>},
      {"jwt-secret", "", "what tokens (JWT, HS256) are signed with, at least 32 bytes; empty: API keys only", false, true, jwt_secret},
      {"metrics-token", "", "what /metrics asks for with --auth; empty: nobody may read it then", false, false, text<&s::metrics_token>},
      {"cluster-listen", "", "where other nodes may join this one, HOST:PORT; empty: nowhere", false, false, cluster_listen},
      {"cluster-secret", "", "what nodes must know to come together, at least 16 bytes; better ${file:PATH}: others may see a command line", false, false,
          cluster_secret},
      {"join", "", "be an edge node without stores: serve the streams of the node that has HOST:PORT as its --cluster-listen", false, false, join},
      {"join-patience", "30s", "of an edge node: how long listeners are kept while the joined node is not reached", false, false,
          duration<&s::join_patience>},
      {"link-timeout", "10s", "a node that says nothing for so long is not reached any more", false, false, duration<&s::link_timeout>},
      {"chunk-store", "rocksdb:", "keeps the streams: rocksdb: (in the data folder), redis://USER:PASSWORD@HOST:PORT/DB?prefix=NAME: or memory: (nothing survives)",
          false, true, engine<&s::chunk_store, "memory:", "redis:", "rocksdb:">},
      {"cache", "memory:", "newest chunks, read before the chunk store: memory:, redis://… or none:", false, true,
          engine<&s::cache, "memory:", "none:", "redis:">},
      {"cache-bytes", "32MiB", "of the cache memory:", false, true, bytes<&s::cache_bytes>},
      {"catalogue", "sqlite:", "keeps generations, transfers and keys: sqlite: (in the data folder), sqlite:/FILE, postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite::memory:",
          false, true, engine<&s::catalogue, "postgresql:", "sqlite:">},
      {"objects", "file:", "keeps archived pieces: file: (in the data folder), file:/FOLDER or s3://KEY:SECRET@BUCKET/PREFIX?endpoint=URL",
          false, true, engine<&s::objects, "file:", "s3:">},
      {"policy", "keep", "of finished pieces: keep them in the chunk store, or archive them in the object store", false, true, policy},
      {"archive-after", "24h", "how long chunks stay in the chunk store when an object has them", false, true, duration<&s::archive_after>},
      {"object-part", "8MiB", "larger pieces are uploaded in parts of this size, at least 5MiB; 0: every piece as one file", false, true, object_part},
      {"transfers", "here", "who moves pieces: this process (here), or `segue work` in others (elsewhere)", false, true, transfers},
      {"transfer-workers", "2", "transfers at the same time", false, true, count<&s::transfer_workers, 1, 64>},
      {"transfer-attempts", "8",
          "of a transfer that may fail in a row, and not because a store is away or full; then `segue transfers` shows it as dead (a removal is never given up)",
          false, true, count<&s::transfer_attempts, 1, 1000>},
      {"transfer-lease", "30s", "a transfer whose worker says nothing for so long is taken up by another", false, true,
          duration<&s::transfer_lease>},
      {"store-timeout", "5s", "how long a networked store may take to answer", false, false, duration<&s::store_timeout>},
      {"lease", "10s", "how long networked stores stay with a server that says nothing", false, false, duration<&s::lease>},
      {"generator", "synth:", "makes the sound: synth: (embedded), or an outside model at http://HOST:PORT/PATH", false, true,
          engine<&s::generator, "http:", "synth:">},
      {"soundfont", "/usr/share/sounds/sf2/TimGM6mb.sf2", "instruments of the embedded generator, an SF2 file", false, false,
          text<&s::soundfont>},
      {"generator-silence", "60s", "an outside model that sends nothing for so long is asked again", false, false,
          duration<&s::generator_silence>},
      {"generator-attempts", "5", "attempts in a row that add no sound; then the generation has failed", false, false,
          count<&s::generator_attempts, 1, 1'000'000>},
      {"generations-running", "4", "generations made at the same time", false, false,
          count<&s::generations_running, 1, 1000>},
      {"generations-queued", "1000", "generations waiting beyond those; more are refused with 429", false, false,
          count<&s::generations_queued, 1, 1'000'000>},
      {"generations-pushed", "1000", "generations open to a producer outside; more are refused with 429", false, false,
          count<&s::generations_pushed, 1, 1'000'000>},
      {"heartbeat", "5s", "time between the heartbeat events of a running generation", false, false, duration<&s::heartbeat>},
      {"listener-bytes", "256KiB", "sent to a live listener at a time; so much may wait for one that is slow", false, false,
          bytes<&s::listener_bytes>},
      {"listeners-bytes", "512MiB", "waiting for all slow live listeners, shared out equally among the I/O threads; beyond it the slowest are cut off, "
          "and may come back",
          false, false, bytes<&s::listeners_bytes>},
      {"ring-bytes", "512KiB", "newest bytes of each live stream kept in memory", false, false, bytes<&s::ring_bytes>},
      {"pending-bytes", "4MiB", "bytes of each stream that may wait for the store; more are refused with 429", false, false,
          bytes<&s::pending_bytes>},
      {"idle", "60s", "a stream unused for so long leaves memory", false, false, duration<&s::idle>},
      {"reserve", "64MiB", "free disk space below which appends are refused with 507; a disk that is really full may end the process", false, false,
          bytes<&s::reserve_bytes>},
      {"streams", "1000000", "streams of applications; more are refused with 429", false, false,
          count<&s::streams, 1, 1'000'000'000>},
      {"stream-name", "512", "longest path of such a stream, in bytes; longer ones are refused with 400", false, false,
          count<&s::stream_name, 1, 4096>},
      {"stream-bytes", "1024GiB", "largest of them; an append that would make it larger is refused with 413", false, false,
          bytes<&s::stream_bytes>},
      {"stream-producers", "10000", "producers of each; a further one is refused with 429", false, false,
          count<&s::stream_producers, 1, 1'000'000>},
      {"store-readers", "2", "threads that read from the chunk store", false, false, count<&s::store_readers, 1, 64>},
      {"io-threads", "0", "threads that serve sockets; 0: half the processors", false, false, count<&s::io_threads, 0, 256>},
      {"scheduler-threads", "0", "threads that run actors; 0: half the processors", false, false,
          count<&s::scheduler_threads, 0, 256>},
      {"connections", "10000", "open connections; more are closed at once", false, false, count<&s::connections, 1, 1'000'000>},
      {"body-limit", "1MiB", "largest request body; larger ones are refused with 413", false, false, bytes<&s::body_limit>},
      {"header-limit", "16KiB", "largest request header; larger ones are refused with 431", false, false,
          bytes<&s::header_limit>},
      {"request-timeout", "30s", "a request must arrive within this time", false, false, duration<&s::request_timeout>},
      {"stall-timeout", "5m", "a client that takes nothing for so long is cut off", false, false,
          duration<&s::stall_timeout>},
      {"long-poll-timeout", "25s", "how long a long poll waits for something new", false, false, duration<&s::long_poll_timeout>},
      {"shutdown-timeout", "8s", "how long ending may take", false, false, duration<&s::shutdown_timeout>},
      {"log-format", "text", "text for people or json for machines", false, false, log_format},
      {"log-level", "info", "debug, info, warning or error", false, false, log_level},
  };
  return rows;
}

} // namespace segue
