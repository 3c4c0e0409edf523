// Where the objects are, and as whom to use them: what an `s3:` URL says.
#pragma once

#include <string>

namespace segue::s3 {

struct address {
  std::string shown; ///< the URL without what is secret, for logs and errors
  std::string access_key;
  std::string secret_key;
  std::string bucket;
  std::string region;
  std::string root;   ///< of the bucket: `http://HOST:PORT/BUCKET/` or `https://BUCKET.HOST/`
  std::string prefix; ///< what stands in front of a key: nothing, or `PREFIX/`
};

/// Reads `s3://ACCESS:SECRET@BUCKET/PREFIX?endpoint=http://HOST:PORT&region=us-east-1&style=path`. Throws
/// `adapter_error{ec::invalid_argument}`, without the secret.
address parse_address(const std::string& url);

} // namespace segue::s3
