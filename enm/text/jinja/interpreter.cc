#include "enm/text/jinja/interpreter.h"

#include <utility>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"

namespace enm::text::jinja {

using Is = Node::Kind;

Variable* Scope::find(std::string_view name) const {
  for (Variable* one = first; one != nullptr; one = one->next) {
    if (one->name == name) return one;
  }
  return nullptr;
}

Value Arguments::get(size_t at, const char* name, Value fallback) const {
  if (at < values.size()) return values[at];
  for (const Pair& pair : named) {
    if (pair.key.str() == name) return pair.value;
  }
  return fallback;
}
Value Arguments::get(size_t at, const char* name) const { return get(at, name, Value::none()); }

const Builtin* find_builtin(std::span<const Builtin> table, std::string_view name) {
  for (const Builtin& one : table) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::string_view Interpreter::render(std::span<Node* const> body) {
  Text out(*this);
  out_ = &out;
  scope_ = enter_scope(&top_);
  run(body);
  return out.view();
}

Scope* Interpreter::enter_scope(Scope* outer) {
  auto* scope = make<Scope>();
  scope->outer = outer;
  return scope;
}

void Interpreter::assign(Scope& scope, std::string_view name, Value value) {
  if (Variable* found = scope.find(name)) return void(found->value = value);
  auto* variable = make<Variable>();
  variable->name = name;
  variable->value = value;
  (scope.first == nullptr ? scope.first : scope.last->next) = variable;
  scope.last = variable;
}

Value Interpreter::lookup(std::string_view name) {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    if (const Variable* found = scope->find(name)) return found->value;
  }
  const Builtin* builtin = find_builtin(kFunctions, name);
  if (builtin == nullptr || (name == "strftime_now" && !now_)) return undefined(name);
  return object(Kind::kFunction, builtin);
}

Value Interpreter::evaluate(const Node& node) {
  if (!spend(1) || !enter()) return {};
  line = node.line;
  const Value out = evaluate_in(node);
  leave();
  return failed() ? Value() : out;
}

Value Interpreter::evaluate_in(const Node& node) {
  const auto part = [&](size_t at) { return evaluate(*node.parts[at]); };
  switch (node.kind) {
    case Is::kLiteral:
      return node.literal;
    case Is::kName:
      return lookup(node.name);
    case Is::kCaptured:
      return captured_;
    case Is::kList:
    case Is::kTuple:
      return items(node);
    case Is::kDict:
      return dictionary(node);
    case Is::kCompare:
      return compare_chain(node);
    case Is::kConcat: {
      Text out(*this);
      for (size_t i = 0; i < node.parts.size(); ++i) print(out, part(i));
      return out.done();
    }
    case Is::kCondition:
      if (part(1).is_truth()) return part(0);
      return node.parts.size() == 3 ? part(2) : undefined("the inline if");
    default:
      break;
  }
  const Value first = part(0);
  switch (node.kind) {
    case Is::kGetattr:
      return get_attribute(first, node.name);
    case Is::kGetitem:
      return get_item(first, part(1));
    case Is::kSlice: {
      const Value begin = part(1), end = part(2);
      return slice(first, begin, end, part(3));
    }
    case Is::kCall:
      return call(first, arguments(node));
    case Is::kFilter:
      return call_filter(node.name, first, arguments(node));
    case Is::kTest:
      return Value::boolean(call_test(node.name, first, arguments(node)));
    case Is::kNot:
      return Value::boolean(!first.is_truth());
    case Is::kAnd:
      return first.is_truth() ? part(1) : first;
    case Is::kOr:
      return first.is_truth() ? first : part(1);
    case Is::kNegative:
      if (first.is(Kind::kFloat)) return number(-first->number);  // 0 - x loses -0.0
      return binary('-', integer(0), first);
    case Is::kPositive:
      return binary('+', integer(0), first);
    default:  // kBinary
      return binary(node.op, first, part(1));
  }
}

Value Interpreter::items(const Node& node) {
  Items out(*this);
  for (const Node* part : node.parts) out.add(evaluate(*part));
  return out.done(node.kind == Is::kTuple ? Kind::kTuple : Kind::kList);
}

Value Interpreter::dictionary(const Node& node) {
  List<Pair> pairs(*this);
  for (size_t i = 0; i + 1 < node.parts.size(); i += 2) {
    const Value key = evaluate(*node.parts[i]);
    insert(*this, pairs, key, evaluate(*node.parts[i + 1]));
  }
  return object(Kind::kDict, pairs.begin(), pairs.size());
}

Value Interpreter::compare_chain(const Node& node) {
  Value left = evaluate(*node.parts[0]);
  for (const Node* operand : node.parts.subspan(1)) {
    const Value right = evaluate(*operand->parts[0]);
    bool holds = false;
    switch (operand->op) {
      case '=':
      case '!':
        holds = equal(*this, left, right) == (operand->op == '=');
        break;
      case 'i':
      case 'n':
        holds = contains(*this, right, left) == (operand->op == 'i');
        break;
      default: {
        const int order = compare(*this, left, right);
        const bool same = order == 0 && (operand->op == 'l' || operand->op == 'g');
        holds = same || (operand->op == '<' || operand->op == 'l' ? order < 0 : order > 0);
      }
    }
    if (!holds || failed()) return Value::boolean(false);
    left = right;
  }
  return Value::boolean(true);
}

Arguments Interpreter::arguments(const Node& node, const Pair& one_more) {
  List<Value> values(*this);
  List<Pair> named(*this);
  for (const Node* argument : node.parts.subspan(1)) {
    if (argument->kind == Is::kParameter) break;  // of a call block
    if (argument->kind != Is::kKeyword && argument->kind != Is::kSpread) {
      values.add(evaluate(*argument));
      continue;
    }
    const Value value = evaluate(*argument->parts[0]);
    if (argument->kind == Is::kKeyword) {
      named.add({string(argument->name), value});
    } else if (argument->op == '\0') {
      for (const Value& one : items_of(*this, value)) values.add(one);
    } else if (!value.is(Kind::kDict)) {
      fail("** wants a mapping, not ", value.type());
    } else {
      for (const Pair& pair : value.pairs()) {
        if (!pair.key.is(Kind::kString)) fail("keywords must be strings");
        named.add(pair);
      }
    }
  }
  if (one_more.key.is(Kind::kString)) named.add(one_more);
  return {values.span(), named.span()};
}

Value Interpreter::call(Value callee, const Arguments& arguments) {
  if (failed() || fail_undefined(*this, callee)) return {};
  switch (callee.kind()) {
    case Kind::kMacro:
      return call_macro(*callee->macro, arguments);
    case Kind::kLoop:
      return call_loop(*callee->loop, arguments);
    case Kind::kFunction:
      return (*callee->builtin)(*this, {}, arguments);
    case Kind::kMethod: {
      const Value receiver = callee->items[0];
      const std::string_view name = callee->items[1].str();
      if (receiver.is(Kind::kLoop)) {
        Loop& loop = *receiver->loop;
        if (name == "changed") {
          const Value told = list(arguments.values, Kind::kTuple);
          return Value::boolean(!equal(*this, std::exchange(loop.changed, told), told));
        }
        if (arguments.values.empty()) return fail("loop.cycle() wants items");
        return arguments.values[static_cast<size_t>(loop.at) % arguments.values.size()];
      }
      bool refused = false;
      return (*find_method(receiver.kind(), name, refused))(*this, receiver, arguments);
    }
    default:
      return fail("'", callee.type(), "' object is not callable");
  }
}

Value Interpreter::get_attribute(Value from, std::string_view name) {
  if (fail_undefined(*this, from)) return {};
  if (from.is(Kind::kLoop)) return loop_attribute(from, name);
  bool refused = false;
  if (from.is(Kind::kNamespace)) {
    if (const Variable* found = from->scope->find(name)) return found->value;
  } else if (find_method(from.kind(), name, refused) != nullptr) {
    return tuple(from, string(name), Kind::kMethod);
  } else if (from.is(Kind::kDict) && !refused) {
    // One that would change its object reads as undefined: the sandbox says no when it is used.
    if (const Value* found = find(*this, from, string(name))) return *found;
  }
  return undefined(name, from.kind());
}

Value Interpreter::get_item(Value from, Value index) {
  if (fail_undefined(*this, from)) return {};
  if (from.is(Kind::kDict)) {
    if (const Value* found = find(*this, from, index)) return *found;
  }
  const bool is_text = from.is(Kind::kString);
  if (index.is_integer() &&
      (is_text || from.is(Kind::kList) || from.is(Kind::kTuple) || from.is_range())) {
    if (is_text) spend(from->size / 16);
    const int64_t size = is_text ? length(from.str()) : from->size;
    const int64_t at = index->integer + (index->integer < 0 ? size : 0);
    if (at >= 0 && at < size) {
      return is_text ? slice(from, integer(at), integer(at + 1)) : from->items[at];
    }
  }
  if (index.is(Kind::kString)) return get_attribute(from, index.str());
  return undefined(to_text(*this, index), from.kind());
}

Value Interpreter::get_path(Value from, Value path, Value fallback) {
  if (!path.is(Kind::kString)) return get_item(from, path);
  const bool has_fallback = !fallback.is(Kind::kUndefined) && !fallback.is(Kind::kNone);
  std::string_view rest = path.str();
  for (bool more = true; more;) {
    const std::string_view part = next_part(rest, '.', more);
    int64_t index = 0;
    const bool is_index = !part.starts_with('-') && read_integer(part, index);
    from = get_item(from, is_index ? integer(index) : string(part));
    if (from.is(Kind::kUndefined) && has_fallback) from = fallback;
  }
  return from;
}

}  // namespace enm::text::jinja
