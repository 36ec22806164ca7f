#include "enm/text/jinja/value.h"

namespace enm::text::jinja {

std::string_view type_name(Kind kind) {
  constexpr std::string_view kNames[] = {
      "Undefined", "NoneType", "bool", "int",       "float", "str",         "list",   "tuple",
      "dict view", "iterator", "dict", "Namespace", "Macro", "LoopContext", "method", "function"};
  return kNames[static_cast<size_t>(kind)];
}

bool truth(Value value) {
  switch (value.kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return value.integer != 0;
    case Kind::kFloat:
      return value.number != 0;
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
    case Kind::kDict:
      return value.size > 0;
    default:
      return true;
  }
}

}  // namespace enm::text::jinja
