// A tokenizer.json taken apart: its vocabulary and merges, which are nearly all of it, are read
// without a tree of values. Private to this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enm/text/parts.h"

namespace enm::text {

/// Strings that views point to, for as long as it lives.
class StringStore {
 public:
  std::string_view keep(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_ = 0;  // bytes of the last block
  size_t left_ = 0;   // of them
};

/// The views of `parts` are into `text` and `store`.
Status read_tokenizer_json(std::string_view text, TokenizerParts& parts, StringStore& store);

/// A vocab.json: {"token": id}.
Status read_vocab_json(std::string_view text, TokenizerParts& parts, StringStore& store);

}  // namespace enm::text
