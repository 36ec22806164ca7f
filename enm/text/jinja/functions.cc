// The functions that a template finds without being given them.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

Value range(Interpreter& in, Value, Args args, int) {
  int64_t bounds[] = {0, 0, 1};
  const size_t count = args.values.size();
  if (count < 1 || count > 3) return in.fail("range expects 1 to 3 integers");
  for (size_t i = 0; i < count; ++i) {
    if (!args.values[i].is_integer()) return in.fail("range expects integers");
    if (std::abs(args.values[i]->integer) > INT32_MAX)
      return in.fail("range: a bound is too large");
    bounds[count == 1 ? 1 : i] = args.values[i]->integer;
  }
  const auto [begin, end, step] = bounds;
  if (step == 0) return in.fail("range: the step is 0");
  return make_range(in, begin, end, step);
}

// A dictionary or pairs, and named values.
Value dict(Interpreter& in, Value, Args args, int) {
  List<Pair> pairs(in);
  const Value given = args.get(0, "");
  if (given.is(Kind::kDict)) {
    for (const Pair& pair : given.pairs()) pairs.add(pair);
  } else if (!given.is(Kind::kNone)) {
    for (const Value& item : items_of(in, given)) {
      const auto pair = items_of(in, item);
      if (pair.size() != 2) return in.fail("dict: expected pairs");
      insert(in, pairs, pair[0], pair[1]);
    }
  }
  for (const Pair& pair : args.named) insert(in, pairs, pair.key, pair.value);
  return in.object(Kind::kDict, pairs.begin(), pairs.size());
}

Value make_namespace(Interpreter& in, Value, Args args, int) {
  auto* scope = in.make<Scope>();
  for (const Pair& pair : dict(in, {}, args, 0).pairs()) {
    const std::string_view name = pair.key.str();
    if (!pair.key.is(Kind::kString) || name.starts_with('_')) {
      return in.fail("a namespace takes no attribute ", quoted(to_text(in, pair.key)));
    }
    in.assign(*scope, name, pair.value);
  }
  return in.object(Kind::kNamespace, scope);
}

Value raise(Interpreter& in, Value, Args args, int) {
  return in.fail("the template says: ", to_text(in, args.get(0, "message")));
}

constexpr const char* kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                 "Friday", "Saturday", "Sunday"};
constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
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

constexpr int64_t kNoNumber = INT64_MIN;

// What a letter stands for, and its digits.
int64_t number_of(const Date& date, char letter, int& digits) {
  digits = 2;
  switch (letter) {
    case 'Y':
      return digits = 1, date.year;
    case 'y':
      return date.year % 100;
    case 'm':
      return date.month;
    case 'd':
    case 'e':
      return date.day;
    case 'H':
      return date.hour;
    case 'I':
      return (date.hour + 11) % 12 + 1;
    case 'M':
      return date.minute;
    case 'S':
      return date.second;
    case 'f':
      return digits = 6, 0;
    case 'j':
      return digits = 3, date.day_of_year + 1;
    case 'u':
      return digits = 1, date.weekday + 1;
    case 'w':
      return digits = 1, (date.weekday + 1) % 7;
    default:
      return kNoNumber;
  }
}

// The same of letters that stand for a text; false if this is none of them.
bool put_text(Text& out, const Date& date, char letter) {
  const std::string_view day = kDays[date.weekday], month = kMonths[date.month - 1];
  switch (letter) {
    case 'A':
      return out.add(day), true;
    case 'a':
      return out.add(day.substr(0, 3)), true;
    case 'B':
      return out.add(month), true;
    case 'b':
    case 'h':
      return out.add(month.substr(0, 3)), true;
    case 'p':
      return out.add(date.hour < 12 ? "AM" : "PM"), true;
    case 'n':
      return out.add('\n'), true;
    case 't':
      return out.add('\t'), true;
    case '%':
      return out.add('%'), true;
    default:
      return letter == 'Z' || letter == 'z';  // a local time without a zone has neither
  }
}

constexpr std::pair<char, const char*> kFormats[] = {{'F', "%Y-%m-%d"},
                                                     {'T', "%H:%M:%S"},
                                                     {'X', "%H:%M:%S"},
                                                     {'D', "%m/%d/%y"},
                                                     {'x', "%m/%d/%y"},
                                                     {'R', "%H:%M"},
                                                     {'c', "%a %b %e %H:%M:%S %Y"}};

void put_date(Text& out, const Date& date, std::string_view format) {
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out.add(format[at]);
      continue;
    }
    char pad = '0';
    if (format[at + 1] == '-' || format[at + 1] == '_') pad = format[++at];
    const char letter = at + 1 < format.size() ? format[++at] : '%';
    int width = 0;
    const int64_t number = number_of(date, letter, width);
    const auto* whole = std::ranges::find(kFormats, letter, &std::pair<char, const char*>::first);
    if (number != kNoNumber) {
      const std::string digits = cat(number);
      const bool spaces = pad == '_' || (letter == 'e' && pad == '0');
      if (pad != '-') out.repeat(spaces ? " " : "0", width - std::ssize(digits));
      out.add(digits);
    } else if (whole != std::end(kFormats)) {
      put_date(out, date, whole->second);
    } else if (!put_text(out, date, letter)) {
      out.add('%');
      out.add(letter);
    }
  }
}

Value strftime_now(Interpreter& in, Value, Args args, int) {
  const Value format = args.get(0, "format");
  if (!format.is(Kind::kString)) return in.fail("strftime_now: expected str");
  Text out(in);
  put_date(out, date_of(*in.now()), format.str());
  return out.done();
}

constexpr Builtin kTable[] = {
    {"range", range},
    {"dict", dict},
    {"namespace", make_namespace},
    {"raise_exception", raise},
    {"strftime_now", strftime_now},
};

}  // namespace

constinit const std::span<const Builtin> kFunctions = kTable;

Value make_range(Heap& heap, int64_t begin, int64_t end, int64_t step) {
  constexpr size_t kMost = 100'000;  // as the sandbox has it
  Items out(heap);
  for (const int64_t bound : {begin, end, step}) out.add(heap.integer(bound));
  int64_t at = begin;
  while (step > 0 ? at < end : at > end) {
    if (out.size() == kMost + 3) return heap.fail("range: too many items");
    out.add(heap.integer(at));
    if (heap.failed() || __builtin_add_overflow(at, step, &at)) break;
  }
  if (heap.failed()) return {};
  return heap.object(Kind::kView, out.begin() + 3, out.size() - 3, kRangeView);
}

}  // namespace enm::text::jinja
