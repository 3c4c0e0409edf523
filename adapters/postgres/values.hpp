// Values on their way to PostgreSQL and back: all of them travel as text.
#pragma once

#include "adapters/catalogue_rows.hpp"
#include "adapters/postgres/pqxx.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace segue::postgres {

/// The parameters of a statement, in order. What is larger than the server's bigint goes by two's complement.
class values {
public:
  values& bind(const std::string& text);
  values& bind(double value);
  template <std::integral T>
  values& bind(T value) {
    texts_.push_back(std::to_string(static_cast<int64_t>(value)));
    return *this;
  }

  const std::vector<std::string>& texts() const { return texts_; }

private:
  std::vector<std::string> texts_;
};

/// The cells of one row, in order.
class cells {
public:
  explicit cells(const pqxx::row& row) : row_(row) {}

  cells& operator>>(std::string& text);
  cells& operator>>(double& value);
  cells& operator>>(bool& value);
  template <std::integral T>
  cells& operator>>(T& value) {
    value = static_cast<T>(next_integer());
    return *this;
  }

private:
  int64_t next_integer();

  pqxx::row row_;
  pqxx::row::size_type column_ = 0;
};

/// Of a statement that selects the number of a row, if it has one, and its columns.
template <class Row>
std::vector<Row> rows_of(const pqxx::result& found) {
  std::vector<Row> rows;
  for (const auto& row : found) {
    cells from{row};
    rows.push_back(read_row<Row>(from));
  }
  return rows;
}

/// `$first, $(first+1), …`: one for each column of a row.
template <class Row>
std::string placeholders(size_t first) {
  std::string text;
  for (size_t i = first; i < first + column_count<Row>; ++i)
    text += (text.empty() ? "$" : ", $") + std::to_string(i);
  return text;
}

} // namespace segue::postgres
