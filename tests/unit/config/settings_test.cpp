#define CAF_SUITE config.settings

#include "config/settings.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <sstream>

#include "adapters/registry.hpp"
#include "tests/support/config_file.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

const std::string example = SEGUE_SOURCE_DIR "/config/segue.json";

std::string refusal(const std::string& name, const std::string& value) { return load("", {{name, value}}); }

/// Without the name of the file, which every one begins with.
std::string refusal_of_file(const std::string& text) {
  config_file file{text};
  auto said = load(file.path(), {});
  return said.starts_with(file.path() + ": ") ? said.substr(file.path().size() + 2) : said;
}

const std::string from_environment = "${env:SEGUE_SETTINGS_TEST}";

} // namespace

CAF_TEST(every default is a possible value) {
  std::set<std::string> names;
  for (const auto& row : setting_rows()) {
    CAF_MESSAGE(row.name);
    settings into;
    row.set(into, row.name, row.standard);
    CAF_CHECK(names.insert(row.name).second);
    CAF_CHECK_EQUAL(std::string{row.name}.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
    CAF_CHECK(std::string{row.help}.size() > 10);
    CAF_CHECK(!row.flag || std::string{row.standard} == "false");
  }
}

CAF_TEST(without a file and flags the defaults hold) {
  auto x = load_settings("", {});
  CAF_CHECK_EQUAL(x.listen_host, "127.0.0.1");
  CAF_CHECK_EQUAL(x.listen_port, 4437);
  CAF_CHECK(!x.insecure);
  CAF_CHECK_EQUAL(x.chunk_store, "rocksdb:");
  CAF_CHECK_EQUAL(x.generator, "synth:");
  CAF_CHECK(x.generator_silence == 60s);
  CAF_CHECK_EQUAL(x.generator_attempts, 5u);
  CAF_CHECK_EQUAL(x.generations_running, 4u);
  CAF_CHECK_EQUAL(x.listener_bytes, 256u << 10);
  CAF_CHECK_EQUAL(x.listeners_bytes, 512u << 20);
  CAF_CHECK_EQUAL(x.ring_bytes, 512u << 10);
  CAF_CHECK_EQUAL(x.pending_bytes, 4u << 20);
  CAF_CHECK(x.heartbeat == 5s);
  CAF_CHECK(x.stall_timeout == 5min);
  CAF_CHECK(!x.log_json);
  CAF_CHECK(!x.auth && !x.archive && !x.work_elsewhere);
  CAF_CHECK_EQUAL(x.jwt_secret + x.metrics_token + x.tls_certificate + x.tls_key, "");
  CAF_CHECK_EQUAL(x.objects, "file:");
  CAF_CHECK(x.archive_after == 24h);
  CAF_CHECK_EQUAL(x.object_part, 8u << 20);
}

CAF_TEST(the example file names every setting in order with default and help) {
  std::ifstream in{example};
  CAF_REQUIRE(static_cast<bool>(in));
  std::string comment;
  size_t next = 0;
  const auto& rows = setting_rows();
  for (std::string line; std::getline(in, line);) {
    auto first = line.find_first_not_of(' ');
    if (first == std::string::npos)
      continue;
    if (line.compare(first, 3, "// ") == 0) {
      comment = line.substr(first + 3);
    } else if (line[first] == '"') {
      CAF_REQUIRE(next < rows.size());
      auto member = nlohmann::json::parse("{" + line.substr(0, line.find_last_not_of(", ") + 1) + "}");
      const auto& value = member.front();
      CAF_CHECK_EQUAL(member.items().begin().key(), rows[next].name);
      CAF_CHECK_EQUAL(value.is_string() ? value.get<std::string>() : value.dump(), rows[next].standard);
      CAF_CHECK_EQUAL(comment, rows[next].help);
      ++next;
      comment.clear();
    }
  }
  CAF_CHECK_EQUAL(next, rows.size());
}

CAF_TEST(the example file is accepted) { CAF_CHECK_EQUAL(load(example, {}), "accepted"); }

CAF_TEST(the command line goes before the file and the file before the default) {
  config_file file{R"({"generations-running": 7, "idle": "90s", // why not
                       "data": "elsewhere"})"};
  auto x = load_settings(file.path(), {{"generations-running", "9"}, {"heartbeat", "2s"}});
  CAF_CHECK_EQUAL(x.generations_running, 9u);
  CAF_CHECK(x.heartbeat == 2s);
  CAF_CHECK(x.idle == 90s);
  CAF_CHECK_EQUAL(x.data, "elsewhere");
  CAF_CHECK_EQUAL(x.generations_queued, 1'000u);
}

CAF_TEST(the last of several flags holds) {
  CAF_CHECK_EQUAL(load_settings("", {{"connections", "1"}, {"connections", "2"}}).connections, 2u);
}

CAF_TEST(numbers have bounds) {
  for (const char* good : {"1", "1000"})
    CAF_CHECK_EQUAL(refusal("generations-running", good), "accepted");
  for (const char* bad :
      {"", "0", "1001", "-1", "+1", "1.5", "4x", " 4", "4 ", "four", "0x4", "18446744073709551616"}) {
    CAF_CHECK_EQUAL(refusal("generations-running", bad),
        "generations-running: \"" + std::string{bad} + "\" is not possible; it must be a whole number from 1 to 1000");
  }
  CAF_CHECK_EQUAL(refusal("io-threads", "0"), "accepted");
}

CAF_TEST(bytes have binary units) {
  auto bytes = [](const char* text) { return load_settings("", {{"ring-bytes", text}}).ring_bytes; };
  CAF_CHECK_EQUAL(bytes("4096"), 4'096u);
  CAF_CHECK_EQUAL(bytes("7B"), 7u);
  CAF_CHECK_EQUAL(bytes("3KiB"), 3u << 10);
  CAF_CHECK_EQUAL(bytes("3MiB"), 3u << 20);
  CAF_CHECK_EQUAL(bytes("3GiB"), uint64_t{3} << 30);
  CAF_CHECK_EQUAL(bytes("1048576GiB"), uint64_t{1} << 50);
  for (const char* bad : {"", "KiB", "1KB", "1kib", "1 KiB", "1.5MiB", "-1", "1048577GiB", "1125899906842625"})
    CAF_CHECK_EQUAL(refusal("ring-bytes", bad),
        "ring-bytes: \"" + std::string{bad}
            + "\" is not possible; it must be a number of bytes, e.g. 4096, 512KiB, 64MiB or 1GiB");
}

CAF_TEST(durations have units and are above zero) {
  auto duration = [](const char* text) { return load_settings("", {{"idle", text}}).idle; };
  CAF_CHECK(duration("1ms") == 1ms);
  CAF_CHECK(duration("30s") == 30s);
  CAF_CHECK(duration("5m") == 5min);
  CAF_CHECK(duration("1h") == 1h);
  CAF_CHECK(duration("1000000h") == 1'000'000h);
  for (const char* bad : {"", "0s", "60", "s", "1d", "1.5s", "-1s", "1 s", "1000001h", "99999999999999999999ms"})
    CAF_CHECK_EQUAL(
        refusal("idle", bad), "idle: \"" + std::string{bad}
                                  + "\" is not possible; it must be a duration above zero, e.g. 500ms, 30s, 5m or 1h");
}

CAF_TEST(where to listen is a host and a port) {
  auto listen = [](const char* text) {
    auto x = load_settings("", {{"listen", text}});
    return x.listen_host + " " + std::to_string(x.listen_port);
  };
  CAF_CHECK_EQUAL(listen("127.0.0.1:0"), "127.0.0.1 0");
  CAF_CHECK_EQUAL(listen("localhost:65535"), "localhost 65535");
  CAF_CHECK_EQUAL(listen("[::1]:80"), "[::1] 80");
  for (const char* bad : {"", ":80", "localhost", "localhost:", "localhost:65536", "localhost:-1", "localhost:8o"})
    CAF_CHECK(refusal("listen", bad).starts_with("listen: \""));
}

CAF_TEST(words are taken from a list) {
  CAF_CHECK_EQUAL(refusal("insecure", "yes"), "insecure: \"yes\" is not possible; it must be true or false");
  CAF_CHECK_EQUAL(refusal("log-format", "xml"), "log-format: \"xml\" is not possible; it must be text or json");
  CAF_CHECK_EQUAL(
      refusal("log-level", "loud"), "log-level: \"loud\" is not possible; it must be debug, info, warning or error");
  CAF_CHECK(load_settings("", {{"log-format", "json"}}).log_json);
  CAF_CHECK(load_settings("", {{"insecure", "true"}}).insecure);
  CAF_CHECK_EQUAL(refusal("policy", "delete"), "policy: \"delete\" is not possible; it must be keep or archive");
  CAF_CHECK_EQUAL(refusal("transfers", "there"), "transfers: \"there\" is not possible; it must be here or elsewhere");
  CAF_CHECK(load_settings("", {{"policy", "archive"}}).archive && !load_settings("", {{"policy", "keep"}}).archive);
  CAF_CHECK(load_settings("", {{"transfers", "elsewhere"}}).work_elsewhere && !load_settings("", {{"transfers", "here"}}).work_elsewhere);
  CAF_CHECK(load_settings("", {{"auth", "true"}}).auth);
  for (const char* level : {"debug", "info", "warning", "error"})
    CAF_CHECK_EQUAL(load_settings("", {{"log-level", level}}).log_level, level);
}

CAF_TEST(an unknown setting is named) {
  CAF_CHECK_EQUAL(refusal("lissten", "x"), "there is no setting \"lissten\"; `segue serve --help` lists them");
  for (const char* text : {"{\"Data\": \"x\"}", "{\"Data\": {}}"})
    CAF_CHECK_EQUAL(refusal_of_file(text), "there is no setting \"Data\"; `segue serve --help` lists them");
}

CAF_TEST(what is wrong in a file comes with its name) {
  for (const char* text : {"{\"Data\": \"x\"}", "{\"policy\": \"x\"}", "{\"data\": null}", "{\"data\": \"${env:SEGUE_SETTINGS_TEST}\"}",
           "{\"data\": \"a\", \"data\": \"b\"}", "{\"tenants\": {}}", "{", "[]"}) {
    config_file file{text};
    CAF_MESSAGE(text);
    CAF_CHECK(load(file.path(), {}).starts_with(file.path() + ": "));
  }
}

CAF_TEST(a member that is there twice is refused) {
  CAF_CHECK_EQUAL(refusal_of_file(R"({"policy": "keep", "data": "x", "policy": "archive"})"), "policy is there twice");
  CAF_CHECK_EQUAL(refusal_of_file(R"({"tenants": {"alpha": {}}, "tenants": {"beta": {}}})"), "tenants is there twice");
  CAF_CHECK_EQUAL(refusal_of_file(R"({"policy": "keep", "tenants": {"alpha": {"policy": "archive"}, "beta": {"policy": "archive"}}})"), "accepted");
}

CAF_TEST(a file that cannot be used says why) {
  CAF_CHECK_EQUAL(load("/nowhere/segue.json", {}), "the configuration file /nowhere/segue.json cannot be read");
  CAF_CHECK_EQUAL(load("/", {}), "the configuration file / is a folder; it must be a JSON file of settings");
  for (const char* text : {"", "{", "{\"data\": }", "data = x"})
    CAF_CHECK(refusal_of_file(text).find("parse error") != std::string::npos);
  for (const char* text : {"[]", "\"data\"", "5", "null"})
    CAF_CHECK(refusal_of_file(text).ends_with("it must be a JSON object of settings"));
  for (const char* value : {"null", "[]", "{\"a\": 1}"})
    CAF_CHECK(refusal_of_file("{\"data\": " + std::string{value} + "}")
                  .ends_with("data must be a string, a number, true or false"));
  CAF_CHECK(refusal_of_file("{\"store-readers\": 2.5}").starts_with("store-readers: \"2.5\" is not possible"));
  CAF_CHECK(refusal_of_file("{\"store-readers\": -2}").starts_with("store-readers: \"-2\" is not possible"));
}

CAF_TEST(an engine is one that there is) {
  adapter_context nowhere;
  auto known = [](auto open) -> std::string {
    try {
      open();
      return "all";
    } catch (const adapter_error& e) {
      std::string what = e.what();
      auto list = what.find("known are ");
      return list == std::string::npos ? what : what.substr(list + 10);
    }
  };
  const std::map<std::string, std::string> schemes{
      {"chunk-store", known([&] { open_chunk_store("tape:", nowhere); })},
      {"cache", known([&] { open_chunk_cache("tape:", nowhere); })},
      {"catalogue", known([&] { open_catalogue("tape:", nowhere); })},
      {"objects", known([&] { open_object_store("tape:", nowhere); })},
      {"generator", known([&] { open_sound_source("tape:", nowhere); })},
  };
  for (const auto& [name, all] : schemes) {
    for (const char* bad : {"tape:", "tape://ann:s3cr3t@host/", "tape", "", ":", "http//localhost", " memory:"})
      CAF_CHECK_EQUAL(refusal(name, bad), name + ": it must begin with one of " + all);
    std::istringstream in{all};
    for (std::string scheme; in >> scheme;)
      CAF_CHECK_EQUAL(refusal(name, scheme.substr(0, scheme.find(':') + 1)), "accepted");
  }
}

CAF_TEST(parts of objects are as large as object stores want them or there are none) {
  for (const char* good : {"0", "5MiB", "5242880", "1GiB"})
    CAF_CHECK_EQUAL(refusal("object-part", good), "accepted");
  for (const char* bad : {"1", "5242879", "4MiB"})
    CAF_CHECK_EQUAL(refusal("object-part", bad), "object-part: \"" + std::string{bad}
        + "\" is not possible; it must be 0, or at least 5MiB, which is the smallest part that object stores take");
}

// -- what is kept elsewhere

CAF_TEST(a setting may be kept in the environment or in a file) {
  variable x{"s3cr3t"};
  config_file file{"a secret of so many bytes\nof two lines\r\n\n"};
  CAF_CHECK_EQUAL(load_settings("", {{"data", from_environment}}).data, "s3cr3t");
  CAF_CHECK_EQUAL(load_settings("", {{"jwt-secret", "${file:" + file.path() + "}"}}).jwt_secret, "a secret of so many bytes\nof two lines");
  auto url = "redis://ada:" + from_environment + "@${env:SEGUE_SETTINGS_TEST}:1/$0{}";
  CAF_CHECK_EQUAL(load_settings("", {{"chunk-store", url}}).chunk_store, "redis://ada:s3cr3t@s3cr3t:1/$0{}");
  variable number{"7"};
  CAF_CHECK_EQUAL(load_settings("", {{"generations-running", from_environment}}).generations_running, 7u);
}

CAF_TEST(what is kept elsewhere is taken as it is) {
  variable x{"${file:/etc/passwd}${env:HOME}"};
  CAF_CHECK_EQUAL(load_settings("", {{"data", from_environment}}).data, "${file:/etc/passwd}${env:HOME}");
  for (const char* text : {"${", "$", "$env:HOME", "${env:HOME", "{env:HOME}", "}${"})
    CAF_CHECK_EQUAL(load_settings("", {{"data", text}}).data, text);
}

CAF_TEST(what is not there is named) {
  CAF_CHECK_EQUAL(refusal("data", from_environment), "data: there is no environment variable SEGUE_SETTINGS_TEST");
  CAF_CHECK_EQUAL(refusal("data", "${file:/nowhere/x}"), "data: the file /nowhere/x cannot be read, or is empty");
  CAF_CHECK_EQUAL(refusal("data", "${file:/}"), "data: the file / cannot be read, or is empty");
  CAF_CHECK_EQUAL(refusal("data", "${file:" + config_file{""}.path() + "}").find("data: the file "), 0u);
  for (const char* where : {"${vault:x}", "${}", "${HOME}", "${ENV:HOME}"})
    CAF_CHECK_EQUAL(refusal("data", where),
        "data: " + std::string{where} + " is not possible; there are ${env:NAME} and ${file:PATH}");
}

CAF_TEST(a refusal never shows what is kept elsewhere) {
  variable x{"s3cr3t"};
  for (const char* name : {"listen", "generations-running", "idle", "ring-bytes", "policy", "auth", "allow-origin", "object-part"}) {
    auto said = refusal(name, from_environment);
    CAF_MESSAGE(said);
    CAF_CHECK(said != "accepted");
    CAF_CHECK_EQUAL(said.find("s3cr3t"), std::string::npos);
  }
}
