#include "enm/text/jinja/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "enm/base/strings.h"

namespace enm::text::jinja {
namespace {

/// 0.digits * 10^point; zero has no digits.
struct Decimal {
  std::string digits;
  int point = 0;

  /// To `count` digits, which may be none or fewer; ties to even.
  void round(int count) {
    if (count >= static_cast<int>(digits.size())) return;
    if (count < 0) {
      count = 0;
      digits.assign(1, '0');
    }
    const auto at = static_cast<size_t>(count);
    const bool tie = digits[at] == '5' && at + 1 == digits.size();
    const bool odd = at > 0 && (digits[at - 1] - '0') % 2 == 1;
    const bool up = tie ? odd : digits[at] >= '5';
    digits.resize(at);
    if (!up) return;
    size_t i = at;
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) return void(++digits[i - 1]);
    digits.insert(0, 1, '1');
    ++point;
  }
};

constexpr uint32_t kLimb = 1'000'000'000;

void multiply(std::vector<uint32_t>& limbs, uint32_t factor) {
  uint64_t carry = 0;
  for (uint32_t& limb : limbs) {
    carry += uint64_t{limb} * factor;
    limb = static_cast<uint32_t>(carry % kLimb);
    carry /= kLimb;
  }
  if (carry > 0) limbs.push_back(static_cast<uint32_t>(carry));
}

/// All digits of a positive finite value: m 2^-e = m 5^e / 10^e.
Decimal exact(double value) {
  Decimal out;
  if (value == 0) return out;
  int exponent = 0;
  auto mantissa = static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;
  std::vector<uint32_t> limbs;
  for (; mantissa > 0; mantissa /= kLimb) limbs.push_back(static_cast<uint32_t>(mantissa % kLimb));
  for (int i = exponent; i > 0; i -= 29) multiply(limbs, 1u << std::min(i, 29));
  for (int i = exponent; i < 0; ++i) multiply(limbs, 5);
  while (!limbs.empty()) {
    std::string part = cat(limbs.back());
    if (!out.digits.empty()) part.insert(0, 9 - part.size(), '0');
    out.digits += part;
    limbs.pop_back();
  }
  out.point = static_cast<int>(out.digits.size()) + std::min(exponent, 0);
  out.digits.resize(out.digits.find_last_not_of('0') + 1);
  return out;
}

std::string plain(const Decimal& decimal, int places) {
  std::string digits = decimal.digits;
  if (decimal.point > static_cast<int>(digits.size())) {
    digits.append(static_cast<size_t>(decimal.point) - digits.size(), '0');
  }
  int point = decimal.point;
  if (point <= 0) {
    digits.insert(0, static_cast<size_t>(1 - point), '0');
    point = 1;
  }
  const auto whole = static_cast<size_t>(point);
  digits.resize(whole + static_cast<size_t>(places), '0');
  if (places > 0) digits.insert(whole, 1, '.');
  return digits;
}

std::string scientific(const Decimal& decimal, int places) {
  std::string out = decimal.digits;
  out.resize(static_cast<size_t>(places) + 1, '0');
  if (places > 0) out.insert(1, 1, '.');
  const int exponent = decimal.digits.empty() ? 0 : decimal.point - 1;
  out += exponent < 0 ? "e-" : "e+";
  if (std::abs(exponent) < 10) out += '0';
  return out + cat(std::abs(exponent));
}

/// "nan", "inf" or nothing; takes the sign away.
std::string special(double& value, std::string& sign) {
  if (std::isnan(value)) return "nan";
  if (std::signbit(value)) sign.push_back('-');
  value = std::fabs(value);
  return std::isinf(value) ? "inf" : "";
}

/// Plain from 10^-4 to 10^`most`, as Python chooses.
std::string readable(const Decimal& decimal, int most) {
  const int size = static_cast<int>(decimal.digits.size());
  if (size > 0 && (decimal.point <= -4 || decimal.point > most)) {
    return scientific(decimal, size - 1);
  }
  return plain(decimal, std::max(0, size - decimal.point));
}

}  // namespace

std::string float_repr(double value) {
  std::string sign;
  if (const std::string name = special(value, sign); !name.empty()) return sign + name;
  const Decimal all = exact(value);
  Decimal decimal = all;
  for (int count = 1; count <= 17; ++count) {
    decimal = all;
    decimal.round(count);
    const std::string text = scientific(decimal, count - 1);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    if (back == value) break;
  }
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  std::string out = readable(decimal, 16);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return sign + out;
}

std::string float_fixed(double value, int places) {
  std::string sign;
  if (const std::string name = special(value, sign); !name.empty()) return sign + name;
  Decimal decimal = exact(value);
  decimal.round(decimal.point + places);
  return sign + plain(decimal, std::max(0, places));
}

std::string float_exponent(double value, int places) {
  std::string sign;
  if (const std::string name = special(value, sign); !name.empty()) return sign + name;
  Decimal decimal = exact(value);
  decimal.round(places + 1);
  return sign + scientific(decimal, places);
}

std::string float_general(double value, int digits) {
  std::string sign;
  if (const std::string name = special(value, sign); !name.empty()) return sign + name;
  Decimal decimal = exact(value);
  decimal.round(std::max(1, digits));
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  return sign + readable(decimal, std::max(1, digits));
}

}  // namespace enm::text::jinja
