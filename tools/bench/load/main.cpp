// The clients of every benchmark, one process with one thread, so that the server has a core of its own: makes the load,
// checks what comes back, reads the CPU clocks of the server's processes, and prints one JSON object.

#include "fanout.hpp"
#include "loads.hpp"

#include <sys/resource.h>

namespace {

using namespace load;

report of_fanout(arguments& from, report (fanout::*what)()) {
  fanout_options with{from};
  from.refuse_others();
  fanout run{with};
  return (run.*what)();
}

report run(std::string_view name, arguments& from) {
  if (name == "tail")
    return of_fanout(from, &fanout::at_the_tail);
  if (name == "catch-up")
    return of_fanout(from, &fanout::catching_up);
  if (name == "waiting")
    return of_fanout(from, &fanout::waiting);
  if (name == "open-streams")
    return of_fanout(from, &fanout::open_streams);
  if (name == "appends")
    return appends(from);
  if (name == "file-appends")
    return file_appends(from);
  if (name == "upload")
    return upload(from);
  if (name == "replay")
    return replay(from);
  if (name == "start")
    return start(from);
  if (name == "churn")
    return churn(from);
  fail("usage: load tail|catch-up|waiting|open-streams|appends|file-appends|upload|replay|start|churn --port PORT\n"
       "         --server PID [--server PID …] and more: see loads.hpp and fanout.hpp");
}

/// Takes as many descriptors as the system gives.
void raise_limits() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int count, char** words) try {
  raise_limits();
  arguments from{std::max(0, count - 2), words + 2};
  print(run(count > 1 ? words[1] : "", from));
} catch (const std::exception& e) {
  std::fprintf(stderr, "load: %s\n", e.what());
  return 1;
}
