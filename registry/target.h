// The request target (RFC 9112, section 3.2) taken apart: foreign bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "enm/base/status.h"

namespace enm::registry {

struct Target {
  /// Percent-decoded: "/v1/models/x" is {"v1", "models", "x"}; "/" is {""}. A segment may hold a
  /// slash that was written %2F, and "..": callers check the words they use.
  std::vector<std::string> segments;
  /// Still encoded, in the order written.
  std::vector<std::pair<std::string, std::string>> query;

  /// The decoded value of the first parameter of that name, "" if there is none. '+' stays '+', as
  /// versions have it.
  Result<std::string> parameter(std::string_view name) const;
  /// The same for words a person typed into a form, where '+' is a space.
  Result<std::string> words(std::string_view name) const;
};

/// Origin form ("/a/b?c=d") or absolute form ("http://host/a/b"). kInvalidArgument for anything
/// else, a bad escape, or bytes that do not decode to UTF-8 without control characters.
Result<Target> parse_target(std::string_view whole);

/// "%41" -> "A". kInvalidArgument as above.
Result<std::string> percent_decode(std::string_view encoded);

/// The unreserved characters of RFC 3986 as they are, all others as %XX.
std::string percent_encode(std::string_view text);

}  // namespace enm::registry
