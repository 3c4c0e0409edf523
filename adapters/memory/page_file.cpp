#include "adapters/memory/page_file.hpp"

#include <algorithm>
#include <climits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

namespace segue::memory {

namespace {

/// As many bytes as whole pages have.
uint64_t in_pages(uint64_t size) {
  auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

/// Whether all of it could be put there. In as few calls as can be: two records share a page, mostly.
bool write(int file, uint64_t at, std::span<const payload> bytes) {
  while (!bytes.empty()) {
    iovec parts[IOV_MAX];
    auto some = bytes.first(std::min<size_t>(bytes.size(), IOV_MAX));
    size_t size = 0;
    for (size_t i = 0; i < some.size(); ++i) {
      auto part = some[i].view();
      parts[i] = {const_cast<char*>(part.data()), part.size()};
      size += part.size();
    }
    if (::pwritev(file, parts, static_cast<int>(some.size()), static_cast<off_t>(at)) != static_cast<ssize_t>(size))
      return false;
    at += size;
    bytes = bytes.subspan(some.size());
  }
  return true;
}

} // namespace

class page_file::descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() { ::close(number_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  int number() const { return number_; }

private:
  int number_;
};

/// A part of the file, and a view of it for who looks at the bytes. Its pages go with it.
class page_file::region final : public payload::block {
public:
  /// Empty when it cannot be seen.
  region(std::shared_ptr<const descriptor> in, uint64_t at, size_t size) : in_(std::move(in)) {
    file = in_->number();
    offset = at;
    auto* there = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, static_cast<off_t>(at));
    if (there != MAP_FAILED)
      bytes = {static_cast<const char*>(there), size};
  }

  ~region() {
    if (bytes.empty())
      return;
    ::munmap(const_cast<char*>(bytes.data()), bytes.size());
    auto size = static_cast<off_t>(in_pages(bytes.size())); // part of a page would be overwritten, and not only let go
    ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), size);
  }

private:
  std::shared_ptr<const descriptor> in_;
};

page_file::page_file() {
  auto number = ::memfd_create("pages", MFD_CLOEXEC);
  if (number >= 0)
    file_ = std::make_shared<const descriptor>(number);
}

std::vector<payload> page_file::add(std::span<const payload> bytes) {
  size_t size = 0;
  for (const auto& x : bytes)
    size += x.size();
  if (!file_ || size == 0)
    return {};
  payload rest{std::make_shared<const region>(file_, next_.fetch_add(in_pages(size)), size)};
  if (rest.empty() || !write(rest.file(), rest.offset(), bytes))
    return {};
  std::vector<payload> there;
  for (const auto& x : bytes) {
    there.push_back(rest.first(x.size()));
    rest = rest.from(x.size());
  }
  return there;
}

} // namespace segue::memory
