// The regular expressions of tokenizer files, in Oniguruma's Ruby syntax, over code points.
// Compiled to a table that reads each character once: time is linear in the text, whatever the
// pattern. Alternatives and quantifiers have the priorities of a backtracking engine. Not
// supported, and refused by name: back-references, lookaround of more than one character, atomic
// groups.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "enm/base/status.h"

namespace enm::text {

class Regex {
 public:
  static Result<Regex> compile(std::string_view pattern);

  struct Match {
    size_t begin;
    size_t end;
  };

  /// The matches in a text of valid UTF-8, one after the other: from left to right, not
  /// overlapping, no empty one directly behind another.
  class Finder {
   public:
    Finder(const Regex& regex, std::string_view text)
        : regex_(regex), text_(text), budget_(64 * text.size() + (1 << 16)) {}
    bool next(Match& match);

   private:
    size_t match_at(size_t at);

    const Regex& regex_;
    const std::string_view text_;
    // Characters that may be read. A pattern that reads far ahead in vain from many places would
    // spend the square of the text; when it has, it looks no further than kShortSight.
    uint64_t budget_;
    size_t at_ = 0;
    size_t last_end_ = SIZE_MAX;
  };

 private:
  friend class RegexBuilder;
  uint32_t class_of(uint32_t code_point) const {
    return classes_[size_t{pages_[code_point >> 8]} << 8 | (code_point & 255)];
  }

  std::array<uint8_t, 0x1100> pages_{};
  std::vector<uint8_t> classes_;  // of the characters of a page
  uint32_t class_count_ = 0;      // the class behind the last is the end of the text
  // For a state and the class of what comes next: the state behind it * 2, + 1 if a match ends
  // before it. State 0 leads nowhere.
  std::vector<uint32_t> steps_;
  // By the class of the character before, class_count_ for none; all the same where the pattern
  // does not look back.
  std::vector<uint32_t> starts_;
  bool looks_back_ = false;
};

}  // namespace enm::text
