// Python's arithmetic and slices.
#include <algorithm>
#include <cmath>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/strings.h"

namespace enm::text::jinja {
namespace {

Value int_power(Heap& heap, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return heap.fail("0 has no negative power");
    return heap.number(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t out = 1;
  bool overflows = false;
  for (; exponent > 0 && !overflows; exponent >>= 1) {
    if ((exponent & 1) != 0) overflows = __builtin_mul_overflow(out, base, &out);
    if (exponent > 1) overflows |= __builtin_mul_overflow(base, base, &base);
  }
  return overflows ? heap.fail("an integer is out of range") : heap.integer(out);
}

// Rounds down, with the remainder on the divisor's side of zero.
Value int_divide(Heap& heap, char op, int64_t a, int64_t b) {
  if (b == 0) return heap.fail("division by zero");
  if (b == -1) {
    int64_t out = 0;
    if (op == '%') return heap.integer(0);
    if (__builtin_sub_overflow(0, a, &out)) return heap.fail("an integer is out of range");
    return heap.integer(out);
  }
  const bool inexact = a % b != 0 && (a < 0) != (b < 0);
  return heap.integer(op == '%' ? a % b + (inexact ? b : 0) : a / b - (inexact ? 1 : 0));
}

Value int_binary(Heap& heap, char op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflows = false;
  switch (op) {
    case '+':
      overflows = __builtin_add_overflow(a, b, &out);
      break;
    case '-':
      overflows = __builtin_sub_overflow(a, b, &out);
      break;
    case '*':
      overflows = __builtin_mul_overflow(a, b, &out);
      break;
    case '^':
      return int_power(heap, a, b);
    default:
      return int_divide(heap, op, a, b);
  }
  return overflows ? heap.fail("an integer is out of range") : heap.integer(out);
}

Value float_binary(Heap& heap, char op, double a, double b) {
  switch (op) {
    case '+':
      return heap.number(a + b);
    case '-':
      return heap.number(a - b);
    case '*':
      return heap.number(a * b);
    case '^':
      return heap.number(std::pow(a, b));
    default:
      break;
  }
  if (b == 0) return heap.fail("division by zero");
  if (op == '/') return heap.number(a / b);
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  if (rest == 0) rest = std::copysign(0.0, b);
  if (op == '%') return heap.number(rest);
  const double quotient = (a - rest) / b;
  if (quotient == 0) return heap.number(std::copysign(0.0, a / b));
  const double down = std::floor(quotient);
  return heap.number(quotient - down > 0.5 ? down + 1 : down);
}

Value repeat(Heap& heap, Value value, int64_t times) {
  if (value.is(Kind::kString)) {
    Text out(heap);
    out.repeat(value.str(), times);
    return out.done();
  }
  Items out(heap);
  for (; times > 0 && value->size > 0 && !heap.failed(); --times) {
    for (const Value& item : value.items()) out.add(item);
  }
  return out.done(value.kind());
}

bool is_joinable(Value value) {
  return value.is(Kind::kString) || value.is(Kind::kList) || value.is(Kind::kTuple);
}

// What is marked as safe makes the other side escaped.
Value join_texts(Interpreter& in, Value a, Value b) {
  const bool is_safe = a->detail != 0 || b->detail != 0;
  Text out(in);
  for (const Value part : {a, b}) {
    const bool is_plain = is_safe && part->detail == 0;
    out.add(is_plain ? in.call_filter("escape", part, {}).str() : part.str());
  }
  return out.done(is_safe ? 1 : 0);
}

Value join(Heap& heap, Value a, Value b) {
  Items out(heap);
  for (const Value side : {a, b}) {
    for (const Value& item : side.items()) out.add(item);
  }
  return out.done(a.kind());
}

// A slice's bound as an index of `size` items, from -1 on for steps down.
int64_t bound(Value value, int64_t fallback, int64_t size, int64_t step) {
  if (value.is(Kind::kNone)) return fallback;
  int64_t at = value->integer;
  if (at < 0) at += size;
  const int64_t least = step < 0 ? -1 : 0, most = step < 0 ? size - 1 : size;
  return at < least ? least : at > most ? most : at;
}

}  // namespace

Value Interpreter::binary(char op, Value left, Value right) {
  if (left.is(Kind::kString) && op == '%') return format(*this, left.str(), right);
  for (const Value value : {left, right}) {
    if (fail_undefined(*this, value)) return {};
  }
  if (left.is_integer() && right.is_integer() && op != '/') {
    return int_binary(*this, op, left->integer, right->integer);
  }
  if (left.is_number() && right.is_number()) {
    return float_binary(*this, op, left.as_double(), right.as_double());
  }
  if (op == '+' && left.kind() == right.kind() && is_joinable(left)) {
    return left.is(Kind::kString) ? join_texts(*this, left, right) : join(*this, left, right);
  }
  if (op == '*' && is_joinable(left) && right.is_integer()) {
    return repeat(*this, left, right->integer);
  }
  if (op == '*' && is_joinable(right) && left.is_integer()) {
    return repeat(*this, right, left->integer);
  }
  const std::string_view name = op == '|' ? "//" : op == '^' ? "**" : std::string_view(&op, 1);
  return fail("unsupported operand types for ",
              cat(name, ": '", left.type(), "' and '", right.type(), "'"));
}

Value Interpreter::slice(Value self, Value begin, Value end, Value step) {
  if (fail_undefined(*this, self)) return {};
  const bool is_range = self.is_range();
  if (!is_joinable(self) && !is_range) {
    return fail("'", self.type(), "' has no slices");
  }
  for (const Value value : {begin, end, step}) {
    if (fail_undefined(*this, value)) return {};
    if (!value.is(Kind::kNone) && !value.is_integer()) return fail("slices take integers");
  }
  const bool is_text = self.is(Kind::kString);
  const auto at = starts(*this, is_text ? self.str() : std::string_view());
  const int64_t size = is_text ? static_cast<int64_t>(at.size()) - 1 : self->size;
  const int64_t by = step.is(Kind::kNone) ? 1 : step->integer;
  if (by == 0) return fail("a slice's step is 0");
  const int64_t from = bound(begin, by < 0 ? size - 1 : 0, size, by);
  const int64_t to = bound(end, by < 0 ? -1 : size, size, by);
  const auto offset = [&](int64_t i) { return at[static_cast<size_t>(i)]; };
  if (is_text && by == 1) {
    if (failed() || from >= to) return string({});
    return string(self.str().substr(offset(from), offset(to) - offset(from)));
  }
  if (is_range) {
    const int64_t first = self->items[-3]->integer, by_one = self->items[-1]->integer;
    const int64_t step_by = std::clamp<int64_t>(by, INT32_MIN, INT32_MAX) * by_one;
    return make_range(*this, first + from * by_one, first + to * by_one, step_by);
  }
  Items items(*this);
  Text text(*this);
  int64_t i = from;
  while ((by > 0 ? i < to : i > to) && !failed()) {
    if (is_text) {
      text.add(self.str().substr(offset(i), offset(i + 1) - offset(i)));
    } else {
      items.add(self->items[i]);
    }
    if (__builtin_add_overflow(i, by, &i)) break;
  }
  return is_text ? text.done() : items.done(self.kind());
}

}  // namespace enm::text::jinja
