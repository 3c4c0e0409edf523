// A disk that fails or hangs on demand, for a whole process: preloaded (LD_PRELOAD), it stands before the calls that make
// writes durable. It touches files below one folder only, so that a test chooses which store suffers.
//
//   FAULTY_DISK_FOLDER   files below it are on the faulty disk
//   FAULTY_DISK_CONTROL  a file that says how the disk is: "fail" (every sync is EIO), "hang" (none returns until the
//                        file says something else) or "tear N PERCENT" (the power goes between the writes and the sync of
//                        the Nth commit from now on, and of the sectors that are not synced so many are kept, any of
//                        them); anything else, or no such file: it is healthy
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace {

enum class health { good, failing, hanging, tearing };

int commits_left = 0;
int percent_kept = 0;
std::map<std::string, off_t> synced; ///< how much of each log is
std::mutex guard;

std::string setting(const char* name) {
  auto value = std::getenv(name);
  return value ? value : "";
}

health disk_health() {
  static const auto control = setting("FAULTY_DISK_CONTROL");
  auto file = ::open(control.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return health::good;
  char text[32] = {};
  auto size = ::read(file, text, sizeof text - 1);
  ::close(file);
  std::string_view says{text, size > 0 ? static_cast<size_t>(size) : 0};
  if (commits_left == 0 && std::sscanf(text, "tear %d %d", &commits_left, &percent_kept) == 2)
    return health::tearing;
  if (commits_left > 0)
    return health::tearing;
  return says.starts_with("fail") ? health::failing : says.starts_with("hang") ? health::hanging : health::good;
}

/// Where an open file lies.
std::string path_of(int file) {
  char path[PATH_MAX];
  auto size = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof path);
  return {path, size > 0 ? static_cast<size_t>(size) : 0};
}

bool on_faulty_disk(int file) {
  static const auto folder = setting("FAULTY_DISK_FOLDER") + "/";
  return (path_of(file) + "/").starts_with(folder);
}

/// What is left of a log when the power goes before its sync: of each sector what was written, or the zeros before; and of a file
/// that has grown the new end, or the one before.
[[noreturn]] void tear(int file, off_t begin, off_t end) {
  constexpr off_t sector = 512;
  std::srand(static_cast<unsigned>(begin));
  const char nothing[sector] = {};
  bool good = true;
  for (auto at = begin; at < end;) {
    auto next = std::min(end, (at / sector + 1) * sector);
    if (std::rand() % 100 >= percent_kept)
      good = ::pwrite(file, nothing, static_cast<size_t>(next - at), at) == next - at && good;
    at = next;
  }
  if (std::rand() % 2 == 0)
    good = ::ftruncate(file, begin + (end - begin) * percent_kept / 100) == 0 && good;
  if (!good)
    ::perror("faulty_disk: cannot tear");
  ::kill(::getpid(), SIGKILL);
  for (;;)
    ::pause();
}

int sync(const char* name, int file) {
  if (on_faulty_disk(file)) {
    while (disk_health() == health::hanging)
      ::usleep(5'000);
    auto how = disk_health();
    if (how == health::failing) {
      errno = EIO;
      return -1;
    }
    if (auto path = path_of(file); path.ends_with(".log")) {
      std::lock_guard lock{guard};
      auto begin = synced[path];
      auto end = ::lseek(file, 0, SEEK_CUR); // zeros are written ahead of it
      if (how == health::tearing && --commits_left == 0)
        tear(file, begin, end);
      synced[path] = end;
    }
  }
  return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name))(file);
}

} // namespace

extern "C" int fsync(int file) { return sync("fsync", file); }
extern "C" int fdatasync(int file) { return sync("fdatasync", file); }
