// Methods of strings, lists and dictionaries.
#include <algorithm>
#include <utility>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"
#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

// Modes of the methods that there are two of.
constexpr int kLeft = 1, kRight = 2, kMust = 4;

// A string argument, which must be one, or None where it is absent.
Value text_or_none(Interpreter& in, Args args, size_t at, const char* name) {
  const Value value = args.get(at, name);
  if (value.is(Kind::kNone) || value.is(Kind::kString)) return value;
  return in.fail("expected str, not ", value.type());
}

std::string_view text_argument(Interpreter& in, Args args, size_t at, const char* name) {
  const Value text = text_or_none(in, args, at, name);
  if (text.is(Kind::kNone)) in.fail("expected str, not NoneType");
  return text.str();
}

int64_t int_argument(Interpreter& in, Args args, size_t at, const char* name, int64_t fallback) {
  const Value value = args.get(at, name, in.integer(fallback));
  if (!value.is_integer()) in.fail("expected int, not ", value.type());
  return value->integer;
}

Value strip(Interpreter& in, Value self, Args args, int sides) {
  const Value set = text_or_none(in, args, 0, "chars");
  const std::string_view characters = set.str();
  const std::string_view* chars = set.is(Kind::kNone) ? nullptr : &characters;
  in.spend(self->size / 16 * (1 + characters.size()));
  std::string_view text = self.str();
  if ((sides & kLeft) != 0) text = strip_left(text, chars);
  if ((sides & kRight) != 0) text = strip_right(text, chars);
  return in.string(text);
}

Value in_case(Interpreter& in, Value self, Args, int to) {
  Text out(in);
  in.spend(self->size);
  change_case(out, self.str(), static_cast<Case>(to));
  return out.done();
}

Value capitalized(Interpreter& in, Value self, Args, int) {
  Text out(in);
  capitalize(out, self.str());
  return out.done();
}

// Words are runs of letters: "they're" has two.
Value title(Interpreter& in, Value self, Args, int) {
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

Value replaced(Interpreter& in, Value self, Args args, int) {
  const std::string_view from = text_argument(in, args, 0, "old");
  return replace(in, self.str(), from, text_argument(in, args, 1, "new"),
                 int_argument(in, args, 2, "count", -1));
}

// Whether the text begins or ends so.
Value has_affix(Interpreter& in, Value self, Args args, int side) {
  const Value wanted = args.get(0, "prefix");
  if (args.values.size() > 1) self = in.slice(self, args.values[1], args.get(2, "end"));
  const std::span<const Value> any =
      wanted.is(Kind::kTuple) ? wanted.items() : std::span(&wanted, 1);
  bool found = false;
  for (const Value& one : any) {
    if (!one.is(Kind::kString)) {
      return in.fail("expected str or a tuple of str, not ", one.type());
    }
    found |= side == kLeft ? self.str().starts_with(one.str()) : self.str().ends_with(one.str());
  }
  return Value::boolean(found);
}

// Words between white space, at most `most` cuts, from the right if asked.
Value split_white(Interpreter& in, std::string_view text, int64_t most, bool from_right) {
  Items out(in);
  from_right = from_right && most >= 0;  // without a limit the words are the same
  for (text = from_right ? strip_right(text) : strip_left(text); !text.empty() && in.spend(1);) {
    if (most-- == 0) {
      out.add(in.string(from_right ? strip_right(text) : text));
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
    out.add(in.string(text.substr(begin, end - begin)));
    text = from_right ? strip_right(text.substr(0, begin)) : strip_left(text.substr(end));
  }
  if (from_right) out.reverse();
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
    out.add(in.string(from_right ? after : before));
    text = from_right ? before : after;
  }
  out.add(in.string(text));
  if (from_right) out.reverse();
  return out.done();
}

Value split(Interpreter& in, Value self, Args args, int from) {
  const Value by = text_or_none(in, args, 0, "sep");
  const int64_t most = int_argument(in, args, 1, "maxsplit", -1);
  return by.is(Kind::kNone) ? split_white(in, self.str(), most, from == kRight)
                            : split_by(in, self.str(), by.str(), most, from == kRight);
}

Value splitlines(Interpreter& in, Value self, Args args, int) {
  Items out(in);
  const bool keep = args.is_set(0, "keepends");
  for (const std::string_view line : lines(in, self.str(), keep)) out.add(in.string(line));
  return out.done();
}

Value partition(Interpreter& in, Value self, Args args, int from) {
  const std::string_view text = self.str(), by = text_argument(in, args, 0, "sep");
  if (by.empty()) return in.fail("empty separator");
  const size_t found = from == kRight ? text.rfind(by) : text.find(by);
  const bool missing = found == std::string_view::npos;
  const size_t cut = missing ? (from == kRight ? 0 : text.size()) : found;
  const size_t size = missing ? 0 : by.size();
  Items parts(in);
  parts.add(in.string(text.substr(0, cut)));
  parts.add(in.string(by.substr(0, size)));
  parts.add(in.string(text.substr(cut + size)));
  return parts.done(Kind::kTuple);
}

Value join(Interpreter& in, Value self, Args args, int) {
  Text out(in);
  bool first = true;
  for (const Value& item : items_of(in, args.get(0, "iterable"))) {
    if (!item.is(Kind::kString)) return in.fail("join: expected str, not ", item.type());
    if (!std::exchange(first, false)) out.add(self.str());
    out.add(item.str());
  }
  return out.done();
}

// Where the text stands, in characters; -1 if nowhere.
Value position(Interpreter& in, Value self, Args args, int mode) {
  const std::string_view text = self.str(), wanted = text_argument(in, args, 0, "sub");
  in.spend(text.size() / 16);
  const Value skipped = in.integer(int_argument(in, args, 1, "start", 0));
  const std::string_view inside = in.slice(self, skipped, args.get(2, "end")).str();
  const size_t found = (mode & kRight) != 0 ? inside.rfind(wanted) : inside.find(wanted);
  if (found == std::string_view::npos) {
    return (mode & kMust) != 0 ? in.fail("substring not found") : in.integer(-1);
  }
  const auto bytes = inside.empty() ? 0 : static_cast<size_t>(inside.data() + found - text.data());
  return in.integer(length(text.substr(0, bytes)));
}

Value count_text(Interpreter& in, Value self, Args args, int) {
  const std::string_view text = self.str(), wanted = text_argument(in, args, 0, "sub");
  if (wanted.empty()) return in.integer(length(text) + 1);
  int64_t count = 0;
  in.spend(text.size() / 16);
  for (size_t at = 0; (at = text.find(wanted, at)) != std::string_view::npos && in.spend(1);
       ++count)
    at += wanted.size();
  return in.integer(count);
}

Value remove_affix(Interpreter& in, Value self, Args args, int side) {
  const std::string_view text = self.str(), affix = text_argument(in, args, 0, "affix");
  if (side == kLeft ? !text.starts_with(affix) : !text.ends_with(affix)) return self;
  return in.string(text.substr(side == kLeft ? affix.size() : 0, text.size() - affix.size()));
}

// Fills up the sides.
Value pad(Interpreter& in, Value self, Args args, int sides) {
  const int64_t width = int_argument(in, args, 0, "width", 80);
  const int64_t room = width - length(self.str());
  const Value given = text_or_none(in, args, 1, "fillchar");
  const std::string_view fill = given.is(Kind::kNone) ? " " : given.str();
  if (length(fill) != 1) return in.fail("the fill character must be one character");
  // Where centring leaves one over, it goes to the left if the width is odd.
  const int64_t half = room / 2 + (room & width & 1);
  const int64_t left = sides == kRight ? 0 : sides == kLeft ? room : half;
  Text out(in);
  out.repeat(fill, left);
  out.add(self.str());
  out.repeat(fill, room - left);
  return out.done();
}

Value zfill(Interpreter& in, Value self, Args args, int) {
  const std::string_view text = self.str();
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  Text out(in);
  out.add(text.substr(0, sign));
  out.repeat("0", int_argument(in, args, 0, "width", 0) - length(text));
  out.add(text.substr(sign));
  return out.done();
}

Value formatted(Interpreter& in, Value self, Args args, int) {
  return format_fields(in, self.str(), args.values, args.named);
}

constexpr bool (*kClasses[])(uint32_t) = {
    is_number, is_letter, [](uint32_t c) { return is_letter(c) || is_number(c); }, is_space};

Value all_are(Interpreter&, Value self, Args, int which) {
  const std::string_view text = self.str();
  bool all = !text.empty();
  for (size_t at = 0; all && at < text.size();) all = kClasses[which](next_code_point(text, at));
  return Value::boolean(all);
}

// Whether letters have that case, and there are some.
Value has_case(Interpreter& in, Value self, Args args, int which) {
  const auto changed = [&](int to) { return in_case(in, self, args, to).str() != self.str(); };
  return Value::boolean(!changed(which) && changed(1 - which));
}

Value get(Interpreter& in, Value self, Args args, int) {
  const Value key = args.get(0, "key");
  check_key(in, key);
  const Value* found = find(in, self, key);
  return found != nullptr ? *found : args.get(1, "default");
}

// The keys, values or items.
Value view(Interpreter& in, Value self, Args, int which) {
  Items out(in);
  for (const auto& [key, value] : self.pairs()) {
    if (in.failed()) break;
    out.add(which == 0 ? key : which == 1 ? value : in.tuple(key, value));
  }
  return in.object(Kind::kView, out.begin(), out.size(), static_cast<uint8_t>(which));
}

Value copy(Interpreter&, Value self, Args, int) { return self; }  // nothing changes it

Value count_items(Interpreter& in, Value self, Args args, int) {
  int64_t count = 0;
  for (const Value& item : self.items()) count += equal(in, item, args.get(0, "value")) ? 1 : 0;
  return in.integer(count);
}
Value index_of(Interpreter& in, Value self, Args args, int) {
  for (uint32_t i = 0; i < self->size; ++i) {
    if (equal(in, self->items[i], args.get(0, "value"))) return in.integer(i);
  }
  return in.fail("the item is not in the list");
}

constexpr int kUpper = static_cast<int>(Case::kUpper), kLower = static_cast<int>(Case::kLower),
              kSwap = static_cast<int>(Case::kSwap);
static_assert(kUpper == 1 - kLower);

constexpr Builtin kOfStrings[] = {
    {"strip", strip, kLeft | kRight},
    {"lstrip", strip, kLeft},
    {"rstrip", strip, kRight},
    {"split", split, kLeft},
    {"rsplit", split, kRight},
    {"splitlines", splitlines},
    {"replace", replaced},
    {"startswith", has_affix, kLeft},
    {"endswith", has_affix, kRight},
    {"upper", in_case, kUpper},
    {"lower", in_case, kLower},
    {"title", title},
    {"capitalize", capitalized},
    {"swapcase", in_case, kSwap},
    {"join", join},
    {"find", position, kLeft},
    {"rfind", position, kRight},
    {"index", position, kLeft | kMust},
    {"rindex", position, kRight | kMust},
    {"count", count_text},
    {"partition", partition, kLeft},
    {"rpartition", partition, kRight},
    {"removeprefix", remove_affix, kLeft},
    {"removesuffix", remove_affix, kRight},
    {"ljust", pad, kRight},
    {"rjust", pad, kLeft},
    {"center", pad, kLeft | kRight},
    {"zfill", zfill},
    {"isdigit", all_are, 0},
    {"isdecimal", all_are, 0},
    {"isnumeric", all_are, 0},
    {"isalpha", all_are, 1},
    {"isalnum", all_are, 2},
    {"isspace", all_are, 3},
    {"isupper", has_case, kUpper},
    {"islower", has_case, kLower},
    {"format", formatted},
};
constexpr Builtin kOfDicts[] = {
    {"get", get}, {"items", view, 2}, {"keys", view, 0}, {"values", view, 1}, {"copy", copy}};
constexpr Builtin kOfLists[] = {{"index", index_of}, {"count", count_items}, {"copy", copy}};
constexpr const char* kRefused[] = {"clear", "pop",    "popitem", "setdefault", "update", "append",
                                    "sort",  "extend", "insert",  "remove",     "reverse"};

}  // namespace

const Builtin* find_method(Kind kind, std::string_view name, bool& refused) {
  std::span<const Builtin> table;
  if (kind == Kind::kString) table = kOfStrings;
  if (kind == Kind::kDict) table = kOfDicts;
  if (kind == Kind::kList) table = kOfLists;
  if (kind == Kind::kTuple) table = std::span(kOfLists).first(2);
  const Builtin* found = find_builtin(table, name);
  // The first five are a dictionary's.
  const auto changing = std::span(kRefused).first(kind == Kind::kDict ? 5 : std::size(kRefused));
  refused = found == nullptr && std::ranges::find(changing, name) != changing.end();
  return found;
}

}  // namespace enm::text::jinja
