#include "enm/text/grammar/json_schema.h"

#include <algorithm>
#include <charconv>
#include <list>

#include "enm/text/grammar/json_numbers.h"
#include "enm/text/grammar/json_values.h"
#include "enm/text/grammar/regex.h"
#include "enm/text/grammar/schema_merge.h"

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;

constexpr size_t kMostSchemas = 4096;
constexpr int kDeepest = 32;  // merged schemas within merged schemas, references of references
constexpr size_t kMostMerged = 1 << 17;  // values of merged schemas
const Json kAnything(true);

// Patterns of the formats; a date is one of the calendar, from the year 1000 on.
#define ENM_YEAR "[1-9]\\d{3}"
#define ENM_LEAP_YEAR "([1-9]\\d(0[48]|[2468][048]|[13579][26])|(1[26]|[2468][048]|[3579][26])00)"
#define ENM_DATE                                                               \
  "(" ENM_YEAR                                                                 \
  "-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|" \
  "02-(0[1-9]|1\\d|2[0-8]))|" ENM_LEAP_YEAR "-02-29)"
#define ENM_HOURS "([01]\\d|2[0-3]):[0-5]\\d"
#define ENM_TIME ENM_HOURS ":[0-5]\\d(\\.\\d{1,6})?(Z|[+-]" ENM_HOURS ")"
#define ENM_OCTET "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define ENM_NAME "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?){1,5}"
constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"date", "^" ENM_DATE "$"},
    {"time", "^" ENM_TIME "$"},
    {"date-time", "^" ENM_DATE "T" ENM_TIME "$"},
    {"uuid", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    {"ipv4", "^" ENM_OCTET "(\\." ENM_OCTET "){3}$"},
    {"hostname", "^" ENM_NAME "$"},
    {"email", "^[a-zA-Z0-9_+-]+(\\.[a-zA-Z0-9_+-]+){0,4}@" ENM_NAME "$"},
    {"uri", "^https?://" ENM_NAME "(/[a-zA-Z0-9._~-]*){0,20}$"},
};

class SchemaReader {
 public:
  explicit SchemaReader(const Json& root)
      : root_(root), root_rule_(grammar_.add_rule("root")), values_(grammar_) {}

  Result<Grammar> read() {
    grammar_.define(root_rule_, call(root_, "#"));
    for (size_t next = 0; next < schemas_.size() && grammar_.ok(); ++next) {
      place_ = next;
      holds_merged_ = false;
      const Node body = node_of(*schemas_[next].schema, 0);
      grammar_.define(schemas_[next].rule, body);
    }
    if (!grammar_.ok()) return grammar_.status().in("JSON schema " + schemas_[place_].name);
    return std::move(grammar_);
  }

 private:
  // A schema that has a rule, in the document or made by merging.
  struct Known {
    const Json* schema;
    Grammar::Rule rule;
    std::string name;
    int depth;         // of the merged schemas that it lies within
    std::string text;  // if there are any: the same one is found by its text
  };

  Node call(const Json& schema, std::string_view name, int depth = 0);
  Node call_below(const Json& schema, std::string_view step, std::string_view below = {}) {
    const Known& above = schemas_[place_];
    std::string name = above.name;
    for (std::string_view part : {std::string_view("/"), step, below}) name += part;
    return call(schema, name, above.depth + (holds_merged_ ? 1 : 0));
  }
  Node node_of(const Json& schema, int depth);
  Node node_of_alternatives(const Json& schema, std::string_view keyword, int depth);
  Node node_of_all(const Json& schema, int depth);
  Node node_of_values(const Json& schema, uint32_t types);
  Node node_of_types(const Json& schema, uint32_t types);
  uint32_t read_types(const Json& schema);

  struct Property {
    std::string name;
    Node pair;
    bool required;
  };
  // Those that have a name; what is required and has no schema of its own is one of the others.
  std::vector<Property> properties_of(const Json& schema, const Json& others);
  Node object(const Json& schema);
  Node array(const Json& schema);
  Node string(const Json& schema);
  Node number(const Json& schema, bool integer);

  // What `$ref` leads to; null, and a failure, if it is not in the document.
  const Json* target(const Json& reference);
  // The schema itself, or the end of its references.
  const Json* resolved(const Json& schema);
  const Json& merged(const Json& a, const Json& b);

  uint32_t count(const Json& schema, std::string_view keyword, uint32_t fallback);
  Node fail(Code code, std::initializer_list<std::string_view> parts) {
    return grammar_.fail(code, parts);
  }
  Node is_not(std::string_view keyword, const Json& value, std::string_view expected) {
    return fail(Code::kInvalidArgument,
                {keyword, " is ", write_json(value), "; expected ", expected});
  }

  const Json& root_;
  Grammar grammar_;
  const Grammar::Rule root_rule_;
  JsonValues values_;
  std::vector<Known> schemas_;  // read one after the other
  size_t place_ = 0;            // of the one that is being read
  bool holds_merged_ = false;   // whether that one had to be merged
  std::list<Json> made_;        // by merging
  size_t merged_ = 0;           // values in them
};

Node SchemaReader::call(const Json& schema, std::string_view name, int depth) {
  if (schema.is_bool()) return schema.boolean() ? values_.rule("value") : grammar_.choice({});
  std::string text = depth > 0 ? write_json(schema) : "";
  const auto known = std::ranges::find_if(schemas_, [&](const Known& one) {
    return one.schema == &schema || (depth > 0 && one.text == text);
  });
  if (known != schemas_.end()) return grammar_.call(known->rule);
  if (schemas_.size() == kMostSchemas) {
    return fail(Code::kResourceExhausted, {"more than 4096 schemas within it"});
  }
  schemas_.push_back({&schema, grammar_.add_rule(name), std::string(name), depth, std::move(text)});
  return grammar_.call(schemas_.back().rule);
}

const Json* SchemaReader::target(const Json& reference) {
  const std::string_view path = reference.string();
  const Json* at = &root_;
  const auto parts = split(path, '/');
  for (size_t i = 0; i < parts.size() && at != nullptr; ++i) {
    if (i == 0) {
      if (parts[0] != "#") at = nullptr;
      continue;
    }
    std::string key;
    for (size_t c = 0; c < parts[i].size(); ++c) {
      const std::string_view two = parts[i].substr(c, 2);
      if (two == "~0" || two == "~1") ++c;
      key += two == "~0" ? '~' : two == "~1" ? '/' : parts[i][c];
    }
    if (at->is_array()) {
      size_t index = 0;
      const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
      const bool there = read.ec == std::errc() && index < at->items().size();
      at = there ? &at->items()[index] : nullptr;
    } else {
      at = at->find(key);
    }
  }
  if (at == nullptr)
    fail(Code::kInvalidArgument, {"$ref ", quoted(path), " leads to nothing here"});
  return at;
}

const Json* SchemaReader::resolved(const Json& schema) {
  const Json* at = &schema;
  for (int steps = 0; at != nullptr && at->find("$ref") != nullptr; ++steps) {
    if (steps == kDeepest) return fail(Code::kInvalidArgument, {"$ref leads to itself"}), nullptr;
    const Json rest = without(*at, "$ref");
    at = target(*at->find("$ref"));
    if (at != nullptr && !says_nothing(rest)) at = &merged(*at, rest);
  }
  return at;
}

size_t values_in(const Json& value) {
  size_t count = 1;
  for (const Json& item : value.items()) count += values_in(item);
  for (const auto& [key, member] : value.members()) count += values_in(member);
  return count;
}

const Json& SchemaReader::merged(const Json& a, const Json& b) {
  auto out = merge(a, b);
  if (!out.ok()) grammar_.fail(out.status());
  made_.push_back(out.ok() ? *std::move(out) : Json(false));
  merged_ += values_in(made_.back());
  if (merged_ > kMostMerged || schemas_[place_].depth == kDeepest) {
    fail(Code::kResourceExhausted, {"too many schemas to be held together"});
  }
  holds_merged_ = true;
  return made_.back();
}

Node SchemaReader::node_of(const Json& schema, int depth) {
  if (!grammar_.ok()) return Grammar::kEmpty;
  if (schema.is_bool()) return call(schema, {});
  if (!schema.is_object()) {
    return fail(Code::kInvalidArgument,
                {"a schema is an object, true or false; got ", json_type_name(schema.type())});
  }
  if (depth > kDeepest) return fail(Code::kResourceExhausted, {"alternatives are too deep"});
  if (schema.find("$ref") != nullptr) {
    const size_t made = made_.size();
    const Json* end = resolved(schema);
    if (end == nullptr) return Grammar::kEmpty;
    return made_.size() > made ? node_of(*end, depth + 1)
                               : call(*end, schema.find("$ref")->string());
  }
  if (schema.find("allOf") != nullptr) return node_of_all(schema, depth);
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (schema.find(keyword) != nullptr) return node_of_alternatives(schema, keyword, depth);
  }
  const uint32_t types = read_types(schema);
  const bool is_value = schema.find("const") != nullptr || schema.find("enum") != nullptr;
  return is_value ? node_of_values(schema, types) : node_of_types(schema, types);
}

Node SchemaReader::node_of_all(const Json& schema, int depth) {
  const Json own = without(schema, "allOf");
  const Json* all = &own;
  for (const Json& part : schema.find("allOf")->items()) {
    const Json* end = resolved(part);
    if (end == nullptr) return Grammar::kEmpty;
    all = &merged(*all, *end);
  }
  return node_of(*all, depth + 1);
}

Node SchemaReader::node_of_alternatives(const Json& schema, std::string_view keyword, int depth) {
  const Json base = without(schema, keyword);
  const bool alone = says_nothing(base);
  std::vector<Node> ways;
  for (const Json& way : schema.find(keyword)->items()) {
    if (alone) {
      ways.push_back(call_below(way, keyword, cat("/", ways.size())));
      continue;
    }
    const Json* end = resolved(way);
    if (end == nullptr) return Grammar::kEmpty;
    ways.push_back(node_of(merged(base, *end), depth + 1));
  }
  return grammar_.choice(ways);
}

// The types that are meant; keywords that are not understood are refused.
uint32_t SchemaReader::read_types(const Json& schema) {
  uint32_t said = 0;
  for (const auto& [keyword, value] : schema.members()) {
    const auto types = types_of_keyword(keyword);
    if (!types.ok()) return grammar_.fail(types.status()), 0;
    if (*types != kAllTypes) said |= *types;
  }
  const Json* type = schema.find("type");
  if (type == nullptr) return said == 0 ? kAllTypes : said;
  const auto types = types_of(*type);
  return types.ok() ? *types : (grammar_.fail(types.status()), 0);
}

uint32_t type_of(const Json& value) {
  switch (value.type()) {
    case Json::Type::kNull:
      return kNullType;
    case Json::Type::kBool:
      return kBooleanType;
    case Json::Type::kInt:
      return kIntegerType;
    case Json::Type::kDouble:
      return kNumberType & ~kIntegerType;
    case Json::Type::kString:
      return kStringType;
    case Json::Type::kArray:
      return kArrayType;
    default:
      return kObjectType;
  }
}

Node SchemaReader::node_of_values(const Json& schema, uint32_t types) {
  for (const auto& [keyword, value] : schema.members()) {
    const auto about = types_of_keyword(keyword);
    if (!about.ok() || *about == 0 || *about == kAllTypes) continue;
    return fail(Code::kUnsupported, {quoted(keyword), " beside enum or const is not supported"});
  }
  const Json* one = schema.find("const");
  const Json* list = schema.find("enum");
  if (schema.find("type") == nullptr) types = kAllTypes;
  std::vector<Node> ways;
  const auto add = [&](const Json& value) {
    if ((type_of(value) & types) != 0) ways.push_back(grammar_.literal(write_json(value)));
  };
  if (one == nullptr) {
    for (const Json& value : list->items()) add(value);
  } else if (list == nullptr || std::ranges::any_of(list->items(), [&](const Json& value) {
               return write_json(value) == write_json(*one);
             })) {
    add(*one);
  }
  return grammar_.choice(ways);
}

Node SchemaReader::node_of_types(const Json& schema, uint32_t types) {
  if (types == kAllTypes && says_nothing(schema)) return values_.rule("value");
  std::vector<Node> ways;
  if ((types & kObjectType) != 0) ways.push_back(object(schema));
  if ((types & kArrayType) != 0) ways.push_back(array(schema));
  if ((types & kStringType) != 0) ways.push_back(string(schema));
  if ((types & kIntegerType) != 0) {
    ways.push_back(number(schema, (types & kNumberType) == kIntegerType));
  }
  if ((types & kBooleanType) != 0) {
    ways.push_back(grammar_.literal("true"));
    ways.push_back(grammar_.literal("false"));
  }
  if ((types & kNullType) != 0) ways.push_back(grammar_.literal("null"));
  return grammar_.choice(ways);
}

uint32_t SchemaReader::count(const Json& schema, std::string_view keyword, uint32_t fallback) {
  const Json* value = schema.find(keyword);
  if (value == nullptr) return fallback;
  const double number = value->number();
  if (value->is_number() && number >= 0 && number <= 1e9 &&
      number == static_cast<uint32_t>(number)) {
    return static_cast<uint32_t>(number);
  }
  is_not(keyword, *value, "an integer from 0 to 10^9");
  return fallback;
}

Node SchemaReader::string(const Json& schema) {
  const uint32_t least = count(schema, "minLength", 0);
  const uint32_t most = count(schema, "maxLength", Grammar::kUnlimited);
  const Json* pattern = schema.find("pattern");
  const Json* format = schema.find("format");
  if (least > most) return grammar_.choice({});
  if (pattern == nullptr && format == nullptr) {
    return values_.string(grammar_.repeat(values_.rule("character"), least, most));
  }
  if (pattern != nullptr && format != nullptr)
    return fail(Code::kUnsupported, {"pattern beside format"});
  std::string_view regex;
  if (format != nullptr) {
    const auto* known = std::ranges::find(kFormats, std::string_view(format->string()),
                                          &std::pair<std::string_view, std::string_view>::first);
    if (known == std::end(kFormats)) {
      return fail(Code::kUnsupported, {"format ", write_json(*format), " is not supported"});
    }
    regex = known->second;
  } else if (pattern->is_string()) {
    regex = pattern->string();
  } else {
    return is_not("pattern", *pattern, "a string");
  }
  const auto parsed = parse_regex(regex, grammar_);
  if (!parsed.ok()) return grammar_.fail(parsed.status());
  if (parsed->shortest < least || parsed->longest > most) {
    return fail(Code::kUnsupported,
                {"minLength and maxLength beside a pattern that does not keep to them"});
  }
  return values_.string(parsed->node);
}

Node SchemaReader::number(const Json& schema, bool integer) {
  Bounds bounds;
  const auto read = [&](std::string_view keyword, std::optional<Bound>& bound, bool exclusive,
                        double sign) {
    const Json* value = schema.find(keyword);
    if (value == nullptr) return;
    if (!value->is_number()) {
      is_not(keyword, *value, "a number");
    } else if (!bound || sign * value->number() >= sign * bound->value) {
      bound = {value->number(), exclusive};
    }
  };
  read("minimum", bounds.least, false, 1);
  read("exclusiveMinimum", bounds.least, true, 1);
  read("maximum", bounds.most, false, -1);
  read("exclusiveMaximum", bounds.most, true, -1);
  if (!bounds.least && !bounds.most) return values_.rule(integer ? "integer" : "number");
  return integer ? json_integer(grammar_, bounds) : json_number(grammar_, bounds);
}

Node SchemaReader::array(const Json& schema) {
  const uint32_t least = count(schema, "minItems", 0);
  const uint32_t most = count(schema, "maxItems", Grammar::kUnlimited);
  if (least > most) return grammar_.choice({});
  if (const Json* unique = schema.find("uniqueItems"); unique != nullptr && unique->boolean()) {
    return fail(Code::kUnsupported, {"uniqueItems is not supported"});
  }
  const Json* items = schema.find("items");
  const Json* prefix = schema.find("prefixItems");
  const Node item = call_below(items != nullptr ? *items : kAnything, "items");
  const auto first = static_cast<uint32_t>(prefix != nullptr ? prefix->items().size() : 0);
  if (first == 0) return values_.bracketed("[", values_.list(item, least, most), "]");
  // From the end: behind the first n items the rest, or the bracket where that is enough.
  const uint32_t more = most == Grammar::kUnlimited ? most : most - std::min(most, first);
  Node rest = grammar_.sequence(
      {grammar_.repeat(values_.further(item), least - std::min(least, first), more),
       values_.rule("space")});
  for (uint32_t n = first; n-- > 0;) {
    const Node own = call_below(prefix->items()[n], "prefixItems", cat("/", size_t{n}));
    const Node end = n == 0 ? Grammar::kEmpty : values_.rule("space");
    std::vector<Node> ways;
    if (n < most) ways.push_back(grammar_.sequence({n == 0 ? own : values_.further(own), rest}));
    if (n >= least) ways.push_back(end);
    rest = grammar_.shared("items", grammar_.choice(ways));
  }
  return values_.bracketed("[", rest, "]");
}

std::vector<SchemaReader::Property> SchemaReader::properties_of(const Json& schema,
                                                                const Json& others) {
  std::vector<Property> out;
  const auto add = [&](std::string_view name, const Json& value, bool required) {
    const Node of = call_below(value, "properties/", name);
    out.push_back(
        {std::string(name), values_.pair(grammar_.literal(json_quote(name)), of), required});
  };
  if (const Json* named = schema.find("properties")) {
    for (const auto& [name, value] : named->members()) add(name, value, false);
  }
  if (const Json* required = schema.find("required")) {
    for (const Json& name : required->items()) {
      const auto known = std::ranges::find(out, name.string(), &Property::name);
      if (known == out.end()) {
        add(name.string(), others, true);
      } else {
        known->required = true;
      }
    }
  }
  return out;
}

Node SchemaReader::object(const Json& schema) {
  const Json* additional = schema.find("additionalProperties");
  const std::vector<Property> properties =
      properties_of(schema, additional != nullptr ? *additional : kAnything);
  if (additional == nullptr && schema.find("properties") == nullptr) additional = &kAnything;
  const auto count_required = static_cast<uint32_t>(std::ranges::count_if(
      properties, [](const Property& property) { return property.required; }));
  const auto count_named = static_cast<uint32_t>(properties.size());
  const bool open = additional != nullptr && !(additional->is_bool() && !additional->boolean());
  const uint32_t least = count(schema, "minProperties", 0);
  const uint32_t most = count(schema, "maxProperties", Grammar::kUnlimited);
  const bool all = !open && least == count_named;
  if (least > std::max(count_required, 1u) && !all) {
    return fail(Code::kUnsupported, {"minProperties above 1 and the count of required properties"});
  }
  if (most < count_named)
    return fail(Code::kUnsupported, {"maxProperties below the count of properties"});

  // From the end: what may follow if no property stands before it, and if one does.
  Node first = least > count_required && !all ? grammar_.choice({}) : Grammar::kEmpty;
  Node further = values_.rule("space");
  if (open) {
    std::vector<std::string> names;
    for (const Property& property : properties) names.push_back(property.name);
    const Node pair =
        values_.pair(values_.key_but(names), call_below(*additional, "additionalProperties"));
    const uint32_t more = most == Grammar::kUnlimited ? most : most - count_named;
    first = values_.list(pair, least > count_required ? 1 : 0, more);
    further = grammar_.sequence({grammar_.repeat(values_.further(pair), 0, more), further});
  }
  for (size_t i = properties.size(); i-- > 0;) {
    const auto& [name, pair, is_required] = properties[i];
    std::vector<Node> firsts = {grammar_.sequence({pair, further})};
    std::vector<Node> furthers = {grammar_.sequence({values_.further(pair), further})};
    if (!is_required && !all) {
      firsts.push_back(first);
      furthers.push_back(further);
    }
    first = grammar_.shared("members", grammar_.choice(firsts));
    further = grammar_.shared("members", grammar_.choice(furthers));
  }
  return values_.bracketed("{", first, "}");
}

}  // namespace

Result<Grammar> grammar_of_schema(const Json& schema) { return SchemaReader(schema).read(); }

}  // namespace enm::text::grammar
