// Bytes that many actors, threads and sockets share without copying.
#pragma once

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

/// An immutable piece of a shared block of bytes. Copying it copies a pointer.
class payload {
public:
  payload() = default;

  /// Takes the bytes over.
  payload(std::string bytes)
      : block_(std::make_shared<const std::string>(std::move(bytes))), size_(block_->size()) {}

  std::string_view view() const { return block_ ? std::string_view{*block_}.substr(first_, size_) : std::string_view{}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// The bytes from `skip` on, sharing the same block. `skip` must not exceed `size()`.
  payload from(size_t skip) const {
    auto rest = *this;
    rest.first_ += skip;
    rest.size_ -= skip;
    return rest;
  }

  /// The first `length` bytes, sharing the same block; all of them when there are fewer.
  payload first(size_t length) const {
    auto head = *this;
    head.size_ = std::min(size_, length);
    return head;
  }

  friend bool operator==(const payload& a, const payload& b) { return a.view() == b.view(); }

  /// Logs show the size, never the bytes.
  friend std::string to_string(const payload& x) { return "payload(" + std::to_string(x.size()) + ")"; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, payload& x) {
    if constexpr (Inspector::writes_state) {
      auto bytes = std::make_shared<std::vector<uint8_t>>();
      auto load = [&x, bytes]() -> caf::error {
        x = payload{std::string(bytes->begin(), bytes->end())};
        return caf::none;
      };
      return f(caf::meta::type_name("payload"), *bytes, caf::meta::load_callback(load));
    } else {
      auto view = x.view();
      std::vector<uint8_t> bytes(view.begin(), view.end());
      return f(caf::meta::type_name("payload"), bytes);
    }
  }

private:
  std::shared_ptr<const std::string> block_;
  size_t first_ = 0;
  size_t size_ = 0;
};

} // namespace segue
