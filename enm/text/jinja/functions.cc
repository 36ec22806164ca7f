// The functions that a template finds without being given them.
#include <algorithm>
#include <cstdlib>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

Value range(Interpreter& in, const Value&, Args args) {
  int64_t bounds[] = {0, 0, 1};
  const size_t count = args.values.size();
  if (count < 1 || count > 3) return in.fail("range expects 1 to 3 integers");
  for (size_t i = 0; i < count; ++i) {
    if (!args.values[i].is_integer()) return in.fail("range expects integers");
    if (std::abs(args.values[i].integer) > INT32_MAX) return in.fail("range: a bound is too large");
    bounds[count == 1 ? 1 : i] = args.values[i].integer;
  }
  const auto [begin, end, step] = bounds;
  if (step == 0) return in.fail("range: the step is 0");
  return make_range(in, begin, end, step);
}

// A dictionary or pairs, and named values.
Value dict(Interpreter& in, const Value&, Args args) {
  std::vector<Pair> pairs;
  const Value given = args.get(0, "");
  if (given.is(Kind::kDict)) {
    pairs.assign(given.pairs, given.pairs + given.size);
    in.take(given.size * sizeof(Pair));
  } else if (!given.is(Kind::kNone)) {
    for (const Value& item : items_of(in, given)) {
      const auto pair = items_of(in, item);
      if (pair.size() != 2) return in.fail("dict: expected pairs");
      insert(in, pairs, pair[0], pair[1]);
    }
  }
  for (const Pair& pair : args.named) insert(in, pairs, pair.key, pair.value);
  return in.dict(pairs);
}

Value make_namespace(Interpreter& in, const Value&, Args args) {
  const Value given = dict(in, {}, args);
  Value out = Value::string({}, Kind::kNamespace);
  out.scope = in.make<Scope>();
  for (uint32_t i = 0; i < given.size; ++i) {
    const std::string_view name = given.pairs[i].key.str();
    if (!given.pairs[i].key.is(Kind::kString) || name.starts_with('_')) {
      return in.fail("a namespace takes no attribute ", quoted(to_text(in, given.pairs[i].key)));
    }
    in.assign(*out.scope, name, given.pairs[i].value);
  }
  return out;
}

Value raise(Interpreter& in, const Value&, Args args) {
  return in.fail("the template says: ", to_text(in, args.get(0, "message")));
}

constexpr std::string_view kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday"};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

struct Date {
  int64_t year, month, day, weekday, day_of_year, hour, minute, second;
};

// Source: Howard Hinnant, chrono-compatible low-level date algorithms, civil_from_days
Date date_of(int64_t seconds) {
  const int64_t days = (seconds - ((seconds % 86400) + 86400) % 86400) / 86400;
  const int64_t rest = seconds - days * 86400;
  const int64_t shifted = days + 719468;  // from 0000-03-01
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t of_era = shifted - era * 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * from_march + 2) / 153;
  Date out{};
  out.day = from_march - (153 * month + 2) / 5 + 1;
  out.month = month < 10 ? month + 3 : month - 9;
  out.year = year_of_era + era * 400 + (out.month <= 2 ? 1 : 0);
  const bool leap = (out.year % 4 == 0 && out.year % 100 != 0) || out.year % 400 == 0;
  out.day_of_year = out.month > 2 ? from_march + 59 + (leap ? 1 : 0) : from_march - 306;
  out.weekday = ((days + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  out.hour = rest / 3600;
  out.minute = rest / 60 % 60;
  out.second = rest % 60;
  return out;
}

void put(Text& out, int64_t number, int width, char pad) {
  const std::string digits = cat(number);
  if (pad != '-') out.repeat(pad == '_' ? " " : "0", width - static_cast<int64_t>(digits.size()));
  out.add(digits);
}

// Letters that stand for a number of some digits; true if this is one.
bool put_number(Text& out, const Date& date, char letter, char pad) {
  struct Row {
    char letter;
    int8_t width;
    int64_t value;
  };
  const Row rows[] = {{'Y', 1, date.year},
                      {'y', 2, date.year % 100},
                      {'m', 2, date.month},
                      {'d', 2, date.day},
                      {'e', 2, date.day},
                      {'H', 2, date.hour},
                      {'I', 2, (date.hour + 11) % 12 + 1},
                      {'M', 2, date.minute},
                      {'S', 2, date.second},
                      {'f', 6, 0},
                      {'j', 3, date.day_of_year + 1},
                      {'u', 1, date.weekday + 1},
                      {'w', 1, (date.weekday + 1) % 7}};
  if (letter == 'e' && pad == '0') pad = '_';
  for (const Row& row : rows) {
    if (row.letter == letter) return put(out, row.value, row.width, pad), true;
  }
  return false;
}

// What a letter stands for: a text, or a format of its own.
struct Named {
  char letter;
  bool is_format;
  std::string_view text;
};

void put_date(Text& out, const Date& date, std::string_view format) {
  const std::string_view day = kDays[date.weekday], month = kMonths[date.month - 1];
  const Named names[] = {{'A', false, day},
                         {'a', false, day.substr(0, 3)},
                         {'B', false, month},
                         {'b', false, month.substr(0, 3)},
                         {'h', false, month.substr(0, 3)},
                         {'p', false, date.hour < 12 ? "AM" : "PM"},
                         {'n', false, "\n"},
                         {'t', false, "\t"},
                         {'Z', false, ""},  // a local time without a zone has neither
                         {'z', false, ""},
                         {'%', false, "%"},
                         {'F', true, "%Y-%m-%d"},
                         {'T', true, "%H:%M:%S"},
                         {'X', true, "%H:%M:%S"},
                         {'D', true, "%m/%d/%y"},
                         {'x', true, "%m/%d/%y"},
                         {'R', true, "%H:%M"},
                         {'c', true, "%a %b %e %H:%M:%S %Y"}};
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out.add(format[at]);
      continue;
    }
    char pad = '0';
    if (format[at + 1] == '-' || format[at + 1] == '_') pad = format[++at];
    const char letter = at + 1 < format.size() ? format[++at] : '%';
    if (put_number(out, date, letter, pad)) continue;
    const Named* found = std::find_if(std::begin(names), std::end(names),
                                      [&](const Named& one) { return one.letter == letter; });
    if (found == std::end(names)) {
      out.add('%');
      out.add(letter);
    } else if (found->is_format) {
      put_date(out, date, found->text);
    } else {
      out.add(found->text);
    }
  }
}

Value strftime_now(Interpreter& in, const Value&, Args args) {
  const Value format = args.get(0, "format");
  if (!format.is(Kind::kString)) return in.fail("strftime_now: expected str");
  Text out(in);
  put_date(out, date_of(*in.now()), format.str());
  return out.done();
}

constexpr Builtin kFunctions[] = {
    {"range", range},
    {"dict", dict},
    {"namespace", make_namespace},
    {"raise_exception", raise},
    {"strftime_now", strftime_now},
};

}  // namespace

Value make_range(Heap& heap, int64_t begin, int64_t end, int64_t step) {
  constexpr size_t kMost = 100'000;  // as the sandbox has it
  Items out(heap);
  for (const int64_t bound : {begin, end, step}) out.add(Value::of_int(bound));
  int64_t at = begin;
  while (step > 0 ? at < end : at > end) {
    if (out.values().size() == kMost + 3) return heap.fail("range: too many items");
    out.add(Value::of_int(at));
    if (heap.failed() || __builtin_add_overflow(at, step, &at)) break;
  }
  Value made = out.done(Kind::kView);
  if (heap.failed()) return {};
  made.items += 3;
  made.size -= 3;
  made.detail = kRangeView;
  return made;
}

const Builtin* find_function(std::string_view name) {
  for (const Builtin& one : kFunctions) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace enm::text::jinja
