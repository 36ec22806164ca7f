// The text of a regular expression to a tree. Private to this room.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/unicode.h"

namespace enm::text {

struct RegexTree {
  enum class Kind : uint8_t {
    kEmpty,
    kSet,          // one character of a set
    kSequence,     // children one after the other
    kAlternation,  // the first child that fits
    kRepeat,       // one child, min to max times
    kAhead,        // the next character is of the set (or there is none, if `edge`)
    kBehind,       // the character before is of the set (or there is none, if `edge`)
  };
  static constexpr uint32_t kUnlimited = UINT32_MAX;

  struct Node {
    Kind kind = Kind::kEmpty;
    bool greedy = true;
    bool edge = false;
    uint32_t set = 0;
    uint32_t min = 0;
    uint32_t max = 0;
    std::vector<uint32_t> children;
  };

  std::vector<CodeRanges> sets;  // rising, not touching; no two alike
  std::vector<Node> nodes;
  uint32_t root = 0;
};

Result<RegexTree> parse_regex(std::string_view pattern);

}  // namespace enm::text
