#include "adapters/s3/refusal.hpp"

#include "actors/utf8.hpp"
#include "adapters/ports.hpp"

#include <pugixml.hpp>

#include <algorithm>
#include <map>

namespace segue::s3 {

namespace {

constexpr size_t longest_quotation = 300;

struct meaning {
  ec code;
  std::string_view advice;
};

constexpr const char* wrong_key = "the access key or the secret in the URL is wrong";
constexpr const char* not_allowed = "the access key is known, but may not do that; it has to read, write, remove and list";
constexpr std::string_view other_region = "the bucket is in another region, or has another endpoint";
constexpr const char* changed = "the bytes changed on their way";

const std::map<std::string, meaning>& meanings() {
  static const std::map<std::string, meaning> known{
      {"NoSuchKey", {ec::not_found, "there is no such object"}},
      {"NoSuchUpload", {ec::not_found, "there is no such upload: it was finished or thrown away"}},
      {"InvalidPart", {ec::not_found, "a part was never put, or is another one by now"}},
      {"NoSuchBucket", {ec::invalid_argument, "there is no such bucket: create it, or correct the URL"}},
      {"InvalidAccessKeyId", {ec::invalid_argument, wrong_key}},
      {"SignatureDoesNotMatch", {ec::invalid_argument, wrong_key}},
      {"AccessDenied", {ec::invalid_argument, not_allowed}},
      {"PermanentRedirect", {ec::invalid_argument, other_region}},
      {"TemporaryRedirect", {ec::invalid_argument, other_region}},
      {"AuthorizationHeaderMalformed", {ec::invalid_argument, other_region}},
      {"RequestTimeTooSkewed", {ec::unavailable, "the clocks of this machine and of the store differ too much: set them right"}},
      {"XAmzContentSHA256Mismatch", {ec::unavailable, changed}},
      {"BadDigest", {ec::unavailable, changed}},
      {"IncompleteBody", {ec::unavailable, "not all of the bytes arrived"}},
      {"RequestTimeout", {ec::timeout, "the bytes came too slowly"}},
      {"OperationAborted", {ec::unavailable, "another call was in the way"}},
      {"SlowDown", {ec::unavailable, "the store has too much to do"}},
      {"EntityTooSmall", {ec::invalid_argument, "all parts but the last have at least 5 MiB"}},
      {"EntityTooLarge", {ec::too_large, "it is larger than the store allows"}},
      {"QuotaExceeded", {ec::storage_full, "the quota of the bucket or of its owner is used up"}},
      {"XMinioStorageFull", {ec::storage_full, "the disks of the store are full"}},
  };
  return known;
}

/// For errors without a name: proxies answer too, and so does whatever listens at a wrong address.
meaning meaning_of(long status) {
  if (status >= 300 && status < 400)
    return {ec::invalid_argument, other_region};
  if (status == 401 || status == 403)
    return {ec::invalid_argument, "access is denied"};
  if (status == 408 || status == 504)
    return {ec::timeout, "the store waited for too long"};
  if (status == 507)
    return {ec::storage_full, "the store is full"};
  if (status == 404)
    return {ec::unavailable, "that is not how S3 answers: is the endpoint right?"};
  if (status < 400 || status == 409 || status == 429 || (status >= 500 && status != 501))
    return {ec::unavailable, "the store failed"};
  return {ec::invalid_argument, "the store refuses it"};
}

struct s3_error {
  std::string code;
  std::string message;
  std::string region;
  std::string endpoint;
};

std::string printable(std::string text) {
  text = beginning_of(valid_utf8(text), longest_quotation);
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

s3_error read_error(const answer& x) {
  pugi::xml_document document;
  document.load_buffer(x.body.data(), x.body.size());
  auto error = document.child("Error");
  auto text = [&](const char* name) { return printable(error.child_value(name)); };
  auto region = printable(x.header("x-amz-bucket-region"));
  return {text("Code"), text("Message"), region.empty() ? text("Region") : region, text("Endpoint")};
}

/// Where the store says that the bucket is, as a part of the URL.
std::string correction(const address& where, const s3_error& error) {
  if (!error.region.empty())
    return "; say region=" + error.region;
  auto bucket = where.bucket + ".";
  auto host = error.endpoint.starts_with(bucket) ? error.endpoint.substr(bucket.size()) : error.endpoint;
  return host.empty() ? "" : "; say endpoint=https://" + host;
}

} // namespace

std::string error_code(const answer& x) { return read_error(x).code; }

void refuse(const address& where, const std::string& doing, const answer& x) {
  auto error = read_error(x);
  auto found = meanings().find(error.code);
  auto meant = found != meanings().end() ? found->second : meaning_of(x.status);
  auto text = doing + " in " + where.shown + ": ";
  text += std::string{meant.advice} + " (" + (error.code.empty() ? "" : error.code + ", ");
  text += "status " + std::to_string(x.status) + ")";
  if (!error.message.empty())
    text += ": " + error.message;
  if (meant.advice == other_region)
    text += correction(where, error);
  throw adapter_error{meant.code, text};
}

} // namespace segue::s3
