// A disk that fails or hangs on demand, for a whole process: preloaded (LD_PRELOAD), it stands before the calls that make
// writes durable. It touches files below one folder only, so that a test chooses which store suffers.
//
//   FAULTY_DISK_FOLDER   files below it are on the faulty disk
//   FAULTY_DISK_CONTROL  a file that says how the disk is: "fail" (every sync is EIO) or "hang" (none returns until the
//                        file says something else); anything else, or no such file: it is healthy
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

enum class health { good, failing, hanging };

std::string setting(const char* name) {
  auto value = std::getenv(name);
  return value ? value : "";
}

health disk_health() {
  static const auto control = setting("FAULTY_DISK_CONTROL");
  auto file = ::open(control.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return health::good;
  char text[8];
  auto size = ::read(file, text, sizeof text);
  ::close(file);
  std::string_view says{text, size > 0 ? static_cast<size_t>(size) : 0};
  return says.starts_with("fail") ? health::failing : says.starts_with("hang") ? health::hanging : health::good;
}

bool on_faulty_disk(int file) {
  static const auto folder = setting("FAULTY_DISK_FOLDER") + "/";
  char path[PATH_MAX];
  auto size = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof path);
  return size > 0 && (std::string{path, static_cast<size_t>(size)} + "/").starts_with(folder);
}

int sync(const char* name, int file) {
  if (on_faulty_disk(file)) {
    while (disk_health() == health::hanging)
      ::usleep(5'000);
    if (disk_health() == health::failing) {
      errno = EIO;
      return -1;
    }
  }
  return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, name))(file);
}

} // namespace

extern "C" int fsync(int file) { return sync("fsync", file); }
extern "C" int fdatasync(int file) { return sync("fdatasync", file); }
