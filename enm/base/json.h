// JSON as a tree of values: the reader that the exception-free core uses for foreign files.
// Parsing is rapidjson's (iterative, so depth costs no stack); see docs/decisions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "enm/base/status.h"

namespace enm {

/// Refused beyond these: kResourceExhausted for the size, kCorrupt for the depth.
struct JsonLimits {
  size_t max_bytes = size_t{256} << 20;
  int max_depth = 64;
};

class Json {
 public:
  enum class Type : unsigned char { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  /// UTF-8 text holding exactly one value. Refused: invalid UTF-8, comments, trailing bytes,
  /// duplicate keys, numbers that overflow a double.
  static Result<Json> parse(std::string_view text, const JsonLimits& limits = {});

  Json() = default;
  explicit Json(bool value) : type_(Type::kBool), value_{.integer = value} {}
  explicit Json(int64_t value) : type_(Type::kInt), value_{.integer = value} {}
  explicit Json(double value) : type_(Type::kDouble), value_{.number = value} {}
  explicit Json(std::string value);
  explicit Json(std::vector<Json> items);
  explicit Json(std::vector<Member> members);
  Json(const Json& other);
  Json(Json&& other) noexcept
      : type_(std::exchange(other.type_, Type::kNull)), value_(other.value_) {}
  Json& operator=(Json other) noexcept {
    std::swap(type_, other.type_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Json();

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull; }
  bool is_bool() const { return type_ == Type::kBool; }
  bool is_int() const { return type_ == Type::kInt; }
  bool is_number() const { return type_ == Type::kInt || type_ == Type::kDouble; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_array() const { return type_ == Type::kArray; }
  bool is_object() const { return type_ == Type::kObject; }

  // Readers that assume the type has been checked.
  bool boolean() const { return value_.integer != 0; }
  int64_t integer() const { return value_.integer; }
  double number() const { return is_int() ? static_cast<double>(value_.integer) : value_.number; }
  // Empty for values of other types.
  const std::string& string() const;
  const std::vector<Json>& items() const;
  const std::vector<Member>& members() const;

  /// The member of that key, or null if this is no object or has none. Linear in the members.
  const Json* find(std::string_view key) const;

  // Members with a type: kCorrupt naming the key, what was got and what was expected.
  Result<const Json*> get(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<int64_t> get_int(std::string_view key) const;
  Result<double> get_double(std::string_view key) const;
  Result<std::string> get_string(std::string_view key) const;

  // The same with a default for a key that is absent or null; a wrong type is still an error.
  Result<bool> get_bool(std::string_view key, bool fallback) const;
  Result<int64_t> get_int(std::string_view key, int64_t fallback) const;
  Result<double> get_double(std::string_view key, double fallback) const;
  Result<std::string> get_string(std::string_view key, std::string_view fallback) const;

 private:
  friend class JsonBuilder;
  bool absent(std::string_view key) const;

  // What the type says; the pointers are owned. 16 bytes, because a hostile file may hold a value
  // in every two of its own.
  union Value {
    int64_t integer;
    double number;
    std::string* string;
    std::vector<Json>* items;
    std::vector<Member>* members;
  };
  Type type_ = Type::kNull;
  Value value_{.integer = 0};
};

/// "null", "bool", "integer", "number", "string", "array", "object"
std::string_view json_type_name(Json::Type type);

/// As text without white space.
std::string write_json(const Json& value);

/// `text` as a JSON string literal, quotes included.
std::string json_quote(std::string_view text);

}  // namespace enm
