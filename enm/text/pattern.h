// {"String": "..."} or {"Regex": "..."}: what Split and Replace look for. Private to this room.
#pragma once

#include <optional>
#include <string>

#include "enm/base/function_ref.h"
#include "enm/base/json.h"
#include "enm/text/regex.h"

namespace enm::text {

class Pattern {
 public:
  static Result<Pattern> read(const Json& section);
  static Result<Pattern> of_regex(std::string_view regex);

  /// Gives the matches out from left to right.
  void find_all(std::string_view text, FunctionRef<void(Regex::Match)> take) const;
  bool is_string() const { return !regex_.has_value(); }
  const std::string& string() const { return string_; }

 private:
  std::string string_;
  std::optional<Regex> regex_;
};

}  // namespace enm::text
