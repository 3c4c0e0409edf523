#include "http/inbox.hpp"

#include <boost/asio/post.hpp>

#include <thread>
#include <utility>

namespace segue::http {

void inbox::add(letter x) {
  {
    std::lock_guard lock{mutex_};
    if (closed_)
      return;
    letters_.push_back(std::move(x));
    if (std::exchange(awake_, true))
      return;
    ++waking_;
  }
  asio::post(io_, [this] { wake_(); });
  --waking_;
}

void inbox::close() {
  std::vector<letter> dropped;
  {
    std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(letters_);
  }
  while (waking_ > 0)
    std::this_thread::yield();
}

void inbox::wake() {
  {
    std::lock_guard lock{mutex_};
    if (std::exchange(awake_, true))
      return;
  }
  asio::post(io_, [this] { wake_(); });
}

std::vector<inbox::letter> inbox::take() {
  std::lock_guard lock{mutex_};
  return std::exchange(letters_, {});
}

bool inbox::rest() {
  std::lock_guard lock{mutex_};
  if (!letters_.empty())
    return false;
  awake_ = false;
  return true;
}

} // namespace segue::http
