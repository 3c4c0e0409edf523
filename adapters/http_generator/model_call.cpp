#include "adapters/http_generator/model_call.hpp"

#include "adapters/ports.hpp"

#include <array>
#include <curl/curl.h>

namespace segue::http_generator {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t largest_backlog = 64 * 1024; ///< bytes of a body in memory; beyond it the socket is not read
constexpr milliseconds connect_limit{10'000};
constexpr milliseconds probe_limit{3'000};

template <auto Function>
struct closer {
  template <class T>
  void operator()(T* x) const {
    Function(x);
  }
};

using easy_handle = std::unique_ptr<CURL, closer<curl_easy_cleanup>>;
using url_handle = std::unique_ptr<CURLU, closer<curl_url_cleanup>>;
using header_list = std::unique_ptr<curl_slist, closer<curl_slist_free_all>>;

easy_handle make_easy(const std::string& url, milliseconds limit) {
  [[maybe_unused]] static const auto once = curl_global_init(CURL_GLOBAL_DEFAULT);
  easy_handle x{curl_easy_init()};
  if (!x)
    throw std::runtime_error{"libcurl could not be set up"};
  curl_easy_setopt(x.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(x.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(x.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(x.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(x.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count()));
  return x;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || !text)
    return {};
  std::string result = text;
  curl_free(text);
  return result;
}

} // namespace

void check(const std::string& url) {
  url_handle parsed{curl_url()};
  bool good = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK
      && part_of(parsed.get(), CURLUPART_SCHEME) == "http" && !part_of(parsed.get(), CURLUPART_HOST).empty();
  if (!good)
    throw adapter_error{ec::invalid_argument,
        "\"" + url + "\" is not possible; it must be like http://127.0.0.1:9000/generate"};
}

std::string probe(const model_address& model) {
  auto easy = make_easy(model.url, probe_limit);
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  if (auto code = curl_easy_perform(easy.get()); code != CURLE_OK)
    throw adapter_error{ec::unavailable,
        std::string{"the model cannot be reached: "} + (error[0] ? error.data() : curl_easy_strerror(code))};
  return "an outside model, which accepts connections";
}

// -- a call ------------------------------------------------------------------------------------------------------------

struct model_call::transfer {
  std::string json;
  milliseconds silence;
  milliseconds quiet{0}; ///< waited without a byte
  std::string backlog;   ///< of the body
  uint64_t received = 0; ///< bytes of headers and body
  bool answered = false;
  bool chunked = false;
  bool paused = false;
  bool finished = false;
  CURLcode result = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error{};
  header_list headers;
  easy_handle easy;
  std::unique_ptr<CURLM, closer<curl_multi_cleanup>> multi;

  ~transfer() {
    if (multi && easy)
      curl_multi_remove_handle(multi.get(), easy.get());
  }

  static size_t on_header(char* data, size_t, size_t size, void* self) noexcept {
    auto& x = *static_cast<transfer*>(self);
    x.received += size;
    long status = 0;
    curl_easy_getinfo(x.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    bool last = size <= 2 && (data[0] == '\r' || data[0] == '\n');
    x.answered = x.answered || (last && status >= 200); // earlier ones only announce the answer
    return size;
  }

  static size_t on_body(char* data, size_t, size_t size, void* self) noexcept try {
    auto& x = *static_cast<transfer*>(self);
    x.paused = x.backlog.size() >= largest_backlog;
    if (x.paused)
      return CURL_WRITEFUNC_PAUSE;
    x.received += size;
    x.backlog.append(data, size);
    return size;
  } catch (...) {
    return 0;
  }

  void begin(const std::string& url) {
    easy = make_easy(url, connect_limit);
    multi.reset(curl_multi_init());
    headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    for (auto* line : {"Accept: audio/wav, audio/L16, audio/pcm, audio/mpeg", "Expect:"})
      curl_slist_append(headers.get(), line);
    auto* x = easy.get();
    curl_easy_setopt(x, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(x, CURLOPT_USERAGENT, "segue");
    curl_easy_setopt(x, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(x, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    curl_easy_setopt(x, CURLOPT_POSTFIELDS, json.c_str());
    curl_easy_setopt(x, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(x, CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(x, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(x, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(x, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(x, CURLOPT_WRITEDATA, this);
    if (!multi || curl_multi_add_handle(multi.get(), x) != CURLM_OK)
      throw std::runtime_error{"libcurl could not be set up"};
  }

  /// Does what can be done at once.
  void advance() {
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int left = 0;
    while (auto* message = curl_multi_info_read(multi.get(), &left))
      if (message->msg == CURLMSG_DONE) {
        finished = true;
        result = message->data.result;
      }
  }

  void resume() {
    if (paused && backlog.size() < largest_backlog) {
      paused = false;
      curl_easy_pause(easy.get(), CURLPAUSE_CONT); // which may hand over bytes at once
    }
  }

  [[noreturn]] void fail() const {
    // libcurl takes headers that end in the middle for an answer.
    auto why = result == CURLE_OK ? "" : std::string{" ("} + (error[0] ? error.data() : curl_easy_strerror(result)) + ")";
    throw adapter_error{ec::unavailable, (answered ? "the model's answer was cut" : "the model did not answer") + why};
  }
};

model_call::model_call(const model_address& model, std::string json) : transfer_(std::make_unique<transfer>()) {
  transfer_->json = std::move(json);
  transfer_->silence = model.silence;
  transfer_->begin(model.url);
}

model_call::~model_call() = default;

void model_call::wait(milliseconds patience) {
  auto& x = *transfer_;
  auto begun = clock::now();
  auto before = x.received;
  x.resume();
  milliseconds waited{0};
  for (x.advance(); !x.finished && x.received == before && waited < patience; x.advance()) {
    curl_multi_poll(x.multi.get(), nullptr, 0, static_cast<int>((patience - waited).count()), nullptr);
    waited = std::chrono::duration_cast<milliseconds>(clock::now() - begun);
  }
  x.quiet = x.received == before ? x.quiet + waited : milliseconds{0};
  if (x.finished && x.backlog.empty() && (x.result != CURLE_OK || !x.answered))
    x.fail();
  if (!x.finished && x.quiet >= x.silence)
    throw adapter_error{ec::timeout, "the model has sent nothing for " + std::to_string(x.silence.count()) + " ms"};
}

bool model_call::answered() const { return transfer_->answered; }

long model_call::status() const {
  long status = 0;
  curl_easy_getinfo(transfer_->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::optional<std::string> model_call::header(const char* name) const {
  curl_header* found = nullptr;
  if (curl_easy_header(transfer_->easy.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
    return std::nullopt;
  return found->value;
}

bool model_call::open_ended() const {
  curl_off_t length = -1;
  curl_easy_getinfo(transfer_->easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length < 0 && !header("Transfer-Encoding");
}

std::string model_call::take(size_t most) {
  auto taken = transfer_->backlog.substr(0, most);
  transfer_->backlog.erase(0, taken.size());
  return taken;
}

bool model_call::over() const {
  return transfer_->finished && transfer_->result == CURLE_OK && transfer_->backlog.empty();
}

} // namespace segue::http_generator
