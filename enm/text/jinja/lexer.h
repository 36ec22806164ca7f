// A template's text as tokens, white space treated as trim_blocks and lstrip_blocks say.
#pragma once

#include "enm/text/jinja/heap.h"

namespace enm::text::jinja {

struct Token {
  enum class Type : uint8_t {
    kData,
    kPrintBegin,
    kPrintEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kNumber,
    kString,
    kOperator,
    kEnd,
  };
  Type type = Type::kEnd;
  uint32_t line = 0;
  std::string_view text;  // of a string: what it stands for
  Value number;
};

/// The tokens of `source`, which outlives them, then kEnd. The heap holds what failed.
List<Token> tokenize(Heap& heap, std::string_view source);

}  // namespace enm::text::jinja
