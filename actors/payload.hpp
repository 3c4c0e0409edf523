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
  /// Bytes that stay where they are. Whatever owns them derives from this.
  struct block {
    std::string_view bytes;
    int file = -1;       ///< holds the same bytes, so that the kernel may send from its pages; -1: none does
    uint64_t offset = 0; ///< of the first byte in `file`

    block() = default;
    block(const block&) = delete;
    block& operator=(const block&) = delete;
  };

  payload() = default;

  /// Takes the bytes over.
  payload(std::string bytes) : payload(std::make_shared<const text>(std::move(bytes))) {}

  /// The whole block.
  explicit payload(std::shared_ptr<const block> bytes) : block_(std::move(bytes)), size_(block_->bytes.size()) {}

  std::string_view view() const { return block_ ? block_->bytes.substr(first_, size_) : std::string_view{}; }

  /// The file that holds the bytes as well, from `offset()` on, while this or a copy exists; -1: none does.
  int file() const { return block_ ? block_->file : -1; }
  uint64_t offset() const { return block_ ? block_->offset + first_ : 0; }

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

  /// Takes what follows in the same block as well. Whether it does.
  bool join(const payload& next) {
    if (!block_ || block_ != next.block_ || first_ + size_ != next.first_)
      return false;
    size_ += next.size_;
    return true;
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
  struct text final : block {
    explicit text(std::string x) : owned(std::move(x)) { bytes = owned; }
    std::string owned;
  };

  std::shared_ptr<const block> block_;
  size_t first_ = 0;
  size_t size_ = 0;
};

} // namespace segue
