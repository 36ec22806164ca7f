// Two JSON schemas as one that allows what both allow. Private to this folder.
#pragma once

#include <string_view>

#include "enm/base/json.h"

namespace enm::text::grammar {

/// Types as bits; a number may be an integer.
enum Types : uint32_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kNumberType = 8 | kIntegerType,
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
  kAllTypes = 127,
};

/// What the keyword says about: types, or nothing (0) for annotations. kUnsupported for keywords
/// that change what is valid and are not understood.
Result<uint32_t> types_of_keyword(std::string_view keyword);

/// The value of `type`: a name or a list of names.
Result<uint32_t> types_of(const Json& type);

/// kUnsupported if both say different things by a keyword that cannot be joined.
Result<Json> merge(const Json& first, const Json& second);

/// `schema` without that keyword.
Json without(const Json& schema, std::string_view keyword);

/// Whether it says nothing but annotations.
bool says_nothing(const Json& schema);

}  // namespace enm::text::grammar
