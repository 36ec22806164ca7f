#include "registry/sqlite.h"

namespace enm::registry {
namespace {

Status failure(sqlite3* database, int error) {
  const char* words = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(error);
  const Code code = (error & 0xff) == SQLITE_FULL ? Code::kResourceExhausted : Code::kIo;
  return Status(code, cat("the registry's database: ", words));
}

}  // namespace

Statement& Statement::bind(std::string_view text) {
  const int error = sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(),
                                        SQLITE_TRANSIENT, SQLITE_UTF8);
  if (error != SQLITE_OK) error_ = error;
  return *this;
}

Statement& Statement::bind(int64_t number) {
  const int error = sqlite3_bind_int64(statement_.get(), ++bound_, number);
  if (error != SQLITE_OK) error_ = error;
  return *this;
}

Statement& Statement::bind_blob(Bytes bytes) {
  const int error =
      sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  if (error != SQLITE_OK) error_ = error;
  return *this;
}

Result<bool> Statement::step() {
  if (error_ != SQLITE_OK) return failure(database_, error_);
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return failure(database_, result);
}

Status Statement::run() {
  while (true) {
    ENM_ASSIGN_OR_RETURN(const bool row, step());
    if (!row) return {};
  }
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return data == nullptr ? std::string()
                         : std::string(data, sqlite3_column_bytes(statement_.get(), column));
}

std::string Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return data == nullptr ? std::string()
                         : std::string(data, sqlite3_column_bytes(statement_.get(), column));
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Result<Database> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int error =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database database;
  database.database_.reset(raw);
  if (error != SQLITE_OK) return failure(raw, error).in(path);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int error =
      sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (error != SQLITE_OK) return failure(database_.get(), error);
  Statement statement;
  statement.statement_.reset(raw);
  statement.database_ = database_.get();
  return statement;
}

Status Database::execute(const char* sql) {
  const int error = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  return error == SQLITE_OK ? Status() : failure(database_.get(), error);
}

Result<Transaction> Transaction::begin(Database& database) {
  ENM_RETURN_IF_ERROR(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Status Transaction::commit() {
  ENM_RETURN_IF_ERROR(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace enm::registry
