// The engines that the contract suites run over: every registered one, opened the way the program opens it.
#pragma once

#include "adapters/registry.hpp"

#include <atomic>
#include <cstdlib>
#include <unistd.h>

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
      : url_(std::move(url)), context_{folder_.path(), reserve_bytes, {}} {
    open();
  }

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

  void open() {
    store_ = open_store(url_, context_);
    if constexpr (std::is_base_of_v<owned_store, Store>)
      CAF_REQUIRE(!store_->take_lease("test", std::chrono::minutes{1}));
  }

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
using chunk_cache_engine = engine_under_test<chunk_cache, open_chunk_cache>;
using object_store_engine = engine_under_test<object_store, open_object_store>;
using catalogue_engine = engine_under_test<catalogue_store, open_catalogue>;

/// The URL of a real server, from the environment: `node tests/with_stores.mjs COMMAND` starts them and sets it.
inline std::string server_url(const char* variable) {
  const auto* url = std::getenv(variable);
  if (!url)
    throw std::runtime_error{std::string{variable} + " is not set: run the tests as `node tests/with_stores.mjs COMMAND`"};
  return url;
}

/// Something that no other test of any run has used.
inline std::string fresh_name() {
  static std::atomic<int> count{0};
  auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return "t" + std::to_string(getpid()) + "x" + std::to_string(now) + "x" + std::to_string(++count);
}

inline std::string redis_url() { return server_url("SEGUE_TEST_REDIS") + "?prefix=alpha:" + fresh_name() + ":"; }
inline std::string postgres_url() { return server_url("SEGUE_TEST_POSTGRES") + "?schema=" + fresh_name(); }

/// In a part of the bucket of its own.
inline std::string s3_url() {
  auto url = server_url("SEGUE_TEST_S3");
  return url.insert(url.find('?'), "/" + fresh_name());
}

inline std::vector<std::string> chunk_store_urls() { return {"memory:", "rocksdb:", redis_url()}; }
inline std::vector<std::string> chunk_cache_urls() { return {"memory:", redis_url()}; }
inline std::vector<std::string> object_store_urls() { return {"file:", s3_url(), s3_url() + "&style=virtual"}; }
inline std::vector<std::string> catalogue_urls() { return {"sqlite::memory:", "sqlite:", postgres_url()}; }

/// Runs `test` over a fresh engine of each kind.
template <class Engine, class Test>
void for_each_of(const std::vector<std::string>& urls, Test test) {
  for (const auto& url : urls) {
    CAF_MESSAGE("over " << url.substr(0, url.find(':') + 1));
    Engine engine{url};
    test(engine);
  }
}

template <class Test>
void for_each_chunk_store(Test test) {
  for_each_of<chunk_store_engine>(chunk_store_urls(), std::move(test));
}

template <class Test>
void for_each_chunk_cache(Test test) {
  for_each_of<chunk_cache_engine>(chunk_cache_urls(), std::move(test));
}

template <class Test>
void for_each_object_store(Test test) {
  for_each_of<object_store_engine>(object_store_urls(), std::move(test));
}

template <class Test>
void for_each_catalogue(Test test) {
  for_each_of<catalogue_engine>(catalogue_urls(), std::move(test));
}

} // namespace segue
