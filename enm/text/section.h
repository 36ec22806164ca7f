// A section of a tokenizer.json being read: the first thing wrong is kept until the end, where keys
// that nobody asked for are refused, because what is not understood may change the ids. Private to
// this room.
#pragma once

#include <string_view>
#include <vector>

#include "enm/base/json.h"

namespace enm::text {

class Section {
 public:
  /// `where` is for messages, and must outlive the section, as the JSON must.
  Section(const Json& json, std::string_view where) : json_(json), where_(where) {}

  // What is absent or null has the fallback.
  bool flag(std::string_view key, bool fallback);
  int64_t integer(std::string_view key, int64_t fallback);
  std::string_view text(std::string_view key, std::string_view fallback);
  /// Null if there is none.
  const Json& child(std::string_view key);

  // It is an error if they are absent.
  bool flag(std::string_view key);
  int64_t integer(std::string_view key);
  std::string_view text(std::string_view key);

  void fail(const Status& status);
  bool ok() const { return status_.ok(); }
  Status finish();

 private:
  const Json* find(std::string_view key, Json::Type type, bool required);

  const Json& json_;
  const std::string_view where_;
  std::vector<std::string_view> known_ = {"type"};
  Status status_;
};

}  // namespace enm::text
