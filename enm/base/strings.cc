#include "enm/base/strings.h"

#include <charconv>

namespace enm {

void Part::append_to(std::string& out) const {
  char digits[24];
  switch (kind_) {
    case Kind::kText:
      out.append(value_.text, size_);
      return;
    case Kind::kChar:
      out.push_back(static_cast<char>(value_.integer));
      return;
    case Kind::kNumber:
      append_number(out, value_.number);
      return;
    case Kind::kSigned:
    case Kind::kUnsigned:
      break;
  }
  const bool negative = kind_ == Kind::kSigned && static_cast<int64_t>(value_.integer) < 0;
  if (negative) out.push_back('-');
  const uint64_t magnitude = negative ? 0 - value_.integer : value_.integer;
  out.append(digits, std::to_chars(digits, digits + sizeof digits, magnitude).ptr);
}

std::string cat_parts(std::initializer_list<Part> parts) {
  std::string out;
  for (const Part& part : parts) part.append_to(out);
  return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out.append(separator);
    out.append(part);
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string_view::npos; begin = end + 1) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

namespace {
constexpr char kHexDigits[] = "0123456789abcdef";
}

std::string to_hex(const uint8_t* bytes, size_t size) {
  std::string out;
  out.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    out.push_back(kHexDigits[bytes[i] >> 4]);
    out.push_back(kHexDigits[bytes[i] & 15]);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at != end) {
    const unsigned lead = *at++;
    if (lead < 0x80) continue;
    const int extra = lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (extra < 0 || end - at < extra) return false;
    // The second byte's range is narrower after these leads; it excludes overlong forms, surrogates
    // and what lies beyond U+10FFFF.
    const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (*at < low || *at > high) return false;
    for (int i = 1; i < extra; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
    }
    at += extra;
  }
  return true;
}

namespace {

std::string shown_marking(std::string_view text, size_t limit, std::string_view marked) {
  std::string_view head = text;
  if (text.size() > limit) {
    while (limit > 0 && (text[limit] & 0xc0) == 0x80) --limit;
    head = text.substr(0, limit);
  }
  const bool is_text = is_utf8(head);
  std::string out;
  for (size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    // U+0080 to U+009F are controls too.
    const bool is_high_control = is_text && byte == 0xc2 && (head[i + 1] & 0xe0) == 0x80;
    if (byte < 0x20 || byte == 0x7f || is_high_control || (byte >= 0x80 && !is_text)) {
      out.append("\\x").append(to_hex(&byte, 1));
      if (!is_high_control) continue;
      const auto next = static_cast<unsigned char>(head[++i]);
      out.append("\\x").append(to_hex(&next, 1));
      continue;
    }
    if (marked.find(head[i]) != std::string_view::npos) out.push_back('\\');
    out.push_back(head[i]);
  }
  if (head.size() < text.size()) out.append("...");
  return out;
}

}  // namespace

std::string shown(std::string_view text, size_t limit) { return shown_marking(text, limit, ""); }

std::string quoted(std::string_view text, size_t limit) {
  return cat('"', shown_marking(text, limit, "\"\\"), '"');
}

}  // namespace enm
