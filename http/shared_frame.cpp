#include "http/shared_frame.hpp"

#include <algorithm>

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace segue::http {

namespace {

// At 8 KiB handing pages over costs about as much as copying, at 16 KiB less; one page or two are cheaper to copy.
constexpr size_t worth_sharing = 12 << 10; ///< bytes
constexpr size_t many = 16;                ///< listeners

} // namespace

shared_frame::shared_frame(payload bytes, size_t listeners) : bytes_(std::move(bytes)) {
  if (bytes_.size() < worth_sharing || listeners < many)
    return;
  file_ = ::memfd_create("frame", MFD_CLOEXEC);
  if (file_ < 0)
    return;
  auto written = ::write(file_, bytes_.view().data(), bytes_.size());
  if (written == static_cast<ssize_t>(bytes_.size()))
    return;
  ::close(file_);
  file_ = -1;
}

/// The pages live on until the last socket has sent them.
shared_frame::~shared_frame() {
  if (file_ >= 0)
    ::close(file_);
}

size_t shared_frame::send_now(int socket) const {
  auto bytes = bytes_.view();
  off_t from = 0;
  auto sent = file_ >= 0 ? ::sendfile(socket, file_, &from, bytes.size())
                         : ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return static_cast<size_t>(std::max<ssize_t>(sent, 0));
}

} // namespace segue::http
