#include "enm/text/grammar/schema_merge.h"

#include <algorithm>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {
namespace {

// How two values of a keyword become one.
enum class Join : uint8_t { kFirst, kSame, kLarger, kSmaller, kUnion, kBoth, kProperties, kOther };

struct Keyword {
  std::string_view name;
  uint32_t types;  // that it says something about; 0: an annotation
  Join join;
};

constexpr Keyword kKeywords[] = {
    {"type", kAllTypes, Join::kOther},
    {"enum", kAllTypes, Join::kOther},
    {"const", kAllTypes, Join::kOther},
    {"anyOf", kAllTypes, Join::kOther},
    {"oneOf", kAllTypes, Join::kOther},
    {"allOf", kAllTypes, Join::kUnion},
    {"$ref", kAllTypes, Join::kSame},
    {"minimum", kNumberType, Join::kLarger},
    {"exclusiveMinimum", kNumberType, Join::kLarger},
    {"maximum", kNumberType, Join::kSmaller},
    {"exclusiveMaximum", kNumberType, Join::kSmaller},
    {"minLength", kStringType, Join::kLarger},
    {"maxLength", kStringType, Join::kSmaller},
    {"pattern", kStringType, Join::kSame},
    {"format", kStringType, Join::kSame},
    {"items", kArrayType, Join::kBoth},
    {"prefixItems", kArrayType, Join::kSame},
    {"minItems", kArrayType, Join::kLarger},
    {"maxItems", kArrayType, Join::kSmaller},
    {"uniqueItems", kArrayType, Join::kSame},
    {"properties", kObjectType, Join::kProperties},
    {"required", kObjectType, Join::kUnion},
    {"additionalProperties", kObjectType, Join::kBoth},
    {"minProperties", kObjectType, Join::kLarger},
    {"maxProperties", kObjectType, Join::kSmaller},
    {"title", 0, Join::kFirst},
    {"description", 0, Join::kFirst},
    {"default", 0, Join::kFirst},
    {"examples", 0, Join::kFirst},
    {"deprecated", 0, Join::kFirst},
    {"readOnly", 0, Join::kFirst},
    {"writeOnly", 0, Join::kFirst},
    {"discriminator", 0, Join::kFirst},
    {"contentEncoding", 0, Join::kFirst},
    {"contentMediaType", 0, Join::kFirst},
    {"definitions", 0, Join::kFirst},
    {"$defs", 0, Join::kFirst},
    {"$comment", 0, Join::kFirst},
    {"$schema", 0, Join::kFirst},
    {"$id", 0, Join::kFirst},
};

const Keyword* find_keyword(std::string_view name) {
  const auto* found = std::ranges::find(kKeywords, name, &Keyword::name);
  return found == std::end(kKeywords) ? nullptr : found;
}

constexpr std::pair<std::string_view, uint32_t> kTypeNames[] = {
    {"null", kNullType},       {"boolean", kBooleanType}, {"number", kNumberType},
    {"integer", kIntegerType}, {"string", kStringType},   {"array", kArrayType},
    {"object", kObjectType}};

Json object(std::string_view key, Json value) {
  std::vector<Json::Member> members;
  members.emplace_back(key, std::move(value));
  return Json(std::move(members));
}

Json both(const Json& a, const Json& b) { return object("allOf", Json(std::vector<Json>{a, b})); }

Json list_of_both(const Json& a, const Json& b) {
  std::vector<Json> items = a.items();
  items.insert(items.end(), b.items().begin(), b.items().end());
  return Json(std::move(items));
}

// Names of the types that both have.
Result<Json> common_types(const Json& a, const Json& b) {
  ENM_ASSIGN_OR_RETURN(uint32_t types, types_of(a));
  ENM_ASSIGN_OR_RETURN(const uint32_t others, types_of(b));
  types &= others;
  std::vector<Json> names;
  for (const auto& [name, type] : kTypeNames) {
    if ((types & type) != type) continue;
    names.emplace_back(std::string(name));
    types &= ~type;
  }
  return Json(std::move(names));
}

Json common_values(const Json& a, const Json& b) {
  std::vector<Json> values;
  for (const Json& value : a.items()) {
    const std::string text = write_json(value);
    const bool shared = std::ranges::any_of(
        b.items(), [&](const Json& other) { return write_json(other) == text; });
    if (shared) values.push_back(value);
  }
  return Json(std::move(values));
}

// A property that only one of two schemas names is an additional one of the other.
Json with_additional(const Json& property, std::string_view name, const Json& other) {
  const Json* properties = other.find("properties");
  const Json* additional = other.find("additionalProperties");
  const bool named = properties != nullptr && properties->find(name) != nullptr;
  return named || additional == nullptr ? property : both(property, *additional);
}

Json joined_properties(const Json& a, const Json& b) {
  const Json* ours = a.find("properties");
  const Json* theirs = b.find("properties");
  std::vector<Json::Member> members;
  for (const auto& [name, value] : ours != nullptr ? ours->members() : Json().members()) {
    const Json* other = theirs != nullptr ? theirs->find(name) : nullptr;
    members.emplace_back(name,
                         other != nullptr ? both(value, *other) : with_additional(value, name, b));
  }
  for (const auto& [name, value] : theirs != nullptr ? theirs->members() : Json().members()) {
    if (ours != nullptr && ours->find(name) != nullptr) continue;
    members.emplace_back(name, with_additional(value, name, a));
  }
  return Json(std::move(members));
}

// `const` as an `enum` of one value.
Json as_enum(const Json& schema) {
  const Json* value = schema.find("const");
  if (value == nullptr) return schema;
  std::vector<Json::Member> members = without(schema, "const").members();
  Json values(std::vector<Json>{*value});
  const auto known = std::ranges::find(members, "enum", &Json::Member::first);
  if (known != members.end()) {
    known->second = common_values(known->second, values);
  } else {
    members.emplace_back("enum", std::move(values));
  }
  return Json(std::move(members));
}

Result<Json> join(const Keyword& keyword, const Json& a, const Json& b) {
  switch (keyword.join) {
    case Join::kFirst:
      return a;
    case Join::kLarger:
      return a.number() < b.number() ? b : a;
    case Join::kSmaller:
      return a.number() > b.number() ? b : a;
    case Join::kUnion:
      return list_of_both(a, b);
    case Join::kBoth:
      return both(a, b);
    default:
      break;
  }
  if (keyword.name == "type") return common_types(a, b);
  if (keyword.name == "enum") return common_values(a, b);
  if (write_json(a) == write_json(b)) return a;
  return failure(Code::kUnsupported,
                 {quoted(keyword.name), " stands in two schemas that are to hold together"});
}

}  // namespace

Result<uint32_t> types_of_keyword(std::string_view keyword) {
  if (const Keyword* known = find_keyword(keyword)) return known->types;
  if (keyword.starts_with("x-")) return 0u;
  return failure(Code::kUnsupported, {"keyword ", quoted(keyword), " is not supported"});
}

Result<uint32_t> types_of(const Json& type) {
  const std::vector<Json> one = {type};
  uint32_t types = 0;
  for (const Json& name : type.is_array() ? type.items() : one) {
    const auto* known = std::ranges::find(kTypeNames, std::string_view(name.string()),
                                          &std::pair<std::string_view, uint32_t>::first);
    if (known == std::end(kTypeNames)) {
      return failure(Code::kInvalidArgument, {"type ", write_json(name), " is none of JSON's"});
    }
    types |= known->second;
  }
  return types;
}

Json without(const Json& schema, std::string_view keyword) {
  std::vector<Json::Member> members;
  for (const Json::Member& member : schema.members()) {
    if (member.first != keyword) members.push_back(member);
  }
  return Json(std::move(members));
}

bool says_nothing(const Json& schema) {
  return schema.is_object() && std::ranges::all_of(schema.members(), [](const auto& member) {
           const Keyword* known = find_keyword(member.first);
           return known != nullptr && known->types == 0;
         });
}

Result<Json> merge(const Json& first, const Json& second) {
  if (first.is_bool()) return first.boolean() ? second : first;
  if (second.is_bool()) return second.boolean() ? first : second;
  const Json a = as_enum(first);
  const Json b = as_enum(second);
  std::vector<Json::Member> members = a.members();
  for (const auto& [key, value] : b.members()) {
    std::string_view name = key;
    // Both are read as alternatives, so that a second list finds a place.
    if (name == "anyOf" && a.find(name) != nullptr) name = "oneOf";
    const auto known = std::ranges::find(members, name, &Json::Member::first);
    const Keyword* keyword = find_keyword(name);
    if (keyword != nullptr && keyword->join == Join::kProperties) continue;
    if (known == members.end() || keyword == nullptr) {
      members.emplace_back(name, value);
    } else {
      ENM_ASSIGN_OR_RETURN(known->second, join(*keyword, known->second, value));
    }
  }
  if (a.find("properties") != nullptr || b.find("properties") != nullptr) {
    std::erase_if(members, [](const Json::Member& member) { return member.first == "properties"; });
    members.emplace_back("properties", joined_properties(a, b));
  }
  return Json(std::move(members));
}

}  // namespace enm::text::grammar
