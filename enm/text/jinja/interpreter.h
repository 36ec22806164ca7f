// Evaluates a template's nodes.
#pragma once

#include <optional>

#include "enm/text/jinja/heap.h"
#include "enm/text/jinja/syntax.h"

namespace enm::text::jinja {

struct Variable {
  std::string_view name;
  Value value;
  Variable* next = nullptr;
};

/// Names and what they stand for, in the order of their first assignment. A namespace is one too.
struct Scope {
  Scope* outer = nullptr;
  Variable* first = nullptr;
  Variable* last = nullptr;

  Variable* find(std::string_view name) const;
};

struct Macro {
  const Node* node;
  std::span<Node* const> parameters;
  Scope* scope;  // where it was defined
};

struct Loop {
  const Node* node = nullptr;
  Scope* scope = nullptr;  // around it
  std::span<const Value> items;
  int64_t at = 0;
  int64_t depth = 0;
  Value changed;  // what changed() was told last
};

struct Arguments {
  std::span<const Value> values;
  std::span<const Pair> named;

  /// The argument at that place or of that name, or else the fallback.
  Value get(size_t at, const char* name, Value fallback) const;
  /// Or else none.
  Value get(size_t at, const char* name) const;
  bool is_set(size_t at, const char* name) const { return get(at, name).is_truth(); }
};

class Interpreter : public Heap {
 public:
  Interpreter(const Limits& limits, std::optional<int64_t> now) : Heap(limits), now_(now) {}

  /// Before render(): what the template finds by this name, which outlives the interpreter.
  void define(std::string_view name, Value value) { assign(top_, name, value); }
  /// Valid as long as the interpreter.
  std::string_view render(std::span<Node* const> body);

  // What filters, tests and methods need.
  Value get_attribute(Value from, std::string_view name);
  Value get_item(Value from, Value index);
  /// "a.b.0" of a value, or the fallback where that is undefined.
  Value get_path(Value from, Value path, Value fallback = {});
  Value call_filter(std::string_view name, Value subject, const Arguments& arguments);
  bool call_test(std::string_view name, Value subject, const Arguments& arguments);
  /// A method of a string without arguments.
  Value call_method(Value text, const char* name, const Arguments& arguments);
  Value binary(char op, Value left, Value right);
  /// Without a step: none.
  Value slice(Value self, Value begin, Value end, Value step = Value::none());
  void assign(Scope& scope, std::string_view name, Value value);
  std::optional<int64_t> now() const { return now_; }

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue };

  Value evaluate(const Node& node);
  Value evaluate_in(const Node& node);
  Value lookup(std::string_view name);
  Value items(const Node& node);
  Value compare_chain(const Node& node);
  Value dictionary(const Node& node);
  /// Those behind a node's first part, and one more if it has a name.
  Arguments arguments(const Node& node, const Pair& more = {});
  Value call(Value callee, const Arguments& arguments);
  Value call_macro(const Macro& macro, const Arguments& arguments);
  void bind(const Macro& macro, const Arguments& arguments, Scope& scope);
  Value call_loop(Loop& loop, const Arguments& arguments);
  Value loop_attribute(Value self, std::string_view name);

  Flow run(std::span<Node* const> body);
  Flow run(const Node& node);
  /// What the body writes, in a scope of its own.
  Value capture(std::span<Node* const> body, Scope& scope);
  Flow run_if(const Node* node);
  void run_for(const Node& node, Value items, Scope* scope, int64_t depth);
  void run_with(const Node& node);
  void run_call_block(const Node& node);
  std::span<const Value> filtered(const Node& node, std::span<const Value> items, Scope* scope);
  void assign_to(const Node& target, Value value);
  Scope* enter_scope(Scope* outer);
  Value macro(const Node& node, std::span<Node* const> parameters);

  const std::optional<int64_t> now_;
  Scope top_;
  Scope* scope_ = &top_;
  Text* out_ = nullptr;
  Value captured_;
};

/// A function of filters, methods and globals. Several names may share one, which tells them apart
/// by `mode`.
struct Builtin {
  const char* name;
  Value (*call)(Interpreter&, Value subject, const Arguments&, int mode);
  int mode = 0;

  Value operator()(Interpreter& in, Value subject, const Arguments& arguments) const {
    return call(in, subject, arguments, mode);
  }
};
/// Null for a name that is not there.
const Builtin* find_builtin(std::span<const Builtin> table, std::string_view name);

Value make_range(Heap& heap, int64_t begin, int64_t end, int64_t step);

// The tables, each in its own file.
extern const std::span<const Builtin> kTextFilters;
extern const std::span<const Builtin> kSequenceFilters;
extern const std::span<const Builtin> kFunctions;
/// Of strings, lists, tuples and dictionaries. `refused` turns true for one that changes its
/// object.
const Builtin* find_method(Kind kind, std::string_view name, bool& refused);

}  // namespace enm::text::jinja
