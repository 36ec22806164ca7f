// Python's values as templates see them. A value is a pointer to an object that never changes, but
// for namespaces and loops (the sandbox that templates are written for refuses to change lists and
// dictionaries); a heap (heap.h) makes them and frees them all at its end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace enm::text::jinja {

struct Pair;
struct Scope;
struct Macro;
struct Loop;
struct Builtin;
struct Object;

/// Object::detail of the kView that a range is: its begin, end and step lie in front of its items.
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

/// "str", "list", ...: as Python says it.
const char* type_name(Kind kind);

class Value {
 public:
  Value();  // undefined
  explicit Value(const Object* object) : object_(object) {}
  static Value none();
  static Value boolean(bool value);

  const Object* operator->() const { return object_; }
  inline Kind kind() const;
  bool is(Kind other) const { return kind() == other; }
  bool is_number() const { return is(Kind::kFloat) || is_integer(); }
  bool is_integer() const { return is(Kind::kInt) || is(Kind::kBool); }
  bool is_sequence() const { return kind() >= Kind::kList && kind() <= Kind::kView; }
  inline bool is_range() const;
  bool is_truth() const;
  inline std::string_view str() const;
  /// Of a sequence or an iterator.
  inline std::span<const Value> items() const;
  /// Of a dictionary.
  inline std::span<const Pair> pairs() const;
  double as_double() const;
  const char* type() const { return type_name(kind()); }

 private:
  const Object* object_;
};

struct Pair {
  Value key, value;
};

struct Object {
  Kind kind = Kind::kUndefined;
  /// kUndefined: the Kind that has no such attribute, if not kUndefined. kString: 1 if
  /// it is marked as safe. kView: keys, values, items or a range. kIterator: 1 if it was read.
  mutable uint8_t detail = 0;
  /// Bytes of a string or of an undefined name, items of a sequence or dictionary.
  uint32_t size = 0;
  union {
    int64_t integer = 0;
    double number;
    const char* text;
    const Value* items;  // of a method: its receiver and its name
    const Pair* pairs;
    Scope* scope;  // of a namespace
    const Macro* macro;
    Loop* loop;
    const Builtin* builtin;  // of a function
  };
};

Kind Value::kind() const { return object_->kind; }
bool Value::is_range() const { return is(Kind::kView) && object_->detail == kRangeView; }
std::string_view Value::str() const { return {object_->text, object_->size}; }
std::span<const Value> Value::items() const { return {object_->items, object_->size}; }
std::span<const Pair> Value::pairs() const { return {object_->pairs, object_->size}; }

}  // namespace enm::text::jinja
