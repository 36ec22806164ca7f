// RFC 8785 (JSON Canonicalization Scheme): the one text of a JSON value, so that signing bytes is
// signing the value. Members are sorted by the UTF-16 code units of their keys, numbers are written
// as ECMAScript writes them, nothing is escaped that need not be, and there is no white space.
#pragma once

#include <string>
#include <string_view>

#include "enm/base/json.h"
#include "enm/base/status.h"

namespace enm::distribution {

/// The canonical text. kInvalidArgument for what has none: an integer beyond 2^53 in size, a number
/// that is not finite, text that is not UTF-8 (a lone surrogate included), a key that stands twice.
Result<std::string> canonical(const Json& value);

/// The value of a text that must be its own canonical form. kCorrupt for everything else: white
/// space, another order, another spelling of a number or string, a key that stands twice, bytes
/// behind the value, and any integral number beyond 2^53 however it is spelled.
Result<Json> parse_canonical(std::string_view text, const JsonLimits& limits = {});

/// `value` as ECMAScript's Number::toString writes it; `value` is finite.
std::string ecmascript_number(double value);

}  // namespace enm::distribution
