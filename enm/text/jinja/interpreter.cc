#include "enm/text/jinja/interpreter.h"

#include <charconv>

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

Value Arguments::get(size_t at, std::string_view name, const Value& fallback) const {
  if (at < values.size()) return values[at];
  for (const Pair& pair : named) {
    if (pair.key.str() == name) return pair.value;
  }
  return fallback;
}

std::string Interpreter::render(std::span<Node* const> body) {
  Text out(*this);
  out_ = &out;
  scope_ = enter_scope(&top_);
  run(body);
  return out.release();
}

Scope* Interpreter::enter_scope(Scope* outer) {
  take(sizeof(Scope));
  auto* scope = make<Scope>();
  scope->outer = outer;
  return scope;
}

void Interpreter::assign(Scope& scope, std::string_view name, const Value& value) {
  if (Variable* found = scope.find(name)) return void(found->value = value);
  if (!take(sizeof(Variable))) return;
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
  const Builtin* builtin = find_function(name);
  if (builtin == nullptr || (name == "strftime_now" && !now_)) {
    return Value::string(name, Kind::kUndefined);
  }
  return Value::string(name, Kind::kFunction);
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
    case Is::kGetattr:
      return get_attribute(part(0), node.name);
    case Is::kGetitem: {
      const Value object = part(0);
      return get_item(object, part(1));
    }
    case Is::kSlice: {
      const Value object = part(0), begin = part(1), end = part(2);
      return slice(object, begin, end, part(3));
    }
    case Is::kCall: {
      const Value callee = part(0);
      return call(callee, arguments(node));
    }
    case Is::kFilter: {
      const Value subject = part(0);
      return call_filter(node.name, subject, arguments(node));
    }
    case Is::kTest: {
      const Value subject = part(0);
      return Value::boolean(call_test(node.name, subject, arguments(node)));
    }
    case Is::kNot:
      return Value::boolean(!truth(part(0)));
    case Is::kAnd: {
      const Value left = part(0);
      return truth(left) ? part(1) : left;
    }
    case Is::kOr: {
      const Value left = part(0);
      return truth(left) ? left : part(1);
    }
    case Is::kNegative:
    case Is::kPositive:
    case Is::kBinary:
    case Is::kCompare:
    case Is::kConcat:
      return calculate(node);
    case Is::kCondition:
      if (truth(part(1))) return part(0);
      if (node.parts.size() == 3) return part(2);
      return Value::string("the inline if", Kind::kUndefined);
    default:
      return {};
  }
}

Value Interpreter::calculate(const Node& node) {
  const auto part = [&](size_t at) { return evaluate(*node.parts[at]); };
  switch (node.kind) {
    case Is::kNegative: {
      const Value value = part(0);
      if (value.is(Kind::kFloat)) return Value::of_float(-value.number);  // 0 - x loses -0.0
      return binary('-', Value::of_int(0), value);
    }
    case Is::kPositive:
      return binary('+', Value::of_int(0), part(0));
    case Is::kBinary: {
      const Value left = part(0);
      return binary(node.op, left, part(1));
    }
    case Is::kCompare:
      return compare_chain(node);
    case Is::kConcat: {
      Text out(*this);
      for (size_t i = 0; i < node.parts.size(); ++i) print(out, *this, part(i));
      return out.done();
    }
    default:
      return {};
  }
}

Value Interpreter::items(const Node& node) {
  Items out(*this);
  for (const Node* part : node.parts) out.add(evaluate(*part));
  return out.done(node.kind == Is::kTuple ? Kind::kTuple : Kind::kList);
}

Value Interpreter::dictionary(const Node& node) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i + 1 < node.parts.size(); i += 2) {
    const Value key = evaluate(*node.parts[i]);
    insert(*this, pairs, key, evaluate(*node.parts[i + 1]));
  }
  return dict(pairs);
}

Value Interpreter::compare_chain(const Node& node) {
  Value left = evaluate(*node.parts[0]);
  for (const Node* operand : node.parts.subspan(1)) {
    const Value right = evaluate(*operand->parts[0]);
    bool holds = false;
    switch (operand->op) {
      case '=':
        holds = equal(*this, left, right);
        break;
      case '!':
        holds = !equal(*this, left, right);
        break;
      case 'i':
        holds = contains(*this, right, left);
        break;
      case 'n':
        holds = !contains(*this, right, left);
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

Arguments Interpreter::arguments(const Node& node) {
  Arguments out;
  for (const Node* argument : node.parts.subspan(1)) {
    if (argument->kind == Is::kParameter) break;  // of a call block
    if (argument->kind == Is::kKeyword) {
      const Value key = Value::string(argument->name);
      out.named.push_back({key, evaluate(*argument->parts[0])});
    } else if (argument->kind != Is::kSpread) {
      out.values.push_back(evaluate(*argument));
    } else if (argument->op == '\0') {
      const auto more = items_of(*this, evaluate(*argument->parts[0]));
      if (take(more.size_bytes())) out.values.insert(out.values.end(), more.begin(), more.end());
    } else {
      const Value more = evaluate(*argument->parts[0]);
      if (!more.is(Kind::kDict)) fail("** wants a mapping, not ", type_name(more.kind));
      for (uint32_t i = 0; !failed() && i < more.size; ++i) {
        if (!more.pairs[i].key.is(Kind::kString)) fail("keywords must be strings");
        if (take(sizeof(Pair))) out.named.push_back(more.pairs[i]);
      }
    }
  }
  return out;
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  if (failed()) return {};
  switch (callee.kind) {
    case Kind::kMacro:
      return call_macro(*callee.macro, arguments);
    case Kind::kLoop:
      return call_loop(*callee.loop, arguments);
    case Kind::kFunction:
      return find_function(callee.str())->call(*this, {}, arguments);
    case Kind::kMethod: {
      const Value receiver = callee.receiver[0];
      const std::string_view name = callee.receiver[1].str();
      if (receiver.is(Kind::kLoop)) {
        const Value told = list(arguments.values, Kind::kTuple);
        if (name == "changed") {
          const bool same = equal(*this, std::exchange(receiver.loop->changed, told), told);
          return Value::boolean(!same);
        }
        if (told.size == 0) return fail("loop.cycle() wants items");
        return told.items[receiver.loop->at % told.size];
      }
      bool refused = false;
      return find_method(receiver.kind, name, refused)->call(*this, receiver, arguments);
    }
    case Kind::kUndefined:
      return fail_undefined(*this, callee);
    default:
      return fail("'", type_name(callee.kind), "' object is not callable");
  }
}

Value Interpreter::get_attribute(const Value& object, std::string_view name) {
  if (object.is(Kind::kUndefined)) return fail_undefined(*this, object);
  Value missing = Value::string(name, Kind::kUndefined);
  missing.detail = static_cast<uint8_t>(object.kind);
  if (object.is(Kind::kNamespace)) {
    const Variable* found = object.scope->find(name);
    return found != nullptr ? found->value : missing;
  }
  if (object.is(Kind::kLoop)) return loop_attribute(*object.loop, name);
  bool refused = false;
  if (find_method(object.kind, name, refused) != nullptr) {
    const Value bound[] = {object, Value::string(name)};
    Value method = list(bound, Kind::kMethod);
    method.receiver = method.items;
    return method;
  }
  // One that would change its object reads as undefined: the sandbox says no when it is used.
  if (object.is(Kind::kDict) && !refused) {
    if (const Value* found = find(*this, object, Value::string(name))) return *found;
  }
  return missing;
}

Value Interpreter::get_item(const Value& object, const Value& index) {
  if (object.is(Kind::kUndefined)) return fail_undefined(*this, object);
  if (object.is(Kind::kDict)) {
    if (const Value* found = find(*this, object, index)) return *found;
  }
  if (index.is_integer()) {
    int64_t at = index.integer;
    const bool is_range = object.is(Kind::kView) && object.detail == kRangeView;
    if (object.is(Kind::kList) || object.is(Kind::kTuple) || is_range) {
      if (at < 0) at += object.size;
      if (at >= 0 && at < object.size) return object.items[at];
    }
    if (object.is(Kind::kString)) {
      const int64_t size = length(object.str());
      spend(object.size / 16);
      if (at < 0) at += size;
      const bool inside = at >= 0 && at < size;
      if (inside) return slice(object, Value::of_int(at), Value::of_int(at + 1), Value::none());
    }
  }
  if (index.is(Kind::kString)) return get_attribute(object, index.str());
  Value missing = Value::string(to_text(*this, index), Kind::kUndefined);
  missing.detail = static_cast<uint8_t>(object.kind);
  return missing;
}

Value Interpreter::get_path(const Value& from, const Value& path, const Value& fallback) {
  if (!path.is(Kind::kString)) return get_item(from, path);
  Value object = from;
  const bool has_fallback = !fallback.is(Kind::kUndefined) && !fallback.is(Kind::kNone);
  for (const std::string_view part : split(path.str(), '.')) {
    int64_t index = 0;
    const char* end = part.data() + part.size();
    const bool is_index =
        !part.empty() && part[0] != '-' && std::from_chars(part.data(), end, index).ptr == end;
    object = get_item(object, is_index ? Value::of_int(index) : Value::string(part));
    if (object.is(Kind::kUndefined) && has_fallback) object = fallback;
  }
  return object;
}

}  // namespace enm::text::jinja
