#include "enm/text/pattern.h"

namespace enm::text {

Result<Pattern> Pattern::of_regex(std::string_view regex) {
  Pattern out;
  ENM_ASSIGN_OR_RETURN(out.regex_, Regex::compile(regex));
  return out;
}

Result<Pattern> Pattern::read(const Json& section) {
  ENM_ASSIGN_OR_RETURN(const Json* pattern, section.get("pattern"));
  if (const Json* regex = pattern->find("Regex"); regex != nullptr && regex->is_string()) {
    return of_regex(regex->string());
  }
  Pattern out;
  ENM_ASSIGN_OR_RETURN(out.string_, pattern->get_string("String"));
  return out;
}

void Pattern::find_all(std::string_view text, FunctionRef<void(Regex::Match)> take) const {
  if (regex_.has_value()) {
    Regex::Finder finder(*regex_, text);
    for (Regex::Match match; finder.next(match);) take(match);
    return;
  }
  if (string_.empty()) return;
  for (size_t at = text.find(string_); at != std::string_view::npos;
       at = text.find(string_, at + string_.size())) {
    take({at, at + string_.size()});
  }
}

}  // namespace enm::text
