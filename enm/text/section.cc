#include "enm/text/section.h"

#include <algorithm>

namespace enm::text {

void Section::fail(const Status& status) {
  if (status_.ok() && !status.ok()) status_ = status.in(where_);
}

const Json& Section::child(std::string_view key) {
  static const Json none;
  known_.push_back(key);
  const Json* json = json_.find(key);
  return json == nullptr ? none : *json;
}

const Json* Section::find(std::string_view key, Json::Type type, bool required) {
  const Json& json = child(key);
  if (json.type() == type) return &json;
  if (required && json.is_null()) {
    fail(Corrupt("key ", quoted(key), " is missing"));
  } else if (!json.is_null()) {
    fail(Corrupt("key ", quoted(key), ": expected ", json_type_name(type), ", got ",
                 json_type_name(json.type())));
  }
  return nullptr;
}

bool Section::flag(std::string_view key, bool fallback) {
  const Json* json = find(key, Json::Type::kBool, false);
  return json == nullptr ? fallback : json->boolean();
}

int64_t Section::integer(std::string_view key, int64_t fallback) {
  const Json* json = find(key, Json::Type::kInt, false);
  return json == nullptr ? fallback : json->integer();
}

std::string_view Section::text(std::string_view key, std::string_view fallback) {
  const Json* json = find(key, Json::Type::kString, false);
  return json == nullptr ? fallback : std::string_view(json->string());
}

bool Section::flag(std::string_view key) {
  const Json* json = find(key, Json::Type::kBool, true);
  return json != nullptr && json->boolean();
}

int64_t Section::integer(std::string_view key) {
  const Json* json = find(key, Json::Type::kInt, true);
  return json == nullptr ? 0 : json->integer();
}

std::string_view Section::text(std::string_view key) {
  const Json* json = find(key, Json::Type::kString, true);
  return json == nullptr ? std::string_view() : std::string_view(json->string());
}

Status Section::finish() {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : json_.members()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      return Unsupported(where_, ": key ", quoted(key), " is not understood");
    }
  }
  return {};
}

}  // namespace enm::text
