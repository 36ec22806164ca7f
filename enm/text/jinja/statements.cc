// What statements do: blocks, loops, macros.
#include <algorithm>
#include <utility>

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
      print(*out_, evaluate(*node.parts[0]));
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
      print(*out_, evaluate(*node.parts[0]));
      break;
    case Is::kScope:
      print(*out_, capture(node.body, *enter_scope(scope_)));
      break;
    case Is::kMacro:
      assign(*scope_, node.name, macro(node, node.parts));
      break;
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

Value Interpreter::macro(const Node& node, std::span<Node* const> parameters) {
  auto* made = make<Macro>();
  *made = {&node, parameters, scope_};
  return object(Kind::kMacro, made);
}

Interpreter::Flow Interpreter::run_if(const Node* node) {
  for (;;) {
    if (evaluate(*node->parts[0]).is_truth()) return run(node->body);
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
    if (evaluate(*node.parts[2]).is_truth()) kept.add(item);
  }
  scope_ = before;
  return kept.span();
}

void Interpreter::run_for(const Node& node, Value items, Scope* scope, int64_t depth) {
  auto* loop = make<Loop>();
  loop->node = &node;
  loop->scope = scope;
  loop->depth = depth;
  loop->items = filtered(node, items_of(*this, items), scope);
  const Value value = object(Kind::kLoop, loop);
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

Value Interpreter::loop_attribute(Value self, std::string_view name) {
  constexpr const char* kNames[] = {"index",    "index0", "revindex", "revindex0", "depth",
                                    "depth0",   "length", "first",    "last",      "previtem",
                                    "nextitem", "cycle",  "changed"};
  const Loop& loop = *self->loop;
  const auto count = static_cast<int64_t>(loop.items.size());
  const auto item = [&](int64_t at, const char* missing) {
    return at >= 0 && at < count ? loop.items[static_cast<size_t>(at)] : undefined(missing);
  };
  const int64_t numbers[] = {
      loop.at + 1, loop.at, count - loop.at, count - loop.at - 1, loop.depth + 1,
      loop.depth,  count};
  const auto which = std::ranges::find(kNames, name) - kNames;
  if (which < std::ssize(numbers)) return integer(numbers[which]);
  switch (which - std::ssize(numbers)) {
    case 0:
      return Value::boolean(loop.at == 0);
    case 1:
      return Value::boolean(loop.at + 1 == count);
    case 2:
      return item(loop.at - 1, "there is no previous item");
    case 3:
      return item(loop.at + 1, "there is no next item");
    case 4:
    case 5:
      return tuple(self, string(name), Kind::kMethod);
    default:
      return undefined(name, Kind::kLoop);
  }
}

Value Interpreter::call_loop(Loop& loop, const Arguments& arguments) {
  if (!loop.node->flag) return fail("a loop that calls itself wants the word recursive");
  Text text(*this);
  Text* const out = std::exchange(out_, &text);
  if (enter()) {
    run_for(*loop.node, arguments.get(0, "iterable", Value()), loop.scope, loop.depth + 1);
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
  const Pair caller = {string("caller"), macro(node, node.parts.subspan(1))};
  const Node& called = *node.parts[0];
  const Value callee = evaluate(*called.parts[0]);
  print(*out_, call(callee, arguments(called, caller)));
}

void Interpreter::assign_to(const Node& target, Value value) {
  if (failed()) return;
  if (target.kind == Is::kName) return assign(*scope_, target.name, value);
  if (target.kind == Is::kNamespaceTarget) {
    const Value space = lookup(target.name);
    if (!space.is(Kind::kNamespace)) {
      return void(fail("cannot assign attribute on non-namespace object '", target.name, "'"));
    }
    const std::string_view name = target.literal.str();
    if (name.starts_with('_')) return void(fail("a namespace takes no attribute ", quoted(name)));
    return assign(*space->scope, name, value);
  }
  const auto items = items_of(*this, value);
  if (items.size() != target.parts.size()) {
    return void(fail("cannot unpack ", cat(items.size(), " values into ", target.parts.size())));
  }
  for (size_t i = 0; i < items.size(); ++i) assign_to(*target.parts[i], items[i]);
}

void Interpreter::bind(const Macro& macro, const Arguments& arguments, Scope& scope) {
  List<Pair> rest(*this);
  for (const Pair& pair : arguments.named) rest.add(pair);
  const auto take_named = [&](std::string_view name) {
    for (size_t i = 0; i < rest.size(); ++i) {
      if (rest[i].key.str() != name) continue;
      const Value value = rest[i].value;
      std::copy(rest.begin() + i + 1, rest.end(), rest.begin() + i);
      rest.drop();
      return value;
    }
    return undefined(name);
  };
  size_t used = 0;
  for (const Node* parameter : macro.parameters) {
    const bool stands = used < arguments.values.size();
    Value value = stands ? arguments.values[used++] : take_named(parameter->name);
    const bool missing = value.is(Kind::kUndefined) && !stands;
    if (missing && !parameter->parts.empty()) value = evaluate(*parameter->parts[0]);
    assign(scope, parameter->name, value);
  }
  const uint8_t uses = macro.node->uses;
  if ((uses & Node::kCaller) != 0 && scope.find("caller") == nullptr) {
    assign(scope, "caller", take_named("caller"));
  }
  if ((uses & Node::kKwargs) != 0) {
    assign(scope, "kwargs", object(Kind::kDict, rest.begin(), rest.size()));
  } else if (!rest.empty()) {
    fail("macro takes no keyword argument '", rest[0].key.str(), "'");
  }
  if ((uses & Node::kVarargs) != 0) {
    assign(scope, "varargs", list(arguments.values.subspan(used), Kind::kTuple));
  } else if (used < arguments.values.size()) {
    fail("macro takes not more than ", cat(macro.parameters.size()), " argument(s)");
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
