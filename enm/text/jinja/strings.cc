#include "enm/text/jinja/strings.h"

#include <algorithm>

#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

bool belongs(uint32_t c, const std::string_view* set) {
  if (set == nullptr) return is_space(c);
  for (size_t at = 0; at < set->size();) {
    if (next_code_point(*set, at) == c) return true;
  }
  return false;
}

// Of a text that ends before `end`.
size_t begin_of_last(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && (text[at] & 0xc0) == 0x80) --at;
  return at;
}

// "\x41" and its kin: how many hexadecimal digits follow the letter.
size_t hex_digits(char letter) { return letter == 'x' ? 2 : letter == 'u' ? 4 : 8; }

bool ends_line(uint32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

void put_case(Text& out, uint32_t c, bool upper) {
  if (c < 0x80) {
    const bool is_letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
    return out.add(static_cast<char>(is_letter ? c ^ 32 : c));
  }
  if (upper && c == 0xdf) return out.add("SS");
  std::vector<uint32_t> mapped;
  upper ? append_upper(mapped, c) : append_lower(mapped, c);
  for (uint32_t one : mapped) out.put(one);
}

}  // namespace

bool is_space(uint32_t c) { return is_white(c) || (c >= 0x1c && c <= 0x1f); }

std::string_view strip_left(std::string_view text, const std::string_view* set) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    if (!belongs(next_code_point(text, at), set)) return text.substr(begin);
  }
  return text.substr(text.size());
}

std::string_view strip_right(std::string_view text, const std::string_view* set) {
  while (!text.empty()) {
    size_t at = begin_of_last(text, text.size());
    const size_t begin = at;
    if (!belongs(next_code_point(text, at), set)) break;
    text = text.substr(0, begin);
  }
  return text;
}

int64_t length(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

List<uint32_t> starts(Heap& heap, std::string_view text) {
  List<uint32_t> out(heap);
  heap.spend(text.size() / 4);
  for (size_t at = 0; at < text.size() && !heap.failed();) {
    out.add(static_cast<uint32_t>(at));
    next_code_point(text, at);
  }
  out.add(static_cast<uint32_t>(text.size()));
  return out;
}

std::string_view next_part(std::string_view& rest, char separator, bool& more) {
  const size_t end = rest.find(separator);
  more = end != std::string_view::npos;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(more ? end + 1 : rest.size());
  return part;
}

bool read_integer(std::string_view text, int64_t& out, int base) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  bool fits = !text.empty();
  out = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' ? (c | 32) - 'a' + 10 : 36;
    // Below zero there is one number more.
    fits = fits && digit < base && !__builtin_mul_overflow(out, base, &out) &&
           !__builtin_sub_overflow(out, digit, &out);
  }
  return fits && (negative || !__builtin_sub_overflow(0, out, &out));
}

Value unescape(Heap& heap, std::string_view text) {
  constexpr std::string_view kLetters = "\n\\'\"abfnrtv", kValues = "\0\\'\"\a\b\f\n\r\t\v";
  Text out(heap);
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c != '\\' || at == text.size()) {
      out.add(c);
      continue;
    }
    const char letter = text[at++];
    const size_t octal = std::min(text.find_first_not_of("01234567", at - 1), text.size());
    int64_t code_point = 0;
    if (letter == 'x' || letter == 'u' || letter == 'U') {
      const std::string_view digits = text.substr(at, hex_digits(letter));
      if (digits.size() < hex_digits(letter) || digits[0] == '-' ||
          !read_integer(digits, code_point, 16) || code_point > 0x10ffff) {
        return heap.fail("truncated \\", text.substr(at - 1, 1), " in a string");
      }
      out.put(static_cast<uint32_t>(code_point));
      at += digits.size();
    } else if (octal > at - 1) {
      const size_t begin = at - 1;
      at = std::min(octal, at + 2);
      read_integer(text.substr(begin, at - begin), code_point, 8);
      out.put(static_cast<uint32_t>(code_point));
    } else if (const size_t found = kLetters.find(letter); found == std::string_view::npos) {
      out.add(text.substr(at - 2, 2));
    } else if (found > 0) {
      out.add(kValues[found]);
    }
  }
  return out.done();
}

void change_case(Text& out, std::string_view text, Case to) {
  for (size_t at = 0; at < text.size();) {
    const uint32_t c = next_code_point(text, at);
    const bool was_lower = c < 0x80 ? c >= 'a' : false;
    put_case(out, c, to == Case::kUpper || (to == Case::kSwap && was_lower));
  }
}

void capitalize(Text& out, std::string_view text) {
  if (text.empty()) return;
  size_t first = 0;
  put_case(out, next_code_point(text, first), true);
  change_case(out, text.substr(first), Case::kLower);
}

List<std::string_view> lines(Heap& heap, std::string_view text, bool keep_ends) {
  List<std::string_view> out(heap);
  size_t begin = 0;
  for (size_t at = 0; at < text.size() && heap.spend(1);) {
    const size_t before = at;
    const uint32_t c = next_code_point(text, at);
    if (!ends_line(c)) continue;
    if (c == '\r' && text.substr(at).starts_with('\n')) ++at;
    out.add(text.substr(begin, (keep_ends ? at : before) - begin));
    begin = at;
  }
  if (begin < text.size()) out.add(text.substr(begin));
  return out;
}

Value replace(Heap& heap, std::string_view text, std::string_view from, std::string_view to,
              int64_t count) {
  Text out(heap);
  heap.spend(text.size() / 16);
  size_t at = 0;
  while (count != 0 && heap.spend(1)) {
    const size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    out.add(text.substr(at, found - at));
    out.add(to);
    --count;
    at = found + from.size();
    if (!from.empty()) continue;
    if (at == text.size()) return out.done();
    const size_t begin = at;
    next_code_point(text, at);
    out.add(text.substr(begin, at - begin));
  }
  out.add(text.substr(std::min(at, text.size())));
  return out.done();
}

}  // namespace enm::text::jinja
