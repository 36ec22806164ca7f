// The one JSON document that --json prints, built from the inside out in the order of the calls:
//   JsonObject().add("ok", true).add("problems", list).str()
#pragma once

#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/base/strings.h"

namespace cli {

/// Text that is JSON already: a nested object or list.
struct RawJson {
  std::string text;
};

inline std::string to_json(const RawJson& raw) { return raw.text; }
inline std::string to_json(std::string_view text) { return enm::json_quote(text); }
inline std::string to_json(const char* text) { return enm::json_quote(text); }
inline std::string to_json(const std::string& text) { return enm::json_quote(text); }
inline std::string to_json(bool value) { return value ? "true" : "false"; }
inline std::string to_json(double value) { return std::isfinite(value) ? enm::cat(value) : "null"; }
/// As many digits as a float has, not as its double has.
inline std::string to_json(float value) {
  if (!std::isfinite(value)) return "null";
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
template <std::integral Int>
std::string to_json(Int value) {
  return enm::cat(value);
}
template <typename T>
std::string to_json(const std::vector<T>& items) {
  std::string out = "[";
  for (const T& item : items) {
    if (out.size() > 1) out += ",";
    out += to_json(item);
  }
  return out + "]";
}

class JsonObject {
 public:
  template <typename T>
  JsonObject& add(std::string_view key, const T& value) {
    if (!text_.empty()) text_ += ",";
    text_ += enm::json_quote(key) + ":" + to_json(value);
    return *this;
  }
  std::string str() const { return "{" + text_ + "}"; }
  RawJson raw() const { return RawJson{str()}; }

 private:
  std::string text_;
};

}  // namespace cli
