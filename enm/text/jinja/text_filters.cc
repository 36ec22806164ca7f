// Filters that make text or a number of one value.
#include <cmath>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/decimal.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"
#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

Value as_text(Interpreter& in, Value value) { return in.string(to_text(in, value)); }

// A string as it is; nothing else.
std::string_view text_only(Interpreter& in, Value value) {
  if (value.is(Kind::kString)) return value.str();
  if (!fail_undefined(in, value)) in.fail("expected str, not ", value.type());
  return {};
}

// Filters that are methods of the value's text.
constexpr const char* kMethods[] = {"upper", "lower", "strip", "center", "capitalize"};

Value method(Interpreter& in, Value value, Args args, int which) {
  return in.call_method(as_text(in, value), kMethods[which], args);
}

Value string(Interpreter& in, Value value, Args, int) { return as_text(in, value); }

Value replaced(Interpreter& in, Value value, Args args, int) {
  const Value count = args.get(2, "count");
  return replace(in, to_text(in, value), to_text(in, args.get(0, "old", Value())),
                 to_text(in, args.get(1, "new", Value())),
                 count.is(Kind::kNone) ? -1 : count->integer);
}

Value title(Interpreter& in, Value value, Args, int) {
  Text out(in);
  std::string_view text = to_text(in, value);
  const auto breaks = [](uint32_t c) {
    return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  while (!text.empty() && in.spend(1)) {
    size_t end = 0;
    size_t next = 0;
    while (next < text.size() && !breaks(next_code_point(text, next))) end = next;
    capitalize(out, text.substr(0, end));
    out.add(text.substr(end, next - end));
    text = text.substr(next);
  }
  return out.done();
}

// Marked as safe: adding it to other text escapes that.
Value safe(Interpreter& in, Value value, Args, int) {
  return in.string(to_text(in, value), Kind::kString, 1);
}

Value escape(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kString) && value->detail != 0) return value;
  Text out(in);
  for (const char c : to_text(in, value)) {
    constexpr std::string_view kSpecial = "&<>'\"";
    constexpr const char* kEntities[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    const size_t found = kSpecial.find(c);
    found == std::string_view::npos ? out.add(c) : out.add(kEntities[found]);
  }
  return out.done(1);
}

Value urlencode(Interpreter& in, Value value, Args, int) {
  Text out(in);
  if (value.is_sequence() || value.is(Kind::kDict)) text_only(in, value);
  for (const char c : to_text(in, value)) {
    const bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out.add(c);
      continue;
    }
    out.add('%');
    for (const int shift : {4, 0}) out.add("0123456789ABCDEF"[c >> shift & 15]);
  }
  return out.done();
}

Value formatted(Interpreter& in, Value value, Args args, int) {
  const Value given = args.named.empty()
                          ? in.list(args.values, Kind::kTuple)
                          : in.object(Kind::kDict, args.named.data(), args.named.size());
  return format(in, to_text(in, value), given);
}

Value indent(Interpreter& in, Value value, Args args, int) {
  const Value width = args.get(0, "width", in.integer(4));
  Text unit(in);
  width.is(Kind::kString) ? unit.add(width.str()) : unit.repeat(" ", width->integer);
  Text all(in);
  all.add(text_only(in, value));
  all.add('\n');
  const bool blank = args.is_set(2, "blank");
  Text out(in);
  bool first = true;
  for (const std::string_view line : lines(in, all.view())) {
    if (!first) out.add('\n');
    if (first ? args.is_set(1, "first") : blank || !line.empty()) out.add(unit.view());
    out.add(line);
    first = false;
  }
  return out.done();
}

Value truncate(Interpreter& in, Value value, Args args, int) {
  const std::string_view text = text_only(in, value);
  const Value end = args.get(2, "end", in.string("..."));
  const int64_t size = args.get(0, "length", in.integer(255))->integer;
  const Value leeway = args.get(3, "leeway");
  const int64_t room = size - length(end.str());
  if (!end.is(Kind::kString) || room < 0) return in.fail("truncate: the end is too long");
  if (length(text) <= size + (leeway.is(Kind::kNone) ? 5 : leeway->integer)) return value;
  std::string_view cut = in.slice(value, Value::none(), in.integer(room)).str();
  if (!args.is_set(1, "killwords")) cut = cut.substr(0, cut.rfind(' '));
  Text out(in);
  out.add(cut);
  out.add(end.str());
  return out.done();
}

Value wordcount(Interpreter& in, Value value, Args, int) {
  const std::string_view text = to_text(in, value);
  int64_t count = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const uint32_t c = next_code_point(text, at);
    const bool word = is_letter(c) || is_number(c) || c == '_';
    count += word && !inside ? 1 : 0;
    inside = word;
  }
  return in.integer(count);
}

// What float() reads; nothing where it would not.
std::optional<double> float_of(Value value) {
  if (value.is_number()) return value.as_double();
  if (!value.is(Kind::kString)) return std::nullopt;
  std::string_view text = strip_left(strip_right(value.str()));
  if (text.starts_with('+')) text = text.substr(1);
  double out = 0;
  return read_float(text, out) ? std::optional(out) : std::nullopt;
}

Value to_float(Interpreter& in, Value value, Args args, int) {
  if (fail_undefined(in, value)) return {};
  const auto read = float_of(value);
  return read ? in.number(*read) : args.get(0, "default", in.number(0));
}

Value to_int(Interpreter& in, Value value, Args args, int) {
  if (value.is_integer()) return in.integer(value->integer);
  if (value.is(Kind::kString)) {
    std::string_view text = strip_left(strip_right(value.str()));
    if (text.starts_with('+')) text = text.substr(1);
    int64_t out = 0;
    const auto base = static_cast<int>(args.get(1, "base", in.integer(10))->integer);
    if (base < 2 || base > 36) return in.fail("int: the base is beyond 2 to 36");
    if (read_integer(text, out, base)) return in.integer(out);
  }
  if (fail_undefined(in, value)) return {};
  const auto read = float_of(value);
  if (!read || !std::isfinite(*read)) return args.get(0, "default", in.integer(0));
  if (std::fabs(*read) > 9.2e18) return in.fail("an integer is out of range");
  return in.integer(static_cast<int64_t>(*read));
}

Value absolute(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kFloat)) return in.number(std::fabs(value->number));
  if (!value.is_integer()) return in.fail("abs: expected a number, not ", value.type());
  return value->integer < 0 ? in.binary('-', in.integer(0), value) : in.integer(value->integer);
}

Value rounded(Interpreter& in, Value value, Args args, int) {
  if (!value.is_number()) return in.fail("round: expected a number, not ", value.type());
  const int64_t places = args.get(0, "precision", in.integer(0))->integer;
  const Value how = args.get(1, "method", in.string("common"));
  if (places < -300 || places > 300) return in.fail("round: the precision is out of range");
  if (how.is(Kind::kString) && how.str() == "common") {
    if (value.is_integer() && places >= 0) return in.integer(value->integer);
    Text text(in);
    float_fixed(text, value.as_double(), static_cast<int>(places));
    const Value out = to_float(in, text.done(), {}, 0);
    return value.is_integer() ? to_int(in, out, {}, 0) : out;
  }
  const double scale = std::pow(10.0, static_cast<double>(places));
  const double scaled = value.as_double() * scale;
  const bool up = how.str() == "ceil";
  if (!up && how.str() != "floor") return in.fail("round: method must be common, ceil or floor");
  return in.number((up ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

Value to_json(Interpreter& in, Value value, Args args, int) {
  JsonStyle style;
  const Value indent = args.get(1, "indent"), separators = args.get(2, "separators");
  Text unit(in);
  style.indents = !indent.is(Kind::kNone);
  if (style.indents) style.item_separator = ",";
  indent.is(Kind::kString) ? unit.add(indent.str()) : unit.repeat(" ", indent->integer);
  style.indent = unit.view();
  if (separators.is_sequence() && separators->size == 2) {
    style.item_separator = to_text(in, separators->items[0]);
    style.key_separator = to_text(in, separators->items[1]);
  }
  style.ascii = args.is_set(0, "ensure_ascii");
  style.sorts_keys = args.is_set(3, "sort_keys");
  Text out(in);
  print_json(out, value, style);
  return out.done();
}

Value or_default(Interpreter& in, Value value, Args args, int) {
  const bool is_missing =
      value.is(Kind::kUndefined) || (args.is_set(1, "boolean") && !value.is_truth());
  return is_missing ? args.get(0, "default_value", in.string("")) : value;
}

Value attribute(Interpreter& in, Value value, Args args, int) {
  const std::string_view name = to_text(in, args.get(0, "name"));
  bool refused = false;
  if (!value.is(Kind::kDict) || find_method(value.kind(), name, refused) != nullptr) {
    return in.get_attribute(value, name);
  }
  return in.string(name, Kind::kUndefined);  // attributes only, not items
}

constexpr Builtin kFilters[] = {
    {"upper", method, 0},    {"lower", method, 1},      {"trim", method, 2},
    {"center", method, 3},   {"capitalize", method, 4}, {"string", string},
    {"replace", replaced},   {"title", title},          {"escape", escape},
    {"e", escape},           {"urlencode", urlencode},  {"format", formatted},
    {"indent", indent},      {"truncate", truncate},    {"wordcount", wordcount},
    {"float", to_float},     {"int", to_int},           {"abs", absolute},
    {"round", rounded},      {"tojson", to_json},       {"safe", safe},
    {"default", or_default}, {"d", or_default},         {"attr", attribute},
};

}  // namespace

constinit const std::span<const Builtin> kTextFilters = kFilters;

}  // namespace enm::text::jinja
