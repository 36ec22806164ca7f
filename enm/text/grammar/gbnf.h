// Grammars as llama.cpp writes them:
//   root ::= "yes" | "no" reason?     # the text is what `root` is
//   reason ::= " because " [^.\n]{1,80} "."
// Rules, "literals", [sets] and [^sets] with ranges, `.`, groups, | and the repetitions * + ? {m}
// {m,} {m,n}. Escapes: \n \r \t \\ \" \[ \] \xHH \uHHHH \UHHHHHHHH, each a code point.
#pragma once

#include <string_view>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

/// kInvalidArgument with the line of what is wrong.
Result<Grammar> parse_gbnf(std::string_view text);

/// Adds rules to a grammar. Those that they name are in it already, or among them.
Status append_gbnf(std::string_view text, Grammar& grammar);

}  // namespace enm::text::grammar
