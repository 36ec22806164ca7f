// The % of strings.
#include <algorithm>
#include <cmath>

#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/decimal.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"

namespace enm::text::jinja {
namespace {

constexpr int kMostPlaces = 400;

// "%-08.3f": what stands between % and the letter.
struct Field {
  bool left = false, zeros = false, plus = false, space = false;
  int width = 0;
  int precision = -1;
};

class Formatter {
 public:
  Formatter(Heap& heap, std::string_view format, Value arguments)
      : heap_(heap), format_(format), arguments_(arguments), out_(heap) {}

  Value run() {
    while (at_ < format_.size() && heap_.spend(1)) {
      const char c = format_[at_++];
      if (c == '%') {
        read_field();
      } else {
        out_.add(c);
      }
    }
    // What can be asked for items by name need not be used.
    const bool is_tuple = arguments_.is(Kind::kTuple);
    const bool has_items = arguments_.is(Kind::kDict) || arguments_.is(Kind::kUndefined) ||
                           (arguments_.is_sequence() && !is_tuple);
    if (!has_items && used_ < (is_tuple ? arguments_->size : 1)) {
      heap_.fail("not all arguments converted during string formatting");
    }
    return out_.done();
  }

 private:
  char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  int read_count() {
    int count = 0;
    if (peek() == '*') {
      ++at_;
      const Value value = next();
      return static_cast<int>(std::clamp<int64_t>(value->integer, 0, kMostPlaces));
    }
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      count = std::min(count * 10 + (peek() - '0'), 1 << 20);
    }
    return count;
  }

  Value next() {
    if (!arguments_.is(Kind::kTuple)) {
      if (used_++ == 0) return arguments_;
    } else if (used_ < arguments_->size) {
      return arguments_->items[used_++];
    }
    return heap_.fail("not enough arguments for format string");
  }

  void read_field() {
    Value named;
    bool has_name = false;
    if (peek() == '(') {
      const size_t end = std::min(format_.find(')', at_), format_.size() - 1);
      const std::string_view key = format_.substr(at_ + 1, end - at_ - 1);
      const Value* found =
          arguments_.is(Kind::kDict) ? find(heap_, arguments_, heap_.string(key)) : nullptr;
      if (found == nullptr) return void(heap_.fail("format requires '", key, "'"));
      at_ = end + 1;
      named = *found;
      has_name = true;
    }
    Field field;
    for (;; ++at_) {
      const char c = peek();
      if (c == '-')
        field.left = true;
      else if (c == '0')
        field.zeros = true;
      else if (c == '+')
        field.plus = true;
      else if (c == ' ')
        field.space = true;
      else if (c != '#')
        break;
    }
    field.width = read_count();
    if (peek() == '.') {
      ++at_;
      field.precision = std::min(read_count(), kMostPlaces);
    }
    const char letter = peek();
    ++at_;
    if (letter == '%') return out_.add('%');
    if (letter == '\0') return void(heap_.fail("incomplete format"));
    write(field, letter, has_name ? named : next());
  }

  void write(const Field& field, char letter, Value value) {
    switch (letter) {
      case 's':
      case 'r': {
        Text text(heap_);
        letter == 's' ? print(text, value) : print_repr(text, value);
        std::string_view shown = text.view();
        const auto begins = starts(heap_, shown);
        if (field.precision >= 0 && static_cast<size_t>(field.precision) + 1 < begins.size()) {
          shown = shown.substr(0, begins[static_cast<size_t>(field.precision)]);
        }
        return pad(field, "", shown, false);
      }
      case 'c':
        if (value.is(Kind::kString)) return pad(field, "", value.str(), false);
        break;
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        if (value.is_number()) return write_integer(field, letter, value);
        break;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (value.is_number()) return write_float(field, letter, value.as_double());
        break;
      default:
        return void(heap_.fail("unsupported format character ", quoted({&letter, 1})));
    }
    heap_.fail("%", cat(letter, " format: a number is required, not ", value.type()));
  }

  void write_integer(const Field& field, char letter, Value value) {
    if (value.is(Kind::kFloat) && !(std::fabs(value->number) < 9e18)) {
      return void(heap_.fail("a number is out of range"));
    }
    const int64_t number =
        value.is(Kind::kFloat) ? static_cast<int64_t>(value->number) : value->integer;
    uint64_t rest = number < 0 ? -static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    char digits[24];
    char* const end = std::end(digits);
    char* begin = end;
    const unsigned base = letter == 'o' ? 8 : (letter | 32) == 'x' ? 16 : 10;
    do {
      *--begin = "0123456789abcdef"[rest % base];
    } while ((rest /= base) > 0);
    Text text(heap_);
    if (number < 0) text.add('-');
    text.repeat("0", field.precision - (end - begin));
    text.add(std::string_view(begin, static_cast<size_t>(end - begin)));
    pad_number(field, letter, text);
  }

  void write_float(const Field& field, char letter, double value) {
    const int precision = field.precision < 0 ? 6 : field.precision;
    Text text(heap_);
    switch (letter | 32) {
      case 'f':
        float_fixed(text, value, precision);
        break;
      case 'e':
        float_exponent(text, value, precision);
        break;
      default:
        float_general(text, value, precision);
    }
    pad_number(field, letter, text);
  }

  // In upper case if the letter is.
  void pad_number(const Field& field, char letter, const Text& text) {
    Text shown(heap_);
    change_case(shown, text.view(), letter < 'a' ? Case::kUpper : Case::kLower);
    const size_t sign = shown.view().starts_with('-') ? 1 : 0;
    pad(field, shown.view().substr(0, sign), shown.view().substr(sign), true);
  }

  void pad(const Field& field, std::string_view sign, std::string_view text, bool is_number) {
    if (is_number && sign.empty() && field.plus) sign = "+";
    if (is_number && sign.empty() && field.space) sign = " ";
    const int64_t room = field.width - length(text) - static_cast<int64_t>(sign.size());
    const bool zeros = field.zeros && is_number && !field.left;
    if (!field.left && !zeros) out_.repeat(" ", room);
    out_.add(sign);
    if (zeros) out_.repeat("0", room);
    out_.add(text);
    if (field.left) out_.repeat(" ", room);
  }

  Heap& heap_;
  const std::string_view format_;
  const Value arguments_;
  Text out_;
  size_t at_ = 0;
  uint32_t used_ = 0;
};

}  // namespace

Value format(Heap& heap, std::string_view format, Value arguments) {
  return Formatter(heap, format, arguments).run();
}

Value format_fields(Heap& heap, std::string_view format, std::span<const Value> values,
                    std::span<const Pair> named) {
  Text out(heap);
  int64_t used = 0;
  for (size_t at = 0; at < format.size() && heap.spend(1); ++at) {
    const char c = format[at];
    const bool doubled = (c == '{' || c == '}') && format.substr(at + 1).starts_with(c);
    if (doubled || (c != '{' && c != '}')) {
      out.add(c);
      at += doubled ? 1 : 0;
      continue;
    }
    const size_t end = format.find('}', at);
    if (c == '}' || end == std::string_view::npos) return heap.fail("a { or } stands alone");
    const std::string_view name = format.substr(at + 1, end - at - 1);
    at = end;
    int64_t index = name.empty() ? used++ : 0;
    const bool is_index = name.empty() || (!name.starts_with('-') && read_integer(name, index));
    if (is_index && index < std::ssize(values)) {
      print(out, values[static_cast<size_t>(index)]);
      continue;
    }
    const auto found = std::find_if(named.begin(), named.end(),
                                    [&](const Pair& one) { return one.key.str() == name; });
    if (is_index || found == named.end()) return heap.fail("format has no field ", quoted(name));
    print(out, found->value);
  }
  return out.done();
}

}  // namespace enm::text::jinja
