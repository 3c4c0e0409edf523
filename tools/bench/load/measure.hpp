// Clocks, and what a process has used.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace load {

constexpr int64_t second = 1'000'000'000; ///< ns

[[noreturn]] inline void fail(const std::string& why) { throw std::runtime_error{why}; }

inline int64_t clock_ns(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0)
    fail("the server has gone");
  return time.tv_sec * second + time.tv_nsec;
}

inline int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

inline void sleep_until(int64_t moment) {
  timespec time{.tv_sec = moment / second, .tv_nsec = moment % second};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

/// The processes of the server under test.
struct server_processes {
  std::vector<pid_t> ids;

  /// utime + stime of all threads, as /proc/PID/stat has them, but in nanoseconds instead of ticks of 10 ms.
  int64_t cpu_ns() const {
    int64_t sum = 0;
    for (auto id : ids) {
      clockid_t clock;
      if (clock_getcpuclockid(id, &clock) != 0)
        fail("the server has gone");
      sum += clock_ns(clock);
    }
    return sum;
  }

  /// Resident bytes, and those of files in memory that nobody has looked at.
  int64_t memory() const {
    int64_t bytes = 0;
    for (auto id : ids) {
      auto status = status_of(id);
      bytes += status["VmRSS:"] + std::max<int64_t>(memory_files_of(id) - status["RssShmem:"], 0);
    }
    return bytes;
  }

private:
  static std::map<std::string, int64_t> status_of(pid_t id) {
    std::map<std::string, int64_t> found;
    std::ifstream file{"/proc/" + std::to_string(id) + "/status"};
    for (std::string line, key; std::getline(file, line);) {
      int64_t kib = 0;
      if (std::istringstream words{line}; words >> key >> kib)
        found[key] = kib * 1024;
    }
    return found;
  }

  static int64_t memory_files_of(pid_t id) {
    int64_t bytes = 0;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/" + std::to_string(id) + "/fd", gone}) {
      auto target = std::filesystem::read_symlink(entry, gone).string();
      struct stat about {};
      if (target.starts_with("/memfd:") && stat(entry.path().c_str(), &about) == 0)
        bytes += about.st_blocks * 512;
    }
    return bytes;
  }
};

/// CPU time of everything on this machine, in steps of 10 ms.
inline int64_t machine_cpu_ns() {
  std::ifstream file{"/proc/stat"};
  std::string name;
  int64_t user = 0, nice = 0, system = 0, idle = 0, wait = 0, interrupts = 0, soft_interrupts = 0;
  file >> name >> user >> nice >> system >> idle >> wait >> interrupts >> soft_interrupts;
  return (user + nice + system + interrupts + soft_interrupts) * (second / sysconf(_SC_CLK_TCK));
}

/// What had been used at one moment, in ns.
struct reading {
  int64_t at = 0;
  int64_t server_cpu = 0; ///< of all its processes and threads
  int64_t client_cpu = 0;
  int64_t machine_cpu = 0; ///< of everything that runs on it
};

inline reading read_clocks(const server_processes& server) {
  return {now_ns(), server.cpu_ns(), clock_ns(CLOCK_PROCESS_CPUTIME_ID), machine_cpu_ns()};
}

using report = std::map<std::string, double>;

/// What was used between two readings, under the names that every report has.
inline report used(const reading& before, const reading& after) {
  auto wall = static_cast<double>(after.at - before.at);
  auto server = static_cast<double>(after.server_cpu - before.server_cpu);
  auto client = static_cast<double>(after.client_cpu - before.client_cpu);
  auto machine = static_cast<double>(after.machine_cpu - before.machine_cpu);
  return {
      {"wall_s", wall / second},
      {"cpu_s", server / second},
      {"server_share", server / wall},
      {"client_share", client / wall},
      {"others_share", std::max(0.0, machine - server - client) / wall},
  };
}

/// As one JSON object.
inline void print(const report& numbers) {
  auto separator = '{';
  for (const auto& [name, value] : numbers)
    std::printf("%c\"%s\": %.17g", std::exchange(separator, ','), name.c_str(), value);
  std::puts("}");
}

/// The value below which this share of the values lies.
inline double quantile(std::vector<int64_t>& values, double share) {
  if (values.empty())
    return 0;
  auto at = values.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

inline void add_latencies(report& numbers, std::vector<int64_t>& values) {
  numbers["p50_ms"] = quantile(values, 0.50) / 1e6;
  numbers["p99_ms"] = quantile(values, 0.99) / 1e6;
}

} // namespace load
