// What statements do: blocks, loops, macros.
#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"

namespace enm::text::jinja {

using Is = Node::Kind;

Interpreter::Flow Interpreter::run(std::span<Node* const> body) {
  for (const Node* node : body) {
    if (!spend(1) || !enter()) break;
    line = node->line;
    const Flow flow = run(*node);
    leave();
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run(const Node& node) {
  switch (node.kind) {
    case Is::kText:
      out_->add(node.literal.str());
      break;
    case Is::kPrint:
      print(*out_, *this, evaluate(*node.parts[0]));
      break;
    case Is::kIf:
      return run_if(&node);
    case Is::kFor:
      run_for(node, evaluate(*node.parts[1]), scope_, 0);
      break;
    case Is::kSet:
      assign_to(*node.parts[0], evaluate(*node.parts[1]));
      break;
    case Is::kSetBlock:
      captured_ = capture(node.body, *enter_scope(scope_));
      assign_to(*node.parts[0], evaluate(*node.parts[1]));
      break;
    case Is::kFilterBlock:
      captured_ = capture(node.body, *enter_scope(scope_));
      print(*out_, *this, evaluate(*node.parts[0]));
      break;
    case Is::kScope:
      print(*out_, *this, capture(node.body, *enter_scope(scope_)));
      break;
    case Is::kMacro: {
      auto* macro = make<Macro>();
      *macro = {&node, node.parts, scope_};
      Value value = Value::string({}, Kind::kMacro);
      value.macro = macro;
      assign(*scope_, node.name, value);
      break;
    }
    case Is::kCallBlock:
      run_call_block(node);
      break;
    case Is::kWith:
      run_with(node);
      break;
    case Is::kBreak:
      return Flow::kBreak;
    case Is::kContinue:
      return Flow::kContinue;
    default:
      break;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_if(const Node* node) {
  for (;;) {
    if (truth(evaluate(*node->parts[0]))) return run(node->body);
    const bool is_elif =
        node->other.size() == 1 && node->other[0]->flag && node->other[0]->kind == Is::kIf;
    if (!is_elif || failed()) return run(node->other);
    node = node->other[0];
  }
}

Value Interpreter::capture(std::span<Node* const> body, Scope& scope) {
  Text text(*this);
  Text* const out = std::exchange(out_, &text);
  Scope* const before = std::exchange(scope_, &scope);
  run(body);
  out_ = out;
  scope_ = before;
  return text.done();
}

std::span<const Value> Interpreter::filtered(const Node& node, std::span<const Value> items,
                                             Scope* scope) {
  if (node.parts.size() < 3) return items;
  Items kept(*this);
  Scope* const before = scope_;
  for (const Value& item : items) {
    if (failed()) break;
    scope_ = enter_scope(scope);
    assign_to(*node.parts[0], item);
    if (truth(evaluate(*node.parts[2]))) kept.add(item);
  }
  scope_ = before;
  const Value list = kept.done();
  return {list.items, list.size};
}

void Interpreter::run_for(const Node& node, const Value& items, Scope* scope, int64_t depth) {
  auto* loop = make<Loop>();
  loop->node = &node;
  loop->scope = scope;
  loop->depth = depth;
  loop->items = filtered(node, items_of(*this, items), scope);
  take(sizeof(Loop));
  Value value = Value::string({}, Kind::kLoop);
  value.loop = loop;
  Scope* const before = scope_;
  for (const Value& item : loop->items) {
    if (!spend(1)) break;
    scope_ = enter_scope(scope);
    assign(*scope_, "loop", value);
    assign_to(*node.parts[0], item);
    if (run(node.body) == Flow::kBreak) break;
    ++loop->at;
  }
  scope_ = before;
  if (!loop->items.empty() || node.other.empty()) return;
  scope_ = enter_scope(scope);
  run(node.other);
  scope_ = before;
}

Value Interpreter::loop_attribute(Loop& loop, std::string_view name) {
  const auto count = static_cast<int64_t>(loop.items.size());
  const auto item = [&](int64_t at, std::string_view missing) {
    return at >= 0 && at < count ? loop.items[static_cast<size_t>(at)]
                                 : Value::string(missing, Kind::kUndefined);
  };
  if (name == "index") return Value::of_int(loop.at + 1);
  if (name == "index0") return Value::of_int(loop.at);
  if (name == "revindex") return Value::of_int(count - loop.at);
  if (name == "revindex0") return Value::of_int(count - loop.at - 1);
  if (name == "first") return Value::boolean(loop.at == 0);
  if (name == "last") return Value::boolean(loop.at + 1 == count);
  if (name == "length") return Value::of_int(count);
  if (name == "depth") return Value::of_int(loop.depth + 1);
  if (name == "depth0") return Value::of_int(loop.depth);
  if (name == "previtem") return item(loop.at - 1, "there is no previous item");
  if (name == "nextitem") return item(loop.at + 1, "there is no next item");
  Value self = Value::string({}, Kind::kLoop);
  self.loop = &loop;
  if (name != "cycle" && name != "changed") {
    self = Value::string(name, Kind::kUndefined);
    self.detail = static_cast<uint8_t>(Kind::kLoop);
    return self;
  }
  const Value bound[] = {self, Value::string(name)};
  Value method = list(bound, Kind::kMethod);
  method.receiver = method.items;
  return method;
}

Value Interpreter::call_loop(Loop& loop, const Arguments& arguments) {
  if (!loop.node->flag) return fail("a loop that calls itself wants the word recursive");
  Text text(*this);
  Text* const out = std::exchange(out_, &text);
  if (enter()) {
    run_for(*loop.node, arguments.get(0, "iterable", {}), loop.scope, loop.depth + 1);
    leave();
  }
  out_ = out;
  return text.done();
}

void Interpreter::run_with(const Node& node) {
  Scope* const before = scope_;
  Scope* const inner = enter_scope(before);
  for (size_t i = 0; i + 1 < node.parts.size(); i += 2) {
    const Value value = evaluate(*node.parts[i + 1]);
    scope_ = inner;
    assign_to(*node.parts[i], value);
    scope_ = before;
  }
  scope_ = inner;
  run(node.body);
  scope_ = before;
}

void Interpreter::run_call_block(const Node& node) {
  auto* macro = make<Macro>();
  *macro = {&node, node.parts.subspan(1), scope_};
  Value caller = Value::string({}, Kind::kMacro);
  caller.macro = macro;
  const Node& called = *node.parts[0];
  const Value callee = evaluate(*called.parts[0]);
  Arguments given = arguments(called);
  given.named.push_back({Value::string("caller"), caller});
  print(*out_, *this, call(callee, given));
}

void Interpreter::assign_to(const Node& target, const Value& value) {
  if (failed()) return;
  if (target.kind == Is::kName) return assign(*scope_, target.name, value);
  if (target.kind == Is::kNamespaceTarget) {
    const Value space = lookup(target.name);
    if (!space.is(Kind::kNamespace)) {
      return void(fail("cannot assign attribute on non-namespace object '", target.name, "'"));
    }
    const std::string_view name = target.literal.str();
    if (name.starts_with('_')) return void(fail("a namespace takes no attribute ", quoted(name)));
    return assign(*space.scope, name, value);
  }
  const auto items = items_of(*this, value);
  if (items.size() != target.parts.size()) {
    return void(fail(cat("cannot unpack ", items.size(), " values into ", target.parts.size())));
  }
  for (size_t i = 0; i < items.size(); ++i) assign_to(*target.parts[i], items[i]);
}

void Interpreter::bind(const Macro& macro, const Arguments& arguments, Scope& scope) {
  std::vector<Pair> rest = arguments.named;
  const auto take_named = [&](std::string_view name) -> Value {
    for (size_t i = 0; i < rest.size(); ++i) {
      if (rest[i].key.str() != name) continue;
      const Value value = rest[i].value;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      return value;
    }
    return Value::string(name, Kind::kUndefined);
  };
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const Node& parameter = *macro.parameters[i];
    Value value = i < arguments.values.size() ? arguments.values[i] : take_named(parameter.name);
    const bool missing = value.is(Kind::kUndefined) && i >= arguments.values.size();
    if (missing && !parameter.parts.empty()) value = evaluate(*parameter.parts[0]);
    assign(scope, parameter.name, value);
  }
  const uint8_t uses = macro.node->uses;
  if ((uses & Node::kCaller) != 0 && scope.find("caller") == nullptr) {
    assign(scope, "caller", take_named("caller"));
  }
  if ((uses & Node::kKwargs) != 0) {
    assign(scope, "kwargs", dict(rest));
  } else if (!rest.empty()) {
    fail("macro takes no keyword argument '", rest[0].key.str(), "'");
  }
  const auto extra = std::span(arguments.values)
                         .subspan(std::min(macro.parameters.size(), arguments.values.size()));
  if ((uses & Node::kVarargs) != 0) {
    assign(scope, "varargs", list(extra, Kind::kTuple));
  } else if (!extra.empty()) {
    fail(cat("macro takes not more than ", macro.parameters.size(), " argument(s)"));
  }
}

Value Interpreter::call_macro(const Macro& macro, const Arguments& arguments) {
  Scope& scope = *enter_scope(macro.scope);
  Scope* const before = std::exchange(scope_, &scope);  // defaults may speak of parameters
  bind(macro, arguments, scope);
  const Value out = capture(macro.node->body, scope);
  scope_ = before;
  return out;
}

}  // namespace enm::text::jinja
