// Doubles as decimal text, exactly as Python writes them. The library's own way brings tables of
// 110 KB, and a table-free short one is a digit too long now and then: here the whole decimal
// expansion is worked out, which is slow (microseconds) and right.
#pragma once

#include <cstdint>
#include <string>

namespace enm::text::jinja {

/// repr(value): the shortest text that reads back as the same number.
std::string float_repr(double value);

/// value with `places` digits behind the point, ties to even: '%.*f'. Below 0: tens, hundreds, ...
/// are rounded.
std::string float_fixed(double value, int places);

/// One digit, `places` behind the point, and the exponent: '%.*e'.
std::string float_exponent(double value, int places);

/// `digits` significant digits at most, without zeros at the end: '%.*g'.
std::string float_general(double value, int digits);

}  // namespace enm::text::jinja
