// Objects in S3, or in any store that speaks its protocol.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/s3/request.hpp"

namespace segue::s3 {

struct options {
  std::string url; ///< as in address.hpp
  std::chrono::milliseconds patience{5'000}; ///< how long the store may take to answer, or send and take nothing
};

class s3_object_store final : public object_store {
public:
  /// Asks the store once. Throws `adapter_error{ec::invalid_argument}` when the URL is wrong or the store refuses what it
  /// says; a store that cannot be reached is only logged.
  explicit s3_object_store(const options& where);

  void put(const std::string& key, const std::string& content_type, const payload& bytes) override;
  std::string begin_upload(const std::string& key, const std::string& content_type) override;
  std::string put_part(const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) override;
  void finish_upload(const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) override;
  void abort_uploads(const std::string& key) override;
  object_bytes read(const std::string& key, uint64_t from, uint64_t length) override;
  void erase(const std::string& key) override;

private:
  void probe();
  uint64_t size_of(const std::string& key);
  std::vector<std::string> uploads_of(const std::string& key);
  void abort_upload(const std::string& key, const std::string& upload_id);
  void insist_on_upload(const std::string& key, const std::string& upload_id);
  std::string send_bytes(request what, const payload& bytes);
  [[noreturn]] void fail(const request& what, const std::string& why) const;

  client client_;
  std::chrono::milliseconds finishing_; ///< how long the store may take to put an object together
};

} // namespace segue::s3
