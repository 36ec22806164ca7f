// SentencePiece's precompiled_charsmap: strings of bytes and what they become. Private to this
// room.
#pragma once

#include <string>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/text/stretch.h"

namespace enm::text {

class Precompiled {
 public:
  static Result<Precompiled> parse(std::string_view bytes);
  /// From the base64 of a tokenizer.json.
  static Result<Precompiled> parse_base64(std::string_view text);

  /// As Hugging Face tokenizers do it: clusters of characters become what their shortest beginning
  /// that the map knows does. Or as SentencePiece does: the longest strings that the map knows.
  void write(std::string_view text, Rewriter& rewriter) const;
  void write_longest(std::string_view text, Rewriter& rewriter) const;

 private:
  /// Bytes at the front of `text` that the map knows, and what they become; 0: none.
  size_t find(std::string_view text, bool longest, std::string_view& to) const;

  // A double-array trie as darts-clone writes it, and the replacements, each ended by a zero byte.
  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace enm::text
