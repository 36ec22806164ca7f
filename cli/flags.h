// What flags check, and what is said of words that are no flags.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace cli {

/// Of counts. CLI11's own check says "in 0.000000 to 17976931348623157...".
inline CLI::Validator not_negative() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.starts_with('-') ? text + " is below 0" : std::string();
      },
      "");
}

/// "; did you mean X?" for the word that takes the fewest edits to become, at most a third of its
/// letters; nothing if none is so near.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace cli
