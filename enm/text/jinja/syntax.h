// What the parser makes of a template: nodes of one shape.
#pragma once

#include <span>

#include "enm/text/jinja/value.h"

namespace enm::text::jinja {

struct Node {
  enum class Kind : uint8_t {
    // Expressions; `parts` are their operands.
    kLiteral,   // literal
    kName,      // name
    kCaptured,  // what the body of a block wrote
    kList,
    kTuple,
    kDict,     // key, value, key, value
    kGetattr,  // object; name
    kGetitem,  // object, index
    kSlice,    // object, begin, end, step; kLiteral none where absent
    kCall,     // callee, arguments
    kFilter,   // subject, arguments; name
    kTest,     // subject, arguments; name
    kKeyword,  // an argument: value; name
    kSpread,   // an argument: a list, or with op '*' a dictionary
    kNot,
    kNegative,
    kPositive,
    kAnd,
    kOr,
    kBinary,   // left, right; op
    kCompare,  // first, then a kOperand each
    kOperand,  // value; op
    kConcat,
    kCondition,  // value, condition, and maybe another value

    // Statements; `body` are the statements inside.
    kText,         // literal
    kPrint,        // value
    kFor,          // target, items, and maybe a condition; other: else; flag: recursive
    kIf,           // condition; other: else, or one kIf with flag for an elif
    kSet,          // target, value
    kSetBlock,     // target, what is made of kCaptured
    kMacro,        // kParameter each; name; uses
    kParameter,    // maybe a default; name
    kCallBlock,    // call, then kParameter each
    kFilterBlock,  // what is made of kCaptured
    kWith,         // target, value, target, value
    kScope,        // generation
    kBreak,
    kContinue,
    kNamespaceTarget,  // name of the namespace, literal: attribute
  };
  /// Names with a meaning of their own inside a macro that speaks of them.
  enum Uses : uint8_t { kCaller = 1, kVarargs = 2, kKwargs = 4 };

  Kind kind = Kind::kLiteral;
  char op = 0;  // + - * / % ~, | for //, ^ for **; = ! < > l (<=) g (>=) i (in) n (not in)
  uint8_t uses = 0;
  bool flag = false;
  uint32_t line = 0;
  std::string_view name;
  Value literal;
  std::span<Node*> parts;
  std::span<Node*> body;
  std::span<Node*> other;
};

}  // namespace enm::text::jinja
