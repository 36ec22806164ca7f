// Python's values as templates see them: small, copied freely, never changed but for namespaces
// (the sandbox that templates are written for refuses to change lists and dictionaries).
#pragma once

#include <cstdint>
#include <string_view>

namespace enm::text::jinja {

struct Pair;
struct Scope;
struct Macro;
struct Loop;
struct Iterator;

/// Value::detail of the kView that a range is: its begin, end and step lie in front of its items.
constexpr uint8_t kRangeView = 3;

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kView,      // dict.keys() and its like, and range()
  kIterator,  // what map, select and their like give: read once
  kDict,
  kNamespace,
  kMacro,
  kLoop,
  kMethod,  // of a receiver, not called yet
  kFunction,
};

struct Value {
  Kind kind = Kind::kUndefined;
  /// kUndefined: the Kind that has no such attribute, if not kUndefined. kString: 1 if
  /// it is marked as safe. kView: keys, values, items or a range.
  uint8_t detail = 0;
  /// Bytes of a string or of an undefined name, items of a sequence or dictionary.
  uint32_t size = 0;
  union {
    int64_t integer = 0;
    double number;
    const char* text;
    const Value* items;
    const Pair* pairs;
    Iterator* iterator;
    Scope* scope;  // of a namespace
    const Macro* macro;
    Loop* loop;
    const Value* receiver;
  };

  static Value none() { return of(Kind::kNone, 0); }
  static Value boolean(bool value) { return of(Kind::kBool, value); }
  static Value of_int(int64_t value) { return of(Kind::kInt, value); }
  static Value of_float(double value) {
    Value out = of(Kind::kFloat, 0);
    out.number = value;
    return out;
  }
  /// Of text that outlives it.
  static Value string(std::string_view text, Kind kind = Kind::kString) {
    Value out = of(kind, 0);
    out.size = static_cast<uint32_t>(text.size());
    out.text = text.data();
    return out;
  }

  bool is(Kind other) const { return kind == other; }
  bool is_number() const { return kind == Kind::kInt || kind == Kind::kFloat || is(Kind::kBool); }
  bool is_integer() const { return kind == Kind::kInt || kind == Kind::kBool; }
  bool is_sequence() const { return kind >= Kind::kList && kind <= Kind::kView; }
  std::string_view str() const { return {text, size}; }
  double as_double() const { return is(Kind::kFloat) ? number : static_cast<double>(integer); }

 private:
  static Value of(Kind kind, int64_t integer) {
    Value out;
    out.kind = kind;
    out.integer = integer;
    return out;
  }
};

struct Pair {
  Value key, value;
};

struct Iterator {
  const Value* items;
  bool read;
};

/// "str", "list", ...: as Python says it.
std::string_view type_name(Kind kind);

bool truth(Value value);

}  // namespace enm::text::jinja
