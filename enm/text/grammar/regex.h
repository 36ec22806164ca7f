// Regular expressions as JSON schemas write them (ECMA 262): sets, \d \w \s, groups, |,
// repetitions, ^ at the beginning and $ at the end of a way. What looks around or back is refused.
#pragma once

#include <string_view>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

/// One character as it stands within a JSON string: raw, or escaped where it must be.
Grammar::Node json_character(Grammar& grammar, std::span<const Range> ranges);

struct Pattern {
  Grammar::Node node = Grammar::kEmpty;
  // Characters, at least and at most (Grammar::kUnlimited).
  uint32_t shortest = 0;
  uint32_t longest = 0;
};

/// Texts, written within JSON strings, in which `pattern` is found. kInvalidArgument or
/// kUnsupported naming what is wrong.
Result<Pattern> parse_regex(std::string_view pattern, Grammar& grammar);

}  // namespace enm::text::grammar
