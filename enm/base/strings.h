// Building and taking apart small strings. The core has no iostream, no stdio and no std::format:
// each of them costs a third of the WebAssembly module.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace enm {

/// A piece of a text, of one type whatever it is, so that a call of cat() is a few stores.
class Part {
 public:
  Part(std::string_view text)
      : kind_(Kind::kText), size_(text.size()), value_{text.data()} {}  // NOLINT
  Part(const char* text) : Part(std::string_view(text)) {}
  Part(const std::string& text) : Part(std::string_view(text)) {}
  Part(bool value) : Part(value ? std::string_view("true") : std::string_view("false")) {}
  Part(char c) : kind_(Kind::kChar), value_{.integer = static_cast<unsigned char>(c)} {}
  template <std::signed_integral Int>
  Part(Int value) : kind_(Kind::kSigned), value_{.integer = static_cast<uint64_t>(value)} {}
  template <std::unsigned_integral Int>
  Part(Int value) : kind_(Kind::kUnsigned), value_{.integer = value} {}
  /// Shortest text that reads back as the same number; in WebAssembly one in a thousand is a digit
  /// longer.
  Part(double value) : kind_(Kind::kNumber), value_{.number = value} {}
  Part(float value) : Part(static_cast<double>(value)) {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : uint8_t { kText, kChar, kSigned, kUnsigned, kNumber };
  Kind kind_;
  size_t size_ = 0;
  union {
    const char* text;
    uint64_t integer;
    double number;
  } value_;
};

inline void append(std::string& out, const Part& part) { part.append_to(out); }
void append_number(std::string& out, double value);  // as Part(double) does

/// The number that begins the text, as std::from_chars reads it, and where it ends. An error leaves
/// `value` as it is.
std::errc read_number(const char*& begin, const char* end, double& value);

std::string cat_parts(std::initializer_list<Part> parts);

/// cat("layer ", 3, " of ", n): the parts one after the other.
template <typename... Parts>
[[gnu::always_inline]] inline std::string cat(const Parts&... parts) {
  return cat_parts({Part(parts)...});
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
