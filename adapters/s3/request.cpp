#include "adapters/s3/request.hpp"

#include "adapters/ports.hpp"
#include "adapters/s3/digest.hpp"

#include <algorithm>
#include <array>
#include <curl/curl.h>

namespace segue::s3 {

namespace {

using std::chrono::milliseconds;

constexpr uint64_t unexpected = 64 * 1024;    ///< bytes of a body that nobody asked for: errors, XML
constexpr uint64_t slowest = 16;              ///< bytes a millisecond: slower is of no use to anybody
constexpr long stalled = 1'024;               ///< bytes a second: slower for as long as the patience is no progress
constexpr uint64_t largest_expected = 1 << 30; ///< as far as patience goes

struct list_closer {
  void operator()(curl_slist* x) const { curl_slist_free_all(x); }
};

ec meaning_of(CURLcode error) {
  switch (error) {
    case CURLE_OPERATION_TIMEDOUT:
      return ec::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ec::invalid_argument;
    default:
      return ec::unavailable;
  }
}

std::string url_of(const address& where, const request& what) {
  auto place = what.key.empty() ? where.root : where.root + where.prefix + what.key;
  return what.query.empty() ? place : place + "?" + what.query;
}

std::string lower_case(std::string text) {
  for (auto& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

} // namespace

std::string answer::header(const std::string& name) const {
  auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

/// A handle while it is in use.
class client::call {
public:
  call(client& owner, const request& what)
      : owner_(owner), what_(what), easy_(owner.take()), limit_(what.expected + unexpected) {
    auto& where = owner.where_;
    set(CURLOPT_URL, url_of(where, what).c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_USERAGENT, "segue");
    set(CURLOPT_AWS_SIGV4, ("aws:amz:" + where.region + ":s3").c_str());
    set(CURLOPT_USERNAME, where.access_key.c_str());
    set(CURLOPT_PASSWORD, where.secret_key.c_str());
    set_headers();
    set_body();
    set_limits(what.patience.count() ? what.patience : owner.patience_);
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, this);
  }

  call(const call&) = delete;
  call& operator=(const call&) = delete;

  ~call() { owner_.give_back(std::move(easy_)); }

  answer run() {
    auto result = curl_easy_perform(easy_.get());
    if (too_much_)
      fail(ec::unavailable, "the store sends more than it was asked for");
    if (result != CURLE_OK)
      fail(meaning_of(result), error_[0] ? error_.data() : curl_easy_strerror(result));
    if (!whole_head_)
      fail(ec::unavailable, "the answer was cut"); // which libcurl takes for its end
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    for (curl_header* x = nullptr; (x = curl_easy_nextheader(easy_.get(), CURLH_HEADER, -1, x));)
      answer_.headers[lower_case(x->name)] = x->value;
    return std::move(answer_);
  }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(easy_.get(), option, value) != CURLE_OK)
      throw std::runtime_error{"libcurl does not know option " + std::to_string(option)};
  }

  void set_headers() {
    auto lines = what_.headers;
    lines.push_back("x-amz-content-sha256: " + sha256_of(what_.body)); // the store compares it with what has come
    for (const auto& line : lines) {
      auto* longer = curl_slist_append(headers_.get(), line.c_str());
      if (!longer)
        throw std::bad_alloc{};
      static_cast<void>(headers_.release());
      headers_.reset(longer);
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
  }

  void set_body() {
    if (what_.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (what_.method == "PUT" || what_.method == "POST") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(what_.body.size()));
      set(CURLOPT_POSTFIELDS, what_.body.empty() ? "" : what_.body.data()); // in one piece: it can be sent again
      set(CURLOPT_CUSTOMREQUEST, what_.method.c_str());
    } else {
      set(CURLOPT_CUSTOMREQUEST, what_.method.c_str());
    }
  }

  void set_limits(milliseconds patience) {
    auto bytes = what_.body.size() + std::min(what_.expected, largest_expected);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(owner_.patience_.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(patience.count()) + static_cast<long>(bytes / slowest));
    set(CURLOPT_LOW_SPEED_LIMIT, stalled);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>((patience.count() + 999) / 1'000));
  }

  static size_t on_header(char* data, size_t, size_t size, void* self) noexcept {
    auto& x = *static_cast<call*>(self);
    long status = 0;
    curl_easy_getinfo(x.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    bool last = size <= 2 && (data[0] == '\r' || data[0] == '\n');
    x.whole_head_ = x.whole_head_ || (last && status >= 200); // earlier ones only announce the answer
    return size;
  }

  static size_t on_body(char* data, size_t, size_t size, void* self) noexcept try {
    auto& x = *static_cast<call*>(self);
    auto& body = x.answer_.body;
    x.too_much_ = body.size() + size > x.limit_;
    if (x.too_much_)
      return 0;
    curl_off_t length = -1;
    curl_easy_getinfo(x.easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (body.empty() && length > 0 && static_cast<uint64_t>(length) <= x.limit_)
      body.reserve(static_cast<size_t>(length));
    body.append(data, size);
    return size;
  } catch (...) {
    return 0;
  }

  [[noreturn]] void fail(ec code, const std::string& why) const {
    throw adapter_error{code, what_.doing + " in " + owner_.where_.shown + ": " + why};
  }

  client& owner_;
  const request& what_;
  std::unique_ptr<curl_slist, list_closer> headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  easy_handle easy_;
  uint64_t limit_;   ///< bytes of the answer's body
  answer answer_;
  bool whole_head_ = false;
  bool too_much_ = false;
};

client::client(address where, milliseconds patience) : where_(std::move(where)), patience_(patience) {
  [[maybe_unused]] static const auto once = curl_global_init(CURL_GLOBAL_DEFAULT); // it counts, and needs no lock
}

client::~client() = default;

void client::handle_closer::operator()(void* x) const { curl_easy_cleanup(x); }

answer client::send(const request& what) { return call{*this, what}.run(); }

client::easy_handle client::take() {
  {
    std::lock_guard lock{mutex_};
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  easy_handle handle{curl_easy_init()};
  if (!handle)
    throw std::runtime_error{"libcurl could not be set up"};
  return handle;
}

/// Its connections stay open; what was set points into a call that is over.
void client::give_back(easy_handle handle) {
  curl_easy_reset(handle.get());
  std::lock_guard lock{mutex_};
  idle_.push_back(std::move(handle));
}

} // namespace segue::s3
