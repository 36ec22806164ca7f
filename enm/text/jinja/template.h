// Jinja templates as chat templates use them: rendered as jinja2's ImmutableSandboxedEnvironment
// does with trim_blocks, lstrip_blocks, loop controls, and transformers' additions.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "enm/base/json.h"
#include "enm/text/jinja/limits.h"

namespace enm::text::jinja {

class Template {
 public:
  /// kInvalidArgument with the line that is no Jinja.
  static Result<Template> parse(std::string_view source, const Limits& limits = {});

  /// `variables` is an object. `now` is the local time in seconds since 1970 as if it were UTC;
  /// without it the template knows no strftime_now. kInvalidArgument if the template fails or
  /// refuses what it is given, kResourceExhausted beyond the limits.
  Result<std::string> render(const Json& variables, std::optional<int64_t> now = {}) const;

 private:
  struct Parsed;
  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace enm::text::jinja
