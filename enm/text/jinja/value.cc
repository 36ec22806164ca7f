#include "enm/text/jinja/value.h"

namespace enm::text::jinja {
namespace {

constexpr Object kUndefined, kNone = {.kind = Kind::kNone}, kFalse = {.kind = Kind::kBool},
                             kTrue = {.kind = Kind::kBool, .integer = 1};

}  // namespace

const char* type_name(Kind kind) {
  constexpr const char* kNames[] = {
      "Undefined", "NoneType", "bool", "int",       "float", "str",         "list",   "tuple",
      "dict view", "iterator", "dict", "Namespace", "Macro", "LoopContext", "method", "function"};
  return kNames[static_cast<size_t>(kind)];
}

Value::Value() : object_(&kUndefined) {}
Value Value::none() { return Value(&kNone); }
Value Value::boolean(bool value) { return Value(value ? &kTrue : &kFalse); }

double Value::as_double() const {
  return is(Kind::kFloat) ? object_->number : static_cast<double>(object_->integer);
}

bool Value::is_truth() const {
  switch (kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return object_->integer != 0;
    case Kind::kFloat:
      return object_->number != 0;
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
    case Kind::kDict:
      return object_->size > 0;
    default:
      return true;
  }
}

}  // namespace enm::text::jinja
