// Building and taking apart small strings. The core has no iostream, no stdio and no std::format:
// each of them costs a third of the WebAssembly module.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enm {

inline void append(std::string& out, std::string_view text) { out.append(text); }
inline void append(std::string& out, const char* text) { out.append(text); }
inline void append(std::string& out, char c) { out.push_back(c); }
inline void append(std::string& out, bool value) { out.append(value ? "true" : "false"); }

template <std::integral Int>
void append(std::string& out, Int value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// Shortest text that reads back as the same number; in WebAssembly one in a thousand is a digit
/// longer.
void append(std::string& out, double value);
inline void append(std::string& out, float value) { append(out, static_cast<double>(value)); }

/// cat("layer ", 3, " of ", n): the parts one after the other.
template <typename... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

/// "a, b, c"
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::vector<std::string_view> split(std::string_view text, char separator);

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(const uint8_t* bytes, size_t size);

/// True for well-formed UTF-8 (Unicode 15, table 3-7): no surrogates, no overlong forms, at most
/// U+10FFFF.
bool is_utf8(std::string_view text);

/// Foreign text made safe to show on a terminal: control characters and what is no UTF-8 as \xNN,
/// cut after `limit` bytes.
std::string shown(std::string_view text, size_t limit = 80);
/// The same in quotes, which are marked where they stand inside.
std::string quoted(std::string_view text, size_t limit = 80);

}  // namespace enm
