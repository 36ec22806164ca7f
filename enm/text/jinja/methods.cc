// Methods of strings, lists and dictionaries.
#include <algorithm>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"
#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

// A string argument, which must be one; nothing where it is absent or None.
std::optional<std::string_view> text_argument(Interpreter& in, Args args, size_t at,
                                              std::string_view name) {
  const Value value = args.get(at, name);
  if (value.is(Kind::kNone)) return std::nullopt;
  if (!value.is(Kind::kString)) in.fail("expected str, not ", type_name(value.kind));
  return value.is(Kind::kString) ? value.str() : std::string_view();
}

std::string_view text_required(Interpreter& in, Args args, size_t at, std::string_view name) {
  const auto text = text_argument(in, args, at, name);
  if (!text) in.fail("expected str, not NoneType");
  return text.value_or(std::string_view());
}

int64_t int_argument(Interpreter& in, Args args, size_t at, std::string_view name,
                     int64_t fallback) {
  const Value value = args.get(at, name, Value::of_int(fallback));
  if (!value.is_integer()) in.fail("expected int, not ", type_name(value.kind));
  return value.integer;
}

Value strip(Interpreter& in, const Value& self, Args args, bool left, bool right) {
  const auto set = text_argument(in, args, 0, "chars");
  const std::string_view* chars = set ? &*set : nullptr;
  in.spend(self.size / 16 * (1 + (set ? set->size() : 0)));
  std::string_view text = self.str();
  if (left) text = strip_left(text, chars);
  if (right) text = strip_right(text, chars);
  return Value::string(text);
}
Value strip_both(Interpreter& in, const Value& self, Args args) {
  return strip(in, self, args, true, true);
}
Value lstrip(Interpreter& in, const Value& self, Args args) {
  return strip(in, self, args, true, false);
}
Value rstrip(Interpreter& in, const Value& self, Args args) {
  return strip(in, self, args, false, true);
}

Value upper(Interpreter& in, const Value& self, Args) {
  Text out(in);
  in.spend(self.size);
  change_case(out, self.str(), Case::kUpper);
  return out.done();
}
Value lower(Interpreter& in, const Value& self, Args) {
  Text out(in);
  in.spend(self.size);
  change_case(out, self.str(), Case::kLower);
  return out.done();
}
Value swapcase(Interpreter& in, const Value& self, Args) {
  Text out(in);
  change_case(out, self.str(), Case::kSwap);
  return out.done();
}
Value capitalized(Interpreter& in, const Value& self, Args) {
  Text out(in);
  capitalize(out, self.str());
  return out.done();
}

// Words are runs of letters: "they're" has two.
Value title(Interpreter& in, const Value& self, Args) {
  Text out(in);
  const std::string_view text = self.str();
  for (size_t at = 0; at < text.size() && in.spend(1);) {
    size_t end = at;
    size_t next = at;
    while (next < text.size() && is_letter(next_code_point(text, next))) end = next;
    capitalize(out, text.substr(at, end - at));
    out.add(text.substr(end, next - end));
    at = next;
  }
  return out.done();
}

Value replaced(Interpreter& in, const Value& self, Args args) {
  const std::string_view from = text_required(in, args, 0, "old");
  return replace(in, self.str(), from, text_required(in, args, 1, "new"),
                 int_argument(in, args, 2, "count", -1));
}

Value affix(Interpreter& in, const Value& whole, Args args, bool at_start) {
  Value wanted = args.get(0, "prefix");
  Value self = whole;
  if (args.values.size() > 1) {
    const Value end = args.get(2, "end");
    self = in.slice(self, args.values[1], end, Value::none());
  }
  const std::span<const Value> any =
      wanted.is(Kind::kTuple) ? std::span(wanted.items, wanted.size) : std::span(&wanted, 1);
  bool found = false;
  for (const Value& one : any) {
    if (!one.is(Kind::kString))
      return in.fail("expected str or a tuple of str, not ", type_name(one.kind));
    found |= at_start ? self.str().starts_with(one.str()) : self.str().ends_with(one.str());
  }
  return Value::boolean(found);
}
Value startswith(Interpreter& in, const Value& self, Args args) {
  return affix(in, self, args, true);
}
Value endswith(Interpreter& in, const Value& self, Args args) {
  return affix(in, self, args, false);
}

// Words between white space, at most `most` cuts, from the right if asked.
Value split_white(Interpreter& in, std::string_view text, int64_t most, bool from_right) {
  Items out(in);
  from_right = from_right && most >= 0;  // without a limit the words are the same
  for (text = from_right ? strip_right(text) : strip_left(text); !text.empty() && in.spend(1);) {
    if (most-- == 0) {
      out.add(Value::string(from_right ? strip_right(text) : text));
      break;
    }
    size_t begin = 0, end = 0;  // of the word
    if (from_right) {
      in.spend(text.size() / 16);
      begin = end = text.size();
      for (size_t at = 0; at < text.size();) {
        // The last white character: what follows is the word.
        if (is_space(next_code_point(text, at)))
          begin = at;
        else if (begin == end)
          begin = 0;
      }
    } else {
      for (size_t at = 0; at < text.size() && !is_space(next_code_point(text, at));) end = at;
    }
    out.add(Value::string(text.substr(begin, end - begin)));
    text = from_right ? strip_right(text.substr(0, begin)) : strip_left(text.substr(end));
  }
  if (from_right) std::reverse(out.values().begin(), out.values().end());
  return out.done();
}

Value split_by(Interpreter& in, std::string_view text, std::string_view by, int64_t most,
               bool from_right) {
  if (by.empty()) return in.fail("empty separator");
  Items out(in);
  in.spend(text.size() / 16);
  while (most-- != 0 && in.spend(1)) {
    const size_t found = from_right ? text.rfind(by) : text.find(by);
    if (found == std::string_view::npos) break;
    const std::string_view before = text.substr(0, found), after = text.substr(found + by.size());
    out.add(Value::string(from_right ? after : before));
    text = from_right ? before : after;
  }
  out.add(Value::string(text));
  if (from_right) std::reverse(out.values().begin(), out.values().end());
  return out.done();
}

Value split_any(Interpreter& in, const Value& self, Args args, bool from_right) {
  const auto by = text_argument(in, args, 0, "sep");
  const int64_t most = int_argument(in, args, 1, "maxsplit", -1);
  return by ? split_by(in, self.str(), *by, most, from_right)
            : split_white(in, self.str(), most, from_right);
}
Value split_left(Interpreter& in, const Value& self, Args args) {
  return split_any(in, self, args, false);
}
Value split_right(Interpreter& in, const Value& self, Args args) {
  return split_any(in, self, args, true);
}

Value splitlines(Interpreter& in, const Value& self, Args args) {
  Items out(in);
  const bool keep = truth(args.get(0, "keepends"));
  for (const std::string_view line : lines(in, self.str(), keep)) out.add(Value::string(line));
  return out.done();
}

Value partition_at(Interpreter& in, const Value& self, Args args, bool last) {
  const std::string_view text = self.str(), by = text_required(in, args, 0, "sep");
  if (by.empty()) return in.fail("empty separator");
  const size_t found = last ? text.rfind(by) : text.find(by);
  const bool missing = found == std::string_view::npos;
  const size_t cut = missing ? (last ? 0 : text.size()) : found;
  const size_t size = missing ? 0 : by.size();
  const Value parts[] = {Value::string(text.substr(0, cut)), Value::string(by.substr(0, size)),
                         Value::string(text.substr(cut + size))};
  return in.list(parts, Kind::kTuple);
}
Value partition(Interpreter& in, const Value& self, Args args) {
  return partition_at(in, self, args, false);
}
Value rpartition(Interpreter& in, const Value& self, Args args) {
  return partition_at(in, self, args, true);
}

Value join_items(Interpreter& in, const Value& self, Args args) {
  Text out(in);
  bool first = true;
  for (const Value& item : items_of(in, args.get(0, "iterable"))) {
    if (!item.is(Kind::kString)) return in.fail("join: expected str, not ", type_name(item.kind));
    if (!std::exchange(first, false)) out.add(self.str());
    out.add(item.str());
  }
  return out.done();
}

// Where the text stands, in characters; -1 if nowhere.
Value position(Interpreter& in, const Value& self, Args args, bool last, bool must) {
  const std::string_view text = self.str(), wanted = text_required(in, args, 0, "sub");
  in.spend(text.size() / 16);
  const int64_t skipped = int_argument(in, args, 1, "start", 0);
  const Value rest = in.slice(self, Value::of_int(skipped), args.get(2, "end"), Value::none());
  const std::string_view inside = rest.str();
  const size_t found = last ? inside.rfind(wanted) : inside.find(wanted);
  if (found == std::string_view::npos) {
    return must ? in.fail("substring not found") : Value::of_int(-1);
  }
  const auto bytes = static_cast<size_t>(inside.data() + found - text.data());
  return Value::of_int(length(text.substr(0, inside.empty() ? 0 : bytes)));
}
Value find_first(Interpreter& in, const Value& self, Args args) {
  return position(in, self, args, false, false);
}
Value find_last(Interpreter& in, const Value& self, Args args) {
  return position(in, self, args, true, false);
}
Value index_first(Interpreter& in, const Value& self, Args args) {
  return position(in, self, args, false, true);
}
Value index_last(Interpreter& in, const Value& self, Args args) {
  return position(in, self, args, true, true);
}

Value count_text(Interpreter& in, const Value& self, Args args) {
  const std::string_view text = self.str(), wanted = text_required(in, args, 0, "sub");
  if (wanted.empty()) return Value::of_int(length(text) + 1);
  int64_t count = 0;
  in.spend(text.size() / 16);
  for (size_t at = 0; (at = text.find(wanted, at)) != text.npos && in.spend(1); ++count)
    at += wanted.size();
  return Value::of_int(count);
}

Value remove_affix(Interpreter& in, const Value& self, Args args, bool prefix) {
  const std::string_view text = self.str(), affix = text_required(in, args, 0, "affix");
  if (prefix ? !text.starts_with(affix) : !text.ends_with(affix)) return self;
  return Value::string(prefix ? text.substr(affix.size())
                              : text.substr(0, text.size() - affix.size()));
}
Value removeprefix(Interpreter& in, const Value& self, Args args) {
  return remove_affix(in, self, args, true);
}
Value removesuffix(Interpreter& in, const Value& self, Args args) {
  return remove_affix(in, self, args, false);
}

Value pad(Interpreter& in, const Value& self, Args args, int side) {
  const int64_t room = int_argument(in, args, 0, "width", 80) - length(self.str());
  const std::string_view fill = text_argument(in, args, 1, "fillchar").value_or(" ");
  if (length(fill) != 1) return in.fail("the fill character must be one character");
  // Where centring leaves one over, it goes to the left if the width is odd.
  const int64_t width = room + length(self.str());
  const int64_t half = room / 2 + (room & width & 1);
  const int64_t left = side < 0 ? 0 : side > 0 ? room : half;
  Text out(in);
  out.repeat(fill, left);
  out.add(self.str());
  out.repeat(fill, room - left);
  return out.done();
}
Value ljust(Interpreter& in, const Value& self, Args args) { return pad(in, self, args, -1); }
Value rjust(Interpreter& in, const Value& self, Args args) { return pad(in, self, args, 1); }
Value center(Interpreter& in, const Value& self, Args args) { return pad(in, self, args, 0); }

Value zfill(Interpreter& in, const Value& self, Args args) {
  const std::string_view text = self.str();
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  Text out(in);
  out.add(text.substr(0, sign));
  out.repeat("0", int_argument(in, args, 0, "width", 0) - length(text));
  out.add(text.substr(sign));
  return out.done();
}

Value formatted(Interpreter& in, const Value& self, Args args) {
  return format_fields(in, self.str(), args.values, args.named);
}

Value all_are(const Value& self, bool (*is)(uint32_t)) {
  const std::string_view text = self.str();
  bool all = !text.empty();
  for (size_t at = 0; all && at < text.size();) all = is(next_code_point(text, at));
  return Value::boolean(all);
}
// Whether letters have that case, and there are some.
Value has_case(Interpreter& in, const Value& self, Args args, bool is_upper) {
  const std::string_view text = self.str();
  return Value::boolean((is_upper ? upper : lower)(in, self, args).str() == text &&
                        (is_upper ? lower : upper)(in, self, args).str() != text);
}
Value isdigit(Interpreter&, const Value& self, Args) { return all_are(self, is_number); }
Value isalpha(Interpreter&, const Value& self, Args) { return all_are(self, is_letter); }
Value isalnum(Interpreter&, const Value& self, Args) {
  return all_are(self, [](uint32_t c) { return is_letter(c) || is_number(c); });
}
Value isspace(Interpreter&, const Value& self, Args) { return all_are(self, is_space); }
Value isupper(Interpreter& in, const Value& self, Args args) {
  return has_case(in, self, args, true);
}
Value islower(Interpreter& in, const Value& self, Args args) {
  return has_case(in, self, args, false);
}

Value get(Interpreter& in, const Value& self, Args args) {
  check_key(in, args.get(0, "key"));
  const Value* found = find(in, self, args.get(0, "key"));
  return found != nullptr ? *found : args.get(1, "default");
}

Value view(Interpreter& in, const Value& self, uint8_t which) {
  Items out(in);
  for (uint32_t i = 0; i < self.size && !in.failed(); ++i) {
    const Value pair[] = {self.pairs[i].key, self.pairs[i].value};
    out.add(which == 2 ? in.list(pair, Kind::kTuple) : pair[which]);
  }
  Value made = out.done(Kind::kView);
  made.detail = which;
  return made;
}
Value keys(Interpreter& in, const Value& self, Args) { return view(in, self, 0); }
Value values(Interpreter& in, const Value& self, Args) { return view(in, self, 1); }
Value items(Interpreter& in, const Value& self, Args) { return view(in, self, 2); }
Value copy(Interpreter&, const Value& self, Args) { return self; }  // nothing changes it

Value count_items(Interpreter& in, const Value& self, Args args) {
  int64_t count = 0;
  for (uint32_t i = 0; i < self.size; ++i) {
    count += equal(in, self.items[i], args.get(0, "value")) ? 1 : 0;
  }
  return Value::of_int(count);
}
Value index_of(Interpreter& in, const Value& self, Args args) {
  for (uint32_t i = 0; i < self.size; ++i) {
    if (equal(in, self.items[i], args.get(0, "value"))) return Value::of_int(i);
  }
  return in.fail("the item is not in the list");
}

constexpr Builtin kOfStrings[] = {
    {"strip", strip_both},
    {"lstrip", lstrip},
    {"rstrip", rstrip},
    {"split", split_left},
    {"rsplit", split_right},
    {"splitlines", splitlines},
    {"replace", replaced},
    {"startswith", startswith},
    {"endswith", endswith},
    {"upper", upper},
    {"lower", lower},
    {"title", title},
    {"capitalize", capitalized},
    {"swapcase", swapcase},
    {"join", join_items},
    {"find", find_first},
    {"rfind", find_last},
    {"index", index_first},
    {"rindex", index_last},
    {"count", count_text},
    {"partition", partition},
    {"rpartition", rpartition},
    {"removeprefix", removeprefix},
    {"removesuffix", removesuffix},
    {"ljust", ljust},
    {"rjust", rjust},
    {"center", center},
    {"zfill", zfill},
    {"isdigit", isdigit},
    {"isdecimal", isdigit},
    {"isnumeric", isdigit},
    {"isalpha", isalpha},
    {"isalnum", isalnum},
    {"isspace", isspace},
    {"isupper", isupper},
    {"islower", islower},
    {"format", formatted},
};
constexpr Builtin kOfDicts[] = {
    {"get", get}, {"items", items}, {"keys", keys}, {"values", values}, {"copy", copy}};
constexpr Builtin kOfLists[] = {{"index", index_of}, {"count", count_items}, {"copy", copy}};
constexpr std::string_view kRefused[] = {"clear",  "pop",    "popitem", "setdefault",
                                         "update", "append", "sort",    "extend",
                                         "insert", "remove", "reverse"};

}  // namespace

const Builtin* find_method(Kind kind, std::string_view name, bool& refused) {
  std::span<const Builtin> table;
  if (kind == Kind::kString) table = kOfStrings;
  if (kind == Kind::kDict) table = kOfDicts;
  if (kind == Kind::kList) table = kOfLists;
  if (kind == Kind::kTuple) table = std::span(kOfLists).first(2);
  for (const Builtin& one : table) {
    if (one.name == name) return &one;
  }
  // The first five are a dictionary's.
  const auto changing = std::span(kRefused).first(kind == Kind::kDict ? 5 : std::size(kRefused));
  refused = std::find(changing.begin(), changing.end(), name) != changing.end();
  return nullptr;
}

}  // namespace enm::text::jinja
