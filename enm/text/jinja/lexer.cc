#include "enm/text/jinja/lexer.h"

#include <algorithm>

#include "enm/text/jinja/decimal.h"
#include "enm/text/jinja/strings.h"
#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

using Type = Token::Type;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c < 0;
}

class Lexer {
 public:
  Lexer(Heap& heap, std::string_view source) : heap_(heap), source_(source), tokens_(heap) {}

  List<Token> run() {
    while (at_ < source_.size() && !heap_.failed()) read_data();
    add(Type::kEnd, source_.substr(source_.size()));
    return tokens_;
  }

 private:
  bool starts(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  bool skip(std::string_view text) {
    if (!starts(text)) return false;
    at_ += text.size();
    return true;
  }
  void skip_white() { at_ += source_.size() - at_ - strip_left(source_.substr(at_)).size(); }

  // Tokens come in the order of the source.
  void begin_token(size_t at) {
    for (; counted_ < at; ++counted_) line_ += source_[counted_] == '\n' ? 1 : 0;
    heap_.line = line_;
  }
  void add(Type type, std::string_view text, Value number = {}) {
    begin_token(static_cast<size_t>(text.data() - source_.data()));
    tokens_.add({type, line_, text, number});
  }

  // What stands behind a tag's bracket, - or + or nothing, and its name.
  bool is_tag(std::string_view name, size_t at, size_t& end, std::string_view& sign) {
    const size_t before = std::exchange(at_, at + 2);
    sign = source_.substr(at_, starts("-") || starts("+") ? 1 : 0);
    at_ += sign.size();
    skip_white();
    bool found = skip(name);
    skip_white();
    if (found && skip("-%}")) {
      skip_white();
    } else if (found && !(name == "endraw" && skip("+%}"))) {
      found = skip("%}");
      if (found && name == "endraw") skip("\n");
    }
    end = std::exchange(at_, before);
    return found;
  }

  // Text up to a tag, without the white space that the tag's sign or its line takes away.
  std::string_view trimmed(std::string_view text, std::string_view sign, bool is_print) const {
    if (sign == "-") return strip_right(text);
    if (sign == "+" || is_print) return text;
    const size_t line = text.rfind('\n') + 1;  // 0 if there is none
    if (line == 0 && !line_starts_) return text;
    return strip_left(text.substr(line)).empty() ? text.substr(0, line) : text;
  }

  void read_data() {
    size_t tag = at_;
    constexpr std::string_view kSecond = "{%#";
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string_view::npos) return add(Type::kData, take_to(source_.size()));
      if (tag + 1 < source_.size() && kSecond.find(source_[tag + 1]) != std::string_view::npos)
        break;
    }
    const char kind = source_[tag + 1];
    std::string_view sign;
    size_t raw = 0;
    const bool is_raw = kind == '%' && is_tag("raw", tag, raw, sign);
    if (!is_raw) sign = source_.substr(std::min(tag + 2, source_.size()), 1);
    if (sign != "-" && sign != "+") sign = {};
    const std::string_view data = trimmed(take_to(tag), sign, kind == '{');
    if (!data.empty()) add(Type::kData, data);
    if (is_raw) return read_raw(raw);
    at_ = tag + 2 + sign.size();
    if (kind == '#') return read_comment(tag);
    add(kind == '{' ? Type::kPrintBegin : Type::kBlockBegin, source_.substr(tag, 2));
    read_expression(kind == '{');
  }

  std::string_view take_to(size_t end) {
    const std::string_view out = source_.substr(at_, end - at_);
    at_ = end;
    return out;
  }

  void read_raw(size_t begin) {
    at_ = begin;
    line_starts_ = source_[begin - 1] == '\n';
    for (size_t tag = begin; (tag = source_.find("{%", tag)) != std::string_view::npos; ++tag) {
      std::string_view sign;
      size_t end = 0;
      if (!is_tag("endraw", tag, end, sign)) continue;
      add(Type::kData, trimmed(take_to(tag), sign, false));
      return leave_tag(end);
    }
    heap_.fail("raw has no endraw");
  }

  void read_comment(size_t tag) {
    const size_t end = source_.find("#}", at_);
    if (end == std::string_view::npos) {
      add(Type::kData, source_.substr(tag, 0));
      return void(heap_.fail("a comment has no end"));
    }
    const char sign = end > at_ ? source_[end - 1] : ' ';
    at_ = end + 2;
    if (sign == '-') skip_white();
    if (sign != '-' && sign != '+') skip("\n");
    leave_tag(at_);
  }

  void leave_tag(size_t end) {
    at_ = end;
    line_starts_ = source_[end - 1] == '\n';
  }

  bool skip_end(bool is_print) {
    const std::string_view end = is_print ? "}}" : "%}";
    const size_t begin = at_;
    if (starts("-") && source_.substr(at_ + 1).starts_with(end)) {
      at_ += 3;
      skip_white();
    } else if (!is_print && starts("+%}")) {
      at_ += 3;
    } else if (skip(end)) {
      if (!is_print) skip("\n");
    } else {
      return false;
    }
    add(is_print ? Type::kPrintEnd : Type::kBlockEnd, source_.substr(begin, 2));
    leave_tag(at_);
    return true;
  }

  void read_expression(bool is_print) {
    std::string open;  // the closing brackets that are awaited
    while (!heap_.failed()) {
      skip_white();
      if (open.empty() && skip_end(is_print)) return;
      if (at_ == source_.size()) return void(heap_.fail("the template ends inside a tag"));
      const char c = source_[at_];
      if (is_digit(c)) {
        read_number();
      } else if (is_name(c)) {
        size_t end = at_;
        while (end < source_.size() && is_name(source_[end])) ++end;
        add(Type::kName, take_to(end));
      } else if (c == '"' || c == '\'') {
        read_string(c);
      } else {
        read_operator(open);
      }
    }
  }

  void read_operator(std::string& open) {
    for (const std::string_view two : {"//", "**", "==", "!=", ">=", "<="}) {
      if (starts(two)) return add(Type::kOperator, take_to(at_ + 2));
    }
    const char c = source_[at_];
    if (std::string_view("+-/*%~[](){}><=.:|,").find(c) == std::string_view::npos) {
      return void(heap_.fail("unexpected ", quoted(source_.substr(at_, 1))));
    }
    if (c == '(') open += ')';
    if (c == '[') open += ']';
    if (c == '{') open += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) {
        return void(heap_.fail("unexpected '", source_.substr(at_, 1), "'"));
      }
      open.pop_back();
    }
    add(Type::kOperator, take_to(at_ + 1));
  }

  // Digits, maybe with _ between them.
  size_t digits_end(size_t at) const {
    while (at < source_.size() && (is_digit(source_[at]) || source_[at] == '_')) ++at;
    return at;
  }
  bool digit_at(size_t at) const { return at < source_.size() && is_digit(source_[at]); }

  void read_number() {
    const bool may_be_float = at_ == 0 || source_[at_ - 1] != '.';
    size_t end = digits_end(at_);
    bool is_float = false;
    if (may_be_float && end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
      end = digits_end(end + 1);
      is_float = true;
    }
    if (may_be_float && end < source_.size() && (source_[end] | 32) == 'e') {
      const size_t sign = source_.substr(end + 1, 1).find_first_of("+-") == 0 ? 1 : 0;
      if (digit_at(end + 1 + sign)) {
        end = digits_end(end + 1 + sign);
        is_float = true;
      }
    }
    const std::string_view text = take_to(end);
    Text digits(heap_);
    for (const char c : text) {
      if (c != '_') digits.add(c);
    }
    double number = 0;
    int64_t integer = 0;
    const bool fits =
        is_float ? read_float(digits.view(), number) : read_integer(digits.view(), integer);
    if (!fits) heap_.fail("number ", quoted(digits.view()), " is out of range");
    const Value value = is_float ? heap_.number(number) : heap_.integer(integer);
    add(Type::kNumber, text, value);
  }

  void read_string(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return void(heap_.fail("a string has no end"));
    const std::string_view text = source_.substr(at_ + 1, end - at_ - 1);
    const bool is_plain = text.find('\\') == std::string_view::npos;
    begin_token(at_);
    tokens_.add({Type::kString, line_, is_plain ? text : unescape(heap_, text).str(), {}});
    at_ = end + 1;
  }

  Heap& heap_;
  const std::string_view source_;
  List<Token> tokens_;
  size_t at_ = 0;
  size_t counted_ = 0;  // bytes whose lines line_ counts
  uint32_t line_ = 1;
  bool line_starts_ = true;  // where at_ stands
};

}  // namespace

List<Token> tokenize(Heap& heap, std::string_view source) { return Lexer(heap, source).run(); }

}  // namespace enm::text::jinja
