#define CAF_SUITE actors.metrics

#include "actors/metrics.hpp"

#include <map>
#include <regex>
#include <sstream>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

/// What follows `# HELP ` or `# TYPE `, by the name of the family; a family told twice fails.
std::map<std::string, std::string> comments(const metrics& x, const std::string& kind) {
  std::map<std::string, std::string> result;
  for (const auto& line : lines_of(x.render()))
    if (line.starts_with("# " + kind + " ")) {
      auto space = line.find(' ', 7);
      CAF_CHECK(result.emplace(line.substr(7, space - 7), line.substr(space + 1)).second);
    }
  return result;
}

bool shows(const metrics& x, const std::string& line) {
  for (const auto& each : lines_of(x.render()))
    if (each == line)
      return true;
  return false;
}

} // namespace

CAF_TEST(the page holds the help text of every family once) {
  metrics m;
  auto help = comments(m, "HELP");
  CAF_CHECK(help.size() > 15);
  for (const auto& [name, text] : help) {
    CAF_MESSAGE(name << ": " << text);
    CAF_CHECK(name.starts_with("segue_"));
    CAF_CHECK(text.size() > 10);
  }
  CAF_CHECK_EQUAL(help["segue_appended_bytes_total"], "Bytes made durable");
  CAF_CHECK_EQUAL(help["segue_reads_total"], "Reads by the tier that served them");
  CAF_CHECK_EQUAL(help["segue_actor_restarts_total"], "Actors restarted by their parent");
}

CAF_TEST(names say what kind a metric is) {
  metrics m;
  auto help = comments(m, "HELP");
  auto types = comments(m, "TYPE");
  CAF_CHECK_EQUAL(types.size(), help.size());
  for (const auto& [name, type] : types) {
    CAF_MESSAGE(name << ": " << type);
    CAF_CHECK_EQUAL(name.ends_with("_total"), type == "counter");
  }
  CAF_CHECK_EQUAL(types["segue_streams_live"], "gauge");
  CAF_CHECK_EQUAL(types["segue_commit_seconds"], "histogram");
}

CAF_TEST(every series starts at zero) {
  metrics m;
  size_t series = 0;
  for (const auto& line : lines_of(m.render()))
    if (!line.starts_with('#')) {
      CAF_CHECK(std::regex_search(line, std::regex{" 0$"}));
      ++series;
    }
  CAF_CHECK(series > comments(m, "HELP").size());
}

CAF_TEST(what is counted is shown) {
  metrics m;
  m.bytes_appended.Increment(3'840);
  m.reads_ring.Increment();
  m.generations_cancelled.Increment();
  m.requests_failed_server.Increment();
  m.streams_live.Set(7);
  m.streams_live.Decrement();
  m.commit_seconds.Observe(0.003);
  CAF_CHECK(shows(m, "segue_appended_bytes_total 3840"));
  CAF_CHECK(shows(m, "segue_reads_total{tier=\"ring\"} 1"));
  CAF_CHECK(shows(m, "segue_reads_total{tier=\"store\"} 0"));
  CAF_CHECK(shows(m, "segue_generations_ended_total{state=\"cancelled\"} 1"));
  CAF_CHECK(shows(m, "segue_generations_ended_total{state=\"failed\"} 0"));
  CAF_CHECK(shows(m, "segue_http_request_errors_total{class=\"5xx\"} 1"));
  CAF_CHECK(shows(m, "segue_streams_live 6"));
  CAF_CHECK(shows(m, "segue_commit_seconds_count 1"));
  CAF_CHECK(shows(m, "segue_commit_seconds_bucket{le=\"0.002\"} 0"));
  CAF_CHECK(shows(m, "segue_commit_seconds_bucket{le=\"0.005\"} 1"));
}

CAF_TEST(two sets of metrics do not know each other) {
  metrics a;
  metrics b;
  a.commits.Increment();
  CAF_CHECK(shows(a, "segue_commits_total 1"));
  CAF_CHECK(shows(b, "segue_commits_total 0"));
}
