#include "http/response_head.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>
#include <ostream> // Beast's status needs it

#include <boost/beast/http/status.hpp>

namespace segue::http {

namespace {

constexpr size_t usual_size = 512;

} // namespace

std::string_view http_date() {
  thread_local std::time_t at = 0;
  thread_local std::array<char, 32> text{};
  if (auto now = std::time(nullptr); now != std::exchange(at, now)) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts); // nobody sets a locale
  }
  return text.data();
}

response_head::response_head(unsigned version, unsigned status) {
  text_.reserve(usual_size);
  text_ += version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  text_ += std::to_string(status);
  text_ += ' ';
  auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  text_.append(reason.data(), reason.size());
  text_ += "\r\n";
}

void response_head::add(std::string_view name, std::string_view value) {
  text_.append(name).append(": ");
  auto at = text_.size();
  text_.append(value);
  std::replace_if(text_.begin() + static_cast<ptrdiff_t>(at), text_.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  text_ += "\r\n";
}

std::string response_head::take() {
  text_ += "\r\n";
  return std::move(text_);
}

} // namespace segue::http
