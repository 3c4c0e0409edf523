// SQLite without its ceremony: a connection, a statement, errors as exceptions.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>

namespace segue::sqlite {

/// How long to wait for others: threads of ours, or processes that use the same file.
inline constexpr std::chrono::milliseconds patience{5'000};

/// One connection. Used by one thread at a time.
class database {
public:
  /// Opens the file, and `creates` it if need be. Throws `adapter_error`.
  explicit database(const std::string& file, bool creates = true);

  /// Runs statements that return nothing.
  void run(const char* sql);

  /// Rows changed by the last statement.
  int changes() const { return sqlite3_changes(handle_.get()); }
  int64_t last_row_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* get() const { return handle_.get(); }

private:
  struct closer {
    void operator()(sqlite3* x) const { sqlite3_close_v2(x); }
  };
  std::unique_ptr<sqlite3, closer> handle_;
};

/// Reads and writes that nobody else comes between. Undone unless committed.
class transaction {
public:
  explicit transaction(database& db) : db_(&db) { db.run("BEGIN IMMEDIATE"); }
  ~transaction();
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  void commit();

private:
  database* db_; ///< null: committed
};

/// One use of a prepared statement: bind in order, step, read columns in order.
class statement {
public:
  statement(database& db, const std::string& sql);

  statement& bind(const std::string& text);
  statement& bind(double value);
  template <std::integral T>
  statement& bind(T value) {
    return bind_integer(static_cast<int64_t>(value));
  }

  /// True while there is a row. Throws `adapter_error`, with `ec::conflict` when a unique key is taken.
  bool step();

  statement& operator>>(std::string& text);
  statement& operator>>(double& value);
  template <std::integral T>
  statement& operator>>(T& value) {
    value = static_cast<T>(sqlite3_column_int64(handle_.get(), column_++));
    return *this;
  }

private:
  statement& bind_integer(int64_t value);

  struct finalizer {
    void operator()(sqlite3_stmt* x) const { sqlite3_finalize(x); }
  };
  database* db_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
  int parameter_ = 1;
  int column_ = 0;
};

} // namespace segue::sqlite
