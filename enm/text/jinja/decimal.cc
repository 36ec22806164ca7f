#include "enm/text/jinja/decimal.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace enm::text::jinja {
namespace {

constexpr uint32_t kLimb = 1'000'000'000;
// Of nine digits each: the smallest double has 767 digits, and 2^53 5^1074 is where they come from.
constexpr int kMostLimbs = 90;

/// 0.digits * 10^point; zero has no digits.
struct Decimal {
  char digits[9 * kMostLimbs];
  int size = 0;
  int point = 0;

  /// To `count` digits, which may be none or fewer; ties to even.
  void round(int count) {
    if (count >= size) return;
    const bool tie = count >= 0 && digits[count] == '5' && count + 1 == size;
    const bool odd = count > 0 && (digits[count - 1] - '0') % 2 == 1;
    const bool up = tie ? odd : count >= 0 && digits[count] >= '5';
    size = std::max(count, 0);
    if (!up) return;
    int i = size;
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) return void(++digits[i - 1]);
    std::copy_backward(digits, digits + size, digits + size + 1);
    digits[0] = '1';
    ++size;
    ++point;
  }

  void drop_zeros() {
    while (size > 0 && digits[size - 1] == '0') --size;
  }
};

struct Limbs {
  uint32_t limbs[kMostLimbs];
  int size = 0;

  void multiply(uint32_t factor, uint64_t carry = 0) {
    for (int i = 0; i < size; ++i) {
      carry += uint64_t{limbs[i]} * factor;
      limbs[i] = static_cast<uint32_t>(carry % kLimb);
      carry /= kLimb;
    }
    for (; carry > 0; carry /= kLimb) limbs[size++] = static_cast<uint32_t>(carry % kLimb);
  }
};

/// All digits of a positive finite value: m 2^-e = m 5^e / 10^e.
void expand(double value, Decimal& out) {
  if (value == 0) return;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  exponent -= 53;
  Limbs limbs;
  limbs.multiply(0, static_cast<uint64_t>(std::ldexp(fraction, 53)));
  for (int i = exponent; i > 0; i -= 29) limbs.multiply(1u << std::min(i, 29));
  for (int i = exponent; i < 0; ++i) limbs.multiply(5);
  for (int i = limbs.size; i-- > 0;) {
    for (uint32_t unit = kLimb / 10; unit > 0; unit /= 10) {
      const char digit = static_cast<char>('0' + limbs.limbs[i] / unit % 10);
      if (digit != '0' || out.size > 0) out.digits[out.size++] = digit;
    }
  }
  out.point = out.size + std::min(exponent, 0);
  out.drop_zeros();
}

void put_plain(Text& out, const Decimal& decimal, int places) {
  // One digit at least stands before the point.
  for (int i = std::min(decimal.point - 1, 0); i < decimal.point + places; ++i) {
    if (i == decimal.point) out.add('.');
    out.add(i >= 0 && i < decimal.size ? decimal.digits[i] : '0');
  }
}

void put_scientific(Text& out, const Decimal& decimal, int places) {
  for (int i = 0; i <= places; ++i) {
    if (i == 1) out.add('.');
    out.add(i < decimal.size ? decimal.digits[i] : '0');
  }
  const int exponent = decimal.size == 0 ? 0 : decimal.point - 1;
  out.add(exponent < 0 ? "e-" : "e+");
  if (std::abs(exponent) < 10) out.add('0');
  out.add(cat(std::abs(exponent)));
}

/// Plain from 10^-4 to 10^`most`, as Python chooses; whether it is.
bool put_readable(Text& out, const Decimal& decimal, int most) {
  if (decimal.size > 0 && (decimal.point <= -4 || decimal.point > most)) {
    put_scientific(out, decimal, decimal.size - 1);
    return false;
  }
  put_plain(out, decimal, std::max(0, decimal.size - decimal.point));
  return true;
}

/// The sign and "nan" or "inf", or the digits of what is a number.
bool is_number(Text& out, double value, Decimal& decimal) {
  if (std::isnan(value)) return out.add("nan"), false;
  if (std::signbit(value)) out.add('-');
  if (std::isinf(value)) return out.add("inf"), false;
  expand(std::fabs(value), decimal);
  return true;
}

}  // namespace

bool read_float(std::string_view text, double& out) {
  const char* at = text.data();
  const char* end = at + text.size();
  return read_number(at, end, out) == std::errc() && at == end;
}

void float_repr(Text& out, double value) {
  Decimal all;
  if (!is_number(out, value, all)) return;
  Decimal decimal;
  for (int count = 1; count <= 17; ++count) {
    decimal = all;
    decimal.round(count);
    Text text(out.heap());
    put_scientific(text, decimal, count - 1);
    double back = 0;
    if (read_float(text.view(), back) && back == std::fabs(value)) break;
  }
  decimal.drop_zeros();
  if (put_readable(out, decimal, 16) && decimal.size <= decimal.point) out.add(".0");
}

void float_fixed(Text& out, double value, int places) {
  Decimal decimal;
  if (!is_number(out, value, decimal)) return;
  decimal.round(decimal.point + places);
  put_plain(out, decimal, std::max(0, places));
}

void float_exponent(Text& out, double value, int places) {
  Decimal decimal;
  if (!is_number(out, value, decimal)) return;
  decimal.round(places + 1);
  put_scientific(out, decimal, places);
}

void float_general(Text& out, double value, int digits) {
  Decimal decimal;
  if (!is_number(out, value, decimal)) return;
  decimal.round(std::max(1, digits));
  decimal.drop_zeros();
  put_readable(out, decimal, std::max(1, digits));
}

}  // namespace enm::text::jinja
