// Doubles as decimal text, exactly as Python writes them. The library's own way brings tables of
// 110 KB, and a table-free short one is a digit too long now and then: here the whole decimal
// expansion is worked out, which is slow (microseconds) and right.
#pragma once

#include "enm/text/jinja/heap.h"

namespace enm::text::jinja {

/// Whether all of the text is a number as C writes it.
bool read_float(std::string_view text, double& out);

/// repr(value): the shortest text that reads back as the same number.
void float_repr(Text& out, double value);

/// value with `places` digits behind the point, ties to even: '%.*f'. Below 0: tens, hundreds, ...
/// are rounded.
void float_fixed(Text& out, double value, int places);

/// One digit, `places` behind the point, and the exponent: '%.*e'.
void float_exponent(Text& out, double value, int places);

/// `digits` significant digits at most, without zeros at the end: '%.*g'.
void float_general(Text& out, double value, int digits);

}  // namespace enm::text::jinja
