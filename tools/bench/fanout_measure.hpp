// Clocks, and what a process has used.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace fanout {

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

  /// Resident bytes.
  int64_t memory() const {
    int64_t pages = 0;
    for (auto id : ids) {
      int64_t all = 0, resident = 0;
      std::ifstream{"/proc/" + std::to_string(id) + "/statm"} >> all >> resident;
      pages += resident;
    }
    return pages * sysconf(_SC_PAGESIZE);
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

/// The value below which this share of the values lies.
inline double quantile(std::vector<int64_t>& values, double share) {
  if (values.empty())
    return 0;
  auto at = values.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

} // namespace fanout
