// The engines that the contract suites run over: every registered one, opened the way the program opens it.
#pragma once

#include "adapters/registry.hpp"

#include <cstdlib>

#include "tests/support/test.hpp"

namespace segue {

/// A fresh folder that is gone with this object.
class temporary_folder {
public:
  temporary_folder() {
    auto name = (std::filesystem::temp_directory_path() / "segue-test-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error{"no temporary folder: " + name};
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// An engine in a folder of its own, that can be closed and opened again. `Store` is the port, `open_store` its door.
template <class Store, std::shared_ptr<Store> (*open_store)(const std::string&, const adapter_context&)>
class engine_under_test {
public:
  explicit engine_under_test(std::string url, uint64_t reserve_bytes = 1 << 20)
      : url_(std::move(url)), context_{folder_.path(), reserve_bytes, {}}, store_(open_store(url_, context_)) {}

  const std::string& url() const { return url_; }

  /// Whether anything survives the process.
  bool durable() const { return url_.find("memory") == std::string::npos; }

  const std::filesystem::path& folder() const { return folder_.path(); }
  const std::shared_ptr<Store>& get() const { return store_; }
  Store* operator->() const { return store_.get(); }
  Store& operator*() const { return *store_; }

  void close() {
    CAF_CHECK_EQUAL(store_.use_count(), 1); // else it stays open
    store_.reset();
  }

  void open() { store_ = open_store(url_, context_); }

  /// What a restart of the program does to it; one that keeps nothing is left as it is.
  void restart() {
    if (!durable())
      return;
    close();
    open();
  }

private:
  temporary_folder folder_;
  std::string url_;
  adapter_context context_;
  std::shared_ptr<Store> store_;
};

using chunk_store_engine = engine_under_test<chunk_store, open_chunk_store>;
using catalogue_engine = engine_under_test<catalogue_store, open_catalogue>;

inline const std::vector<std::string> chunk_store_urls{"memory:", "rocksdb:"};
inline const std::vector<std::string> catalogue_urls{"sqlite::memory:", "sqlite:"};

/// Runs `test` over a fresh engine of each kind.
template <class Test>
void for_each_chunk_store(Test test) {
  for (const auto& url : chunk_store_urls) {
    CAF_MESSAGE("over " << url);
    chunk_store_engine engine{url};
    test(engine);
  }
}

template <class Test>
void for_each_catalogue(Test test) {
  for (const auto& url : catalogue_urls) {
    CAF_MESSAGE("over " << url);
    catalogue_engine engine{url};
    test(engine);
  }
}

} // namespace segue
