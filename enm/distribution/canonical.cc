#include "enm/distribution/canonical.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace enm::distribution {
namespace {

constexpr int64_t kLargestInteger = int64_t{1} << 53;

/// Order of UTF-16 code units, told from UTF-8: that of the bytes, but for code points of two units
/// (lead bytes F0..F4, units from D800), which come before U+E000..U+FFFF (lead bytes EE and EF).
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto p = static_cast<unsigned char>(*x);
  const auto q = static_cast<unsigned char>(*y);
  if (p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0)) return p >= 0xF0;
  return p < q;
}

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\t':
      out.append("\\t");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\r':
      out.append("\\r");
      return;
    default:
      out.append("\\u").append("00").append(to_hex(&c, 1));
      return;
  }
}

Status append_string(std::string& out, std::string_view text) {
  if (!is_utf8(text)) return InvalidArgument("[canonical] text ", quoted(text), " is not UTF-8");
  out.push_back('"');
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\') {
      append_escaped(out, byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return Status();
}

Status append_value(std::string& out, const Json& value);

Status append_array(std::string& out, const std::vector<Json>& items) {
  out.push_back('[');
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    ENM_RETURN_IF_ERROR(append_value(out, items[i]));
  }
  out.push_back(']');
  return Status();
}

Status append_object(std::string& out, const std::vector<Json::Member>& members) {
  std::vector<const Json::Member*> sorted;
  sorted.reserve(members.size());
  for (const Json::Member& member : members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return utf16_less(a->first, b->first); });
  out.push_back('{');
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0) {
      if (sorted[i]->first == sorted[i - 1]->first) {
        return InvalidArgument("[canonical] key ", quoted(sorted[i]->first), " stands twice");
      }
      out.push_back(',');
    }
    ENM_RETURN_IF_ERROR(append_string(out, sorted[i]->first));
    out.push_back(':');
    ENM_RETURN_IF_ERROR(append_value(out, sorted[i]->second));
  }
  out.push_back('}');
  return Status();
}

Status append_value(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::Type::kNull:
      out.append("null");
      return Status();
    case Json::Type::kBool:
      append(out, value.boolean());
      return Status();
    case Json::Type::kInt:
      if (value.integer() > kLargestInteger || value.integer() < -kLargestInteger) {
        return InvalidArgument("[canonical] integer ", value.integer(), " is beyond 2^53");
      }
      append(out, value.integer());
      return Status();
    case Json::Type::kDouble:
      if (!std::isfinite(value.number())) {
        return InvalidArgument("[canonical] a number is not finite");
      }
      out.append(ecmascript_number(value.number()));
      return Status();
    case Json::Type::kString:
      return append_string(out, value.string());
    case Json::Type::kArray:
      return append_array(out, value.items());
    case Json::Type::kObject:
      return append_object(out, value.members());
  }
  return Internal("[canonical] a JSON value has no type");
}

/// Refuses integral doubles beyond 2^53: written as digits or with an exponent, readers differ on
/// them.
Status check_integers(const Json& value) {
  if (value.type() == Json::Type::kDouble) {
    const double number = value.number();
    if (std::abs(number) > static_cast<double>(kLargestInteger) && number == std::trunc(number)) {
      return Corrupt("[canonical] integer ", number, " is beyond 2^53");
    }
  }
  for (const Json& item : value.items()) ENM_RETURN_IF_ERROR(check_integers(item));
  for (const auto& [key, member] : value.members()) ENM_RETURN_IF_ERROR(check_integers(member));
  return Status();
}

}  // namespace

std::string ecmascript_number(double value) {
  if (value == 0) return "0";  // and minus zero
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  // [-]d[.ddd]e[+-]xx: the shortest digits that read back as `value`, and where the point goes.
  std::string_view rest(text, static_cast<size_t>(end - text));
  std::string out;
  if (rest.front() == '-') {
    out.push_back('-');
    rest.remove_prefix(1);
  }
  const size_t e = rest.find('e');
  std::string digits(1, rest.front());
  if (e > 2) digits.append(rest.substr(2, e - 2));
  std::string_view exponent_text = rest.substr(e + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

  // ECMA-262, Number::toString: value = 0.digits * 10^point.
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;
  if (count <= point && point <= 21) {
    return out.append(digits).append(static_cast<size_t>(point - count), '0');
  }
  if (0 < point && point <= 21) {
    return out.append(digits, 0, static_cast<size_t>(point))
        .append(".")
        .append(digits, static_cast<size_t>(point));
  }
  if (-6 < point && point <= 0) {
    return out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  }
  out.append(digits, 0, 1);
  if (count > 1) out.append(".").append(digits, 1);
  return out.append(exponent < 0 ? "e-" : "e+").append(cat(std::abs(exponent)));
}

Result<std::string> canonical(const Json& value) {
  std::string out;
  ENM_RETURN_IF_ERROR(append_value(out, value));
  return out;
}

Result<Json> parse_canonical(std::string_view text, const JsonLimits& limits) {
  ENM_ASSIGN_OR_RETURN(Json value, Json::parse(text, limits));
  ENM_RETURN_IF_ERROR(check_integers(value));
  const Result<std::string> again = canonical(value);
  if (!again.ok()) return Corrupt(again.status().message());
  if (*again != text) {
    const auto at = std::mismatch(text.begin(), text.end(), again->begin(), again->end()).first;
    return Corrupt("[canonical] not the canonical form (RFC 8785) of its value: differs from byte ",
                   at - text.begin(), " on");
  }
  return value;
}

}  // namespace enm::distribution
