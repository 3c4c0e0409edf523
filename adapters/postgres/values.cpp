#include "adapters/postgres/values.hpp"

#include "actors/utf8.hpp"

#include <array>
#include <charconv>
#include <cstdlib>

namespace segue::postgres {

values& values::bind(const std::string& text) {
  if (text.find('\0') != std::string::npos) // it would end there
    throw adapter_error{ec::invalid_argument, "PostgreSQL keeps no text with a zero byte in it"};
  texts_.push_back(valid_utf8(text)); // it would take nothing else
  return *this;
}

/// The shortest text that is read back as the same number.
values& values::bind(double value) {
  std::array<char, 32> text;
  auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  texts_.emplace_back(text.data(), end);
  return *this;
}

cells& cells::operator>>(std::string& text) {
  auto cell = row_[column_++];
  text.assign(cell.c_str(), cell.size());
  return *this;
}

cells& cells::operator>>(double& value) {
  auto cell = row_[column_++];
  value = 0;
  std::from_chars(cell.c_str(), cell.c_str() + cell.size(), value);
  return *this;
}

cells& cells::operator>>(bool& value) {
  value = *row_[column_++].c_str() == 't';
  return *this;
}

int64_t cells::next_integer() { return std::strtoll(row_[column_++].c_str(), nullptr, 10); }

} // namespace segue::postgres
