#include "adapters/sqlite/database.hpp"

#include "actors/utf8.hpp"
#include "adapters/ports.hpp"

namespace segue::sqlite {

namespace {

[[noreturn]] void fail(sqlite3* db, const char* doing) {
  auto extended = sqlite3_extended_errcode(db);
  auto code = ec::unavailable;
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY)
    code = ec::conflict;
  else if ((extended & 0xff) == SQLITE_FULL)
    code = ec::storage_full;
  else if ((extended & 0xff) == SQLITE_CORRUPT)
    code = ec::corrupt;
  throw adapter_error{code, std::string{doing} + ": " + sqlite3_errmsg(db)};
}

} // namespace

database::database(const std::string& file, bool creates) {
  sqlite3* opened = nullptr;
  auto result = sqlite3_open_v2(file.c_str(), &opened,
      SQLITE_OPEN_READWRITE | (creates ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, nullptr);
  handle_.reset(opened);
  if (result == SQLITE_CANTOPEN && !creates)
    throw adapter_error{ec::conflict, "there is no catalogue " + file + " yet: the first start of a server makes it, or `segue migrate`. Is that the "
        "right --data?"};
  if (result != SQLITE_OK)
    fail(opened, ("opening the catalogue " + file).c_str());
  sqlite3_busy_timeout(opened, static_cast<int>(patience.count()));
}

void database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(handle_.get(), "changing the catalogue");
}

transaction::~transaction() {
  if (db_)
    sqlite3_exec(db_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  db_->run("COMMIT");
  db_ = nullptr;
}

statement::statement(database& db, const std::string& sql) : db_(&db) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(db.get(), sql.c_str(), static_cast<int>(sql.size()), &prepared, nullptr) != SQLITE_OK)
    fail(db.get(), "preparing a query");
  handle_.reset(prepared);
}

statement& statement::bind(const std::string& text) {
  auto valid = valid_utf8(text); // as in every other catalogue
  sqlite3_bind_text(handle_.get(), parameter_++, valid.data(), static_cast<int>(valid.size()), SQLITE_TRANSIENT);
  return *this;
}

statement& statement::bind(double value) {
  sqlite3_bind_double(handle_.get(), parameter_++, value);
  return *this;
}

statement& statement::bind_integer(int64_t value) {
  sqlite3_bind_int64(handle_.get(), parameter_++, value);
  return *this;
}

bool statement::step() {
  column_ = 0;
  auto result = sqlite3_step(handle_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE)
    fail(db_->get(), "using the catalogue");
  return result == SQLITE_ROW;
}

statement& statement::operator>>(std::string& text) {
  auto bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column_));
  text.assign(bytes ? bytes : "", static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column_)));
  ++column_;
  return *this;
}

statement& statement::operator>>(double& value) {
  value = sqlite3_column_double(handle_.get(), column_++);
  return *this;
}

} // namespace segue::sqlite
