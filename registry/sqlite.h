// SQLite with Status: a connection, and statements whose columns are read in order.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "enm/base/bytes.h"
#include "enm/base/status.h"

namespace enm::registry {

class Database;

/// Bind in the order of the question marks, then step until it gives no row.
class Statement {
 public:
  Statement& bind(std::string_view text);
  Statement& bind(int64_t number);
  Statement& bind_blob(Bytes bytes);

  /// Whether there is a row.
  Result<bool> step();
  /// Runs to the end.
  Status run();

  std::string text(int column) const;
  std::string blob(int column) const;
  int64_t number(int column) const;

 private:
  friend class Database;
  struct Free {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Free> statement_;
  sqlite3* database_ = nullptr;
  int bound_ = 0;
  int error_ = SQLITE_OK;
};

class Database {
 public:
  static Result<Database> open(const std::string& path);

  Result<Statement> prepare(std::string_view sql);
  /// Several statements, without rows.
  Status execute(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
};

/// Undone unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace enm::registry
