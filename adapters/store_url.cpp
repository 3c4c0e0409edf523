#include "adapters/store_url.hpp"

#include "adapters/ports.hpp"

#include <curl/curl.h>

#include <memory>

namespace segue {

namespace {

struct url_closer {
  void operator()(CURLU* x) const { curl_url_cleanup(x); }
};

struct text_closer {
  void operator()(char* x) const { curl_free(x); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* found = nullptr;
  if (curl_url_get(url, part, &found, flags) != CURLUE_OK)
    return {};
  return std::unique_ptr<char, text_closer>{found}.get();
}

std::string decoded(const std::string& text) {
  int length = 0;
  std::unique_ptr<char, text_closer> plain{curl_easy_unescape(nullptr, text.c_str(), static_cast<int>(text.size()), &length)};
  return plain ? std::string(plain.get(), static_cast<size_t>(length)) : text;
}

std::map<std::string, std::string> read_query(const std::string& text) {
  std::map<std::string, std::string> found;
  for (size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('&', at), text.size());
    auto pair = text.substr(at, end - at);
    auto equals = std::min(pair.find('='), pair.size());
    found[decoded(pair.substr(0, equals))] = equals < pair.size() ? decoded(pair.substr(equals + 1)) : "";
    at = end + 1;
  }
  return found;
}

} // namespace

std::string store_url::take(const std::string& name, const std::string& standard) {
  auto found = query.extract(name);
  return found.empty() ? standard : found.mapped();
}

void store_url::expect_nothing_else(const std::string& known) const {
  if (!query.empty())
    throw adapter_error{ec::invalid_argument, scheme + ": there is no parameter \"" + query.begin()->first + "\"; there are " + known};
}

store_url parse_store_url(const std::string& text) {
  std::unique_ptr<CURLU, url_closer> url{curl_url()};
  constexpr unsigned flags = CURLU_NON_SUPPORT_SCHEME;
  if (auto error = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags); error != CURLUE_OK)
    throw adapter_error{ec::invalid_argument,
        "\"" + redacted(text) + "\" is no URL (" + curl_url_strerror(error) + "); it must be like scheme://USER:PASSWORD@HOST:PORT/PATH"};
  store_url x;
  x.scheme = part_of(url.get(), CURLUPART_SCHEME);
  x.user = part_of(url.get(), CURLUPART_USER, CURLU_URLDECODE);
  x.password = part_of(url.get(), CURLUPART_PASSWORD, CURLU_URLDECODE);
  x.host = part_of(url.get(), CURLUPART_HOST);
  x.path = part_of(url.get(), CURLUPART_PATH, CURLU_URLDECODE);
  if (x.path.starts_with('/'))
    x.path.erase(0, 1);
  auto port = part_of(url.get(), CURLUPART_PORT);
  x.port = port.empty() ? 0 : static_cast<uint16_t>(std::stoul(port));
  x.query = read_query(part_of(url.get(), CURLUPART_QUERY));
  return x;
}

/// Rather too much than too little: what is secret may hold any sign, and the slashes may have been forgotten.
std::string redacted(const std::string& url) {
  auto at = url.rfind('@');
  if (at == std::string::npos)
    return url;
  auto slashes = url.find("://");
  auto colon = url.find(':');
  auto begin = slashes < at ? slashes + 3 : colon < at && url.find(':', colon + 1) < at ? colon + 1 : 0;
  return url.substr(0, begin) + "***" + url.substr(at);
}

} // namespace segue
