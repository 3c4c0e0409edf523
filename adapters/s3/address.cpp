#include "adapters/s3/address.hpp"

#include "adapters/object_rules.hpp"
#include "adapters/store_url.hpp"

namespace segue::s3 {

namespace {

constexpr std::string_view lower_case = "abcdefghijklmnopqrstuvwxyz0123456789-";

[[noreturn]] void refuse(const std::string& what) { throw adapter_error{ec::invalid_argument, "s3: " + what}; }

bool consists_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// What may stand in a path and in a host name as it is. Old buckets have upper case and underscores.
void check_bucket(const std::string& name) {
  if (name.size() < 3 || name.size() > 63 || !is_key_segment(name))
    refuse("\"" + name + "\" is not the name of a bucket: 3 to 63 letters, digits, dots and hyphens");
}

struct endpoint {
  std::string scheme;
  std::string host; ///< with the port, if there is one
};

endpoint read_endpoint(const std::string& text) {
  auto x = parse_store_url(text);
  bool plain = x.user.empty() && x.password.empty() && x.path.empty() && x.query.empty();
  if ((x.scheme != "http" && x.scheme != "https") || x.host.empty() || !plain)
    refuse("the endpoint \"" + redacted(text) + "\" is not possible; it must be like https://HOST or http://HOST:PORT");
  return {x.scheme, x.host + (x.port ? ":" + std::to_string(x.port) : "")};
}

/// Amazon wants the bucket in the host name. With dots in it, it would not match the certificate.
std::string usual_style(const endpoint& at, const std::string& bucket) {
  bool amazon = at.host.ends_with(".amazonaws.com") || at.host.ends_with(".amazonaws.com.cn");
  return amazon && bucket.find('.') == std::string::npos ? "virtual" : "path";
}

} // namespace

address parse_address(const std::string& url) {
  auto x = parse_store_url(url);
  if (x.user.empty() || x.password.empty()) // first of all: without them, anything else may be a piece of them
    refuse("the access key or the secret is missing; the URL must be like s3://ACCESS:SECRET@BUCKET/PREFIX?endpoint="
           "https://HOST, with / + @ ? # % : in the secret written as %2F %2B %40 %3F %23 %25 %3A");
  check_bucket(x.host);
  if (url.find("@" + x.host) == std::string::npos) // libcurl makes 0.0.7.232 of 2024
    refuse("a bucket cannot be used whose name is a number: it would be taken for an address");
  if (x.port)
    refuse("a bucket has no port; it belongs to the parameter endpoint=http://HOST:PORT");
  auto prefix = x.path.ends_with('/') ? x.path.substr(0, x.path.size() - 1) : x.path;
  if (!prefix.empty())
    check_object_key(prefix);
  auto region = x.take("region", "us-east-1");
  if (!consists_of(region, lower_case))
    refuse("\"" + region + "\" is not the name of a region, such as us-east-1");
  auto at = read_endpoint(x.take("endpoint", "https://s3." + region + ".amazonaws.com"));
  auto style = x.take("style", usual_style(at, x.host));
  if (style != "path" && style != "virtual")
    refuse("style=" + style + " is not possible; it is path or virtual");
  x.expect_nothing_else("endpoint, region and style");
  auto place = style == "path" ? at.host + "/" + x.host : x.host + "." + at.host;
  return {redacted(url), x.user, x.password, x.host, region, at.scheme + "://" + place + "/",
      prefix.empty() ? "" : prefix + "/"};
}

} // namespace segue::s3
