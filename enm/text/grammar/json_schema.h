// JSON schemas (draft 2020-12) as grammars of the documents that they allow.
//
// Understood: type (one or several), properties, required, additionalProperties, minProperties and
// maxProperties where nothing has to be counted, items, prefixItems, minItems, maxItems, minLength,
// maxLength, pattern, format, minimum, maximum and their exclusive forms, enum, const, anyOf,
// allOf, $ref within the document, also recursive. Annotations say nothing. Every other keyword
// changes what is valid and is refused by name.
//
// Every document that fits the grammar is valid. The grammar is narrower than the schema in this:
// - properties stand in the order in which the schema names them;
// - other properties than those named only where additionalProperties says so, or none is named;
// - oneOf is read as anyOf: that only one of them holds is the schema's business;
// - a schema without a type that constrains values of some types is of these types;
// - white space: none or one space behind `:`; none, one space or a line's end with at most 20
//   spaces behind `,` and inside brackets.
#pragma once

#include "enm/base/json.h"
#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

/// kInvalidArgument and kUnsupported name the place in the schema and the keyword.
Result<Grammar> grammar_of_schema(const Json& schema);

}  // namespace enm::text::grammar
