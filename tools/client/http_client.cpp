#include "tools/client/http_client.hpp"

#include <curl/curl.h>

#include <array>

namespace segue::client {

namespace {

/// No answer of the API is anywhere near.
constexpr std::size_t largest_answer = 16u << 20;

using url_handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr)
    return {};
  std::string result = text;
  curl_free(text);
  return result;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "[::1]" || host.starts_with("127."); }

bool is_untrusted(CURLcode code) { return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE; }

bool is_unreachable(CURLcode code, CURL* handle) {
  if (is_untrusted(code))
    return true;
  switch (code) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_URL_MALFORMAT:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return true;
  case CURLE_OPERATION_TIMEDOUT: {
    double connected_after = 0;
    curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME, &connected_after);
    return connected_after <= 0;
  }
  default:
    return false;
  }
}

/// The first line of what is no JSON, if it is meant for people and short; else nothing.
std::string told_plainly(CURL* handle, const std::string& body) {
  constexpr std::size_t longest = 200;
  const char* type = nullptr;
  curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  const auto line = body.substr(0, body.find_first_of("\r\n"));
  return type != nullptr && std::string_view(type).starts_with("text/plain") && line.size() <= longest ? line : std::string{};
}

} // namespace

std::optional<std::string> normalise_server(const std::string& address) {
  url_handle url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, address.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK)
    return {};
  const auto scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return {};
  curl_url_set(url.get(), CURLUPART_QUERY, nullptr, 0);
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
  auto result = part_of(url.get(), CURLUPART_URL);
  while (result.ends_with('/'))
    result.pop_back();
  return result;
}

std::string path_segment(std::string_view text) {
  char* escaped = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  std::string result = escaped != nullptr ? escaped : "";
  curl_free(escaped);
  return result;
}

/// One request under way, as libcurl's callbacks see it.
struct http_client::transfer {
  CURL* handle = nullptr;
  const byte_sink* sink = nullptr;
  const std::function<bool()>* stop = nullptr;
  std::string collected;
  bool sink_refused = false;
  std::array<char, CURL_ERROR_SIZE> error{};

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept try {
    auto& call = *static_cast<transfer*>(self);
    long status = 0;
    curl_easy_getinfo(call.handle, CURLINFO_RESPONSE_CODE, &status);
    if (call.sink != nullptr && status == 200) {
      call.sink_refused = !(*call.sink)(std::string_view(data, size));
      return call.sink_refused ? 0 : size;
    }
    if (call.collected.size() + size > largest_answer)
      return 0;
    call.collected.append(data, size);
    return size;
  } catch (...) {
    return 0;
  }

  static int on_tick(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept try {
    const auto* stop = static_cast<transfer*>(self)->stop;
    return stop != nullptr && *stop && (*stop)() ? 1 : 0;
  } catch (...) {
    return 1;
  }
};

http_client::http_client(endpoint where, std::function<bool()> stop)
    : where_(std::move(where)), stop_(std::move(stop)), handle_(nullptr, curl_easy_cleanup) {
  [[maybe_unused]] static const auto once = curl_global_init(CURL_GLOBAL_DEFAULT);
  handle_.reset(curl_easy_init());
}

std::string http_client::url(std::string_view path, const query& parameters) const {
  url_handle url(curl_url(), &curl_url_cleanup);
  curl_url_set(url.get(), CURLUPART_URL, (where_.server + std::string(path)).c_str(), 0);
  for (const auto& [name, value] : parameters) {
    curl_url_set(url.get(), CURLUPART_QUERY, (name + '=' + value).c_str(), CURLU_APPENDQUERY | CURLU_URLENCODE);
  }
  return part_of(url.get(), CURLUPART_URL);
}

void http_client::prepare(transfer& call, const std::string& url) {
  CURL* handle = handle_.get();
  call.handle = handle;
  curl_easy_reset(handle);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "segue-cli");
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(connect_limit.count()));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, call.error.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &transfer::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &call);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &transfer::on_tick);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &call);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  if (!where_.token.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, where_.token.c_str());
  }
  if (!where_.ca.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, where_.ca.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr); // or the system's would be trusted beside it
  }
  url_handle parts(curl_url(), &curl_url_cleanup);
  curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0);
  if (is_loopback(part_of(parts.get(), CURLUPART_HOST)))
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
}

reply http_client::perform(transfer& call) {
  reply result;
  const CURLcode code = curl_easy_perform(call.handle);
  curl_easy_getinfo(call.handle, CURLINFO_RESPONSE_CODE, &result.status);
  if (code != CURLE_OK) {
    result.kind = code == CURLE_ABORTED_BY_CALLBACK || call.sink_refused ? outcome::stopped
                  : is_unreachable(code, call.handle)                    ? outcome::unreachable
                                                                         : outcome::cut;
    result.untrusted = is_untrusted(code);
    result.detail = call.error[0] != '\0' ? call.error.data() : curl_easy_strerror(code);
    return result;
  }
  curl_off_t seconds = 0;
  curl_easy_getinfo(call.handle, CURLINFO_RETRY_AFTER, &seconds);
  if (seconds > 0)
    result.retry_after = std::chrono::seconds(seconds);

  const bool good = result.status >= 200 && result.status < 300;
  if (!call.collected.empty())
    result.body = nlohmann::json::parse(call.collected, nullptr, false);
  const bool readable = !result.body.is_discarded();
  if (!readable)
    result.body = nullptr;
  if (good && readable)
    return result;
  result.kind = outcome::problem;
  if (const auto detail = result.body.is_object() ? result.body.find("detail") : result.body.end();
      detail != result.body.end() && detail->is_string()) {
    result.detail = detail->get<std::string>();
  } else if (good) {
    result.detail = "the answer is not JSON; is this a Segue server?";
  } else {
    const auto said = told_plainly(call.handle, call.collected);
    result.detail = "HTTP status " + std::to_string(result.status)
                    + (said.empty() ? " without an explanation; is this a Segue server?" : ": " + said);
  }
  return result;
}

reply http_client::get(std::string_view path, const query& parameters) {
  transfer call;
  prepare(call, url(path, parameters));
  call.stop = &stop_;
  curl_easy_setopt(call.handle, CURLOPT_TIMEOUT, static_cast<long>(json_limit.count()));
  return perform(call);
}

reply http_client::post(std::string_view path, const std::string& json_text) {
  transfer call;
  prepare(call, url(path));
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(call.handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(call.handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json_text.size()));
  curl_easy_setopt(call.handle, CURLOPT_POSTFIELDS, json_text.c_str());
  curl_easy_setopt(call.handle, CURLOPT_FRESH_CONNECT, 1L); // libcurl sends again when a kept connection proves dead
  curl_easy_setopt(call.handle, CURLOPT_TIMEOUT, static_cast<long>(json_limit.count()));
  auto result = perform(call);
  curl_slist_free_all(headers);
  return result;
}

reply http_client::remove(std::string_view path, const query& parameters) {
  transfer call;
  prepare(call, url(path, parameters));
  curl_easy_setopt(call.handle, CURLOPT_CUSTOMREQUEST, "DELETE");
  curl_easy_setopt(call.handle, CURLOPT_TIMEOUT, static_cast<long>(json_limit.count()));
  return perform(call);
}

reply http_client::stream(std::string_view path, const query& parameters, const byte_sink& sink) {
  transfer call;
  prepare(call, url(path, parameters));
  call.sink = &sink;
  call.stop = &stop_;
  curl_easy_setopt(call.handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(call.handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(quiet_limit.count()));
  return perform(call);
}

} // namespace segue::client
