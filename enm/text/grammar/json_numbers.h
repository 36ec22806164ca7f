// The numbers that a JSON schema allows, as expressions.
#pragma once

#include <cstdint>
#include <optional>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

struct Bound {
  double value = 0;
  bool exclusive = false;
};
struct Bounds {
  std::optional<Bound> least;
  std::optional<Bound> most;
};

/// Integers within the bounds, one of which is there: all of them up to sixteen digits.
Grammar::Node json_integer(Grammar& grammar, const Bounds& bounds);

/// Numbers within bounds, as decimals without an exponent; where a bound has decimals itself or is
/// exclusive, integers and numbers of a fixed count of decimals. Fails for bounds of more than six
/// decimals.
Grammar::Node json_number(Grammar& grammar, const Bounds& bounds);

}  // namespace enm::text::grammar
