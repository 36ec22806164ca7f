// Tests, what follows `is`; and how filters and tests are found.
#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"

namespace enm::text::jinja {
namespace {

const Builtin* find_filter(std::string_view name) {
  const Builtin* found = find_builtin(kTextFilters, name);
  return found != nullptr ? found : find_builtin(kSequenceFilters, name);
}

struct Question {
  Interpreter& in;
  Value value;
  const Arguments& args;

  Value other() const { return args.get(0, "other", Value()); }
  int order() const { return compare(in, value, other()); }
  bool is(Kind kind) const { return value.is(kind); }
  // The remainder of a division by `by`.
  bool divides(Value by) const { return !in.binary('%', value, by).is_truth(); }
  bool has_case(const char* name) const {
    return in.call_method(in.string(to_text(in, value)), name, {}).is_truth();
  }
  bool is_iterable() const {
    return is(Kind::kUndefined) || is(Kind::kString) || is(Kind::kIterator) || is(Kind::kDict) ||
           is(Kind::kLoop) || value.is_sequence();
  }
};

using Q = const Question&;

struct Row {
  const char* name;
  bool (*holds)(Q);
};

constexpr auto equals = [](Q q) { return equal(q.in, q.value, q.other()); };
constexpr auto differs = [](Q q) { return !equal(q.in, q.value, q.other()); };
constexpr auto is_less = [](Q q) { return q.order() < 0; };
constexpr auto is_at_most = [](Q q) { return q.order() <= 0; };
constexpr auto is_more = [](Q q) { return q.order() > 0; };
constexpr auto is_at_least = [](Q q) { return q.order() >= 0; };

constexpr Row kTests[] = {
    {"defined", [](Q q) { return !q.is(Kind::kUndefined); }},
    {"undefined", [](Q q) { return q.is(Kind::kUndefined); }},
    {"none", [](Q q) { return q.is(Kind::kNone); }},
    {"string", [](Q q) { return q.is(Kind::kString); }},
    {"mapping", [](Q q) { return q.is(Kind::kDict); }},
    {"iterable", [](Q q) { return q.is_iterable(); }},
    {"sequence",
     [](Q q) {
       return q.is_iterable() && !q.is(Kind::kIterator) &&
              (!q.is(Kind::kView) || q.value.is_range()) && !q.is(Kind::kLoop);
     }},
    {"number", [](Q q) { return q.value.is_number(); }},
    {"integer", [](Q q) { return q.is(Kind::kInt); }},
    {"float", [](Q q) { return q.is(Kind::kFloat); }},
    {"boolean", [](Q q) { return q.is(Kind::kBool); }},
    {"true", [](Q q) { return q.is(Kind::kBool) && q.value.is_truth(); }},
    {"false", [](Q q) { return q.is(Kind::kBool) && !q.value.is_truth(); }},
    {"callable", [](Q q) { return q.value.kind() >= Kind::kMacro || q.is(Kind::kUndefined); }},
    {"odd",
     [](Q q) { return equal(q.in, q.in.binary('%', q.value, q.in.integer(2)), q.in.integer(1)); }},
    {"even", [](Q q) { return q.divides(q.in.integer(2)); }},
    {"divisibleby", [](Q q) { return q.divides(q.args.get(0, "num", Value())); }},
    {"lower", [](Q q) { return q.has_case("islower"); }},
    {"upper", [](Q q) { return q.has_case("isupper"); }},
    {"in", [](Q q) { return contains(q.in, q.args.get(0, "seq", Value()), q.value); }},
    {"sameas",
     [](Q q) {
       return q.value.kind() == q.other().kind() && q.value->integer == q.other()->integer;
     }},
    {"eq", equals},
    {"equalto", equals},
    {"==", equals},
    {"ne", differs},
    {"!=", differs},
    {"lt", is_less},
    {"lessthan", is_less},
    {"<", is_less},
    {"le", is_at_most},
    {"<=", is_at_most},
    {"gt", is_more},
    {"greaterthan", is_more},
    {">", is_more},
    {"ge", is_at_least},
    {">=", is_at_least},
    {"filter",
     [](Q q) {
       const std::string_view name = to_text(q.in, q.value);
       return find_filter(name) != nullptr;
     }},
};

}  // namespace

bool Interpreter::call_test(std::string_view name, Value subject, const Arguments& arguments) {
  if (failed()) return false;
  for (const Row& row : kTests) {
    if (row.name == name) return row.holds({*this, subject, arguments});
  }
  fail("no test is named ", quoted(name));
  return false;
}

Value Interpreter::call_filter(std::string_view name, Value subject, const Arguments& arguments) {
  if (!spend(1)) return {};
  const Builtin* found = find_filter(name);
  return found != nullptr ? (*found)(*this, subject, arguments)
                          : fail("no filter is named ", quoted(name));
}

Value Interpreter::call_method(Value text, const char* name, const Arguments& arguments) {
  bool refused = false;
  return (*find_method(Kind::kString, name, refused))(*this, text, arguments);
}

}  // namespace enm::text::jinja
