#include "enm/base/json.h"

#include <charconv>

// rapidjson asserts on misuse of its API only; input never reaches an assertion.
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "enm/base/order.h"

namespace enm {

// Receives rapidjson's events and stacks up the values.
class JsonBuilder {
 public:
  explicit JsonBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool Null() { return add(Json()); }
  bool Bool(bool value) { return add(Json(value)); }
  // Numbers come as text (kParseNumbersAsStringsFlag): rapidjson's own conversion has undefined
  // behaviour on inputs such as 0.0e40.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view number(text, size);
    const char* end = text + size;
    if (number.find_first_of(".eE") == std::string_view::npos) {
      int64_t integer;
      if (std::from_chars(text, end, integer).ec == std::errc()) return add(Json(integer));
    }
    double value = 0;
    if (read_number(text, end, value) == std::errc()) return add(Json(value));
    if (!underflows(number)) return fail(cat("number ", quoted(number), " does not fit a double"));
    return add(Json(0.0));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (!is_utf8({text, size})) return fail(kNotUtf8);
    return add(Json(std::string(text, size)));
  }
  bool StartObject() { return open(Json(std::vector<Json::Member>())); }
  bool StartArray() { return open(Json(std::vector<Json>())); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    std::string key(text, size);
    if (!is_utf8(key)) return fail(kNotUtf8);
    open_.back().value_.members->emplace_back(std::move(key), Json());
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return check_keys(open_.back().members()) && close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  // Of a number out of a double's range: it is too small rather than too large.
  static bool underflows(std::string_view number) {
    if (const size_t e = number.find_first_of("eE"); e != std::string_view::npos) {
      return number[e + 1] == '-';
    }
    return number.starts_with("0.") || number.starts_with("-0.");
  }

  // rapidjson checks the input's bytes, but lets a lone low surrogate through as an escape.
  static constexpr const char* kNotUtf8 = "a string holds a lone surrogate";

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool open(Json container) {
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      return fail(cat("nested deeper than ", limits_.max_depth));
    }
    open_.push_back(std::move(container));
    return true;
  }

  bool close() {
    Json done = std::move(open_.back());
    open_.pop_back();
    return add(std::move(done));
  }

  // By sorting, which no choice of keys can make slow, as it can a hash table.
  bool check_keys(const std::vector<Json::Member>& members) {
    const auto order =
        sorted_order(static_cast<uint32_t>(members.size()),
                     [&](uint32_t a, uint32_t b) { return members[a].first < members[b].first; });
    for (size_t i = 1; i < order.size(); ++i) {
      const std::string& key = members[order[i]].first;
      if (key == members[order[i - 1]].first) {
        return fail(cat("key ", quoted(key), " stands twice"));
      }
    }
    return true;
  }

  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().value_.items->push_back(std::move(value));
    } else {
      open_.back().value_.members->back().second = std::move(value);
    }
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Json> open_;
  std::string problem_;
};

Json::Json(std::string value)
    : type_(Type::kString), value_{.string = new std::string(std::move(value))} {}
Json::Json(std::vector<Json> items)
    : type_(Type::kArray), value_{.items = new std::vector<Json>(std::move(items))} {}
Json::Json(std::vector<Member> members)
    : type_(Type::kObject), value_{.members = new std::vector<Member>(std::move(members))} {}

Json::Json(const Json& other) : type_(other.type_), value_(other.value_) {
  if (is_string()) value_.string = new std::string(other.string());
  if (is_array()) value_.items = new std::vector<Json>(other.items());
  if (is_object()) value_.members = new std::vector<Member>(other.members());
}

Json::~Json() {
  if (is_string()) delete value_.string;
  if (is_array()) delete value_.items;
  if (is_object()) delete value_.members;
}

const std::string& Json::string() const {
  static const std::string none;
  return is_string() ? *value_.string : none;
}

const std::vector<Json>& Json::items() const {
  static const std::vector<Json> none;
  return is_array() ? *value_.items : none;
}

const std::vector<Json::Member>& Json::members() const {
  static const std::vector<Member> none;
  return is_object() ? *value_.members : none;
}

Result<Json> Json::parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return ResourceExhausted("[json] ", text.size(), " bytes; at most ", limits.max_bytes,
                             " are accepted");
  }
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  JsonBuilder builder(limits);
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
  if (parsed.IsError()) {
    return Corrupt("[json] at byte ", parsed.Offset(), ": ",
                   builder.problem().empty() ? rapidjson::GetParseError_En(parsed.Code())
                                             : builder.problem().c_str());
  }
  return builder.take();
}

std::string_view json_type_name(Json::Type type) {
  switch (type) {
    case Json::Type::kNull:
      return "null";
    case Json::Type::kBool:
      return "bool";
    case Json::Type::kInt:
      return "integer";
    case Json::Type::kDouble:
      return "number";
    case Json::Type::kString:
      return "string";
    case Json::Type::kArray:
      return "array";
    case Json::Type::kObject:
      return "object";
  }
  return "unknown";
}

const Json* Json::find(std::string_view key) const {
  for (const Member& member : members()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

bool Json::absent(std::string_view key) const {
  const Json* value = find(key);
  return value == nullptr || value->is_null();
}

Result<const Json*> Json::get(std::string_view key) const {
  if (!is_object()) {
    return Corrupt("expected an object with key ", quoted(key), ", got ", json_type_name(type_));
  }
  const Json* value = find(key);
  if (value == nullptr) return Corrupt("key ", quoted(key), " is missing");
  return value;
}

namespace {
Status wrong_type(std::string_view key, std::string_view expected, const Json& got) {
  return Corrupt("key ", quoted(key), ": expected ", expected, ", got ",
                 json_type_name(got.type()));
}
}  // namespace

Result<bool> Json::get_bool(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const Json* value, get(key));
  if (!value->is_bool()) return wrong_type(key, "bool", *value);
  return value->boolean();
}

Result<int64_t> Json::get_int(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const Json* value, get(key));
  if (!value->is_int()) return wrong_type(key, "integer", *value);
  return value->integer();
}

Result<double> Json::get_double(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const Json* value, get(key));
  if (!value->is_number()) return wrong_type(key, "number", *value);
  return value->number();
}

Result<std::string> Json::get_string(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const Json* value, get(key));
  if (!value->is_string()) return wrong_type(key, "string", *value);
  return value->string();
}

Result<bool> Json::get_bool(std::string_view key, bool fallback) const {
  return absent(key) ? Result<bool>(fallback) : get_bool(key);
}

Result<int64_t> Json::get_int(std::string_view key, int64_t fallback) const {
  return absent(key) ? Result<int64_t>(fallback) : get_int(key);
}

Result<double> Json::get_double(std::string_view key, double fallback) const {
  return absent(key) ? Result<double>(fallback) : get_double(key);
}

Result<std::string> Json::get_string(std::string_view key, std::string_view fallback) const {
  return absent(key) ? Result<std::string>(std::string(fallback)) : get_string(key);
}

std::string json_quote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

std::string write_json(const Json& value) {
  std::string out;
  switch (value.type()) {
    case Json::Type::kNull:
      return "null";
    case Json::Type::kBool:
      return value.boolean() ? "true" : "false";
    case Json::Type::kInt:
      return cat(value.integer());
    case Json::Type::kDouble:
      return cat(value.number());
    case Json::Type::kString:
      return json_quote(value.string());
    case Json::Type::kArray:
      for (const Json& item : value.items()) {
        out += out.empty() ? '[' : ',';
        out += write_json(item);
      }
      return out.empty() ? "[]" : out + ']';
    case Json::Type::kObject:
      for (const auto& [key, member] : value.members()) {
        out += cat(out.empty() ? '{' : ',', json_quote(key), ':', write_json(member));
      }
      return out.empty() ? "{}" : out + '}';
  }
  return out;
}

}  // namespace enm
