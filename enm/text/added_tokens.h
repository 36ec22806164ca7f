// The `added_tokens` of a tokenizer.json: cut out of a text before the model sees it. Private to
// this room.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "enm/base/function_ref.h"
#include "enm/base/json.h"
#include "enm/text/normalizers.h"
#include "enm/text/section.h"
#include "enm/text/trie.h"
#include "enm/text/vocabulary.h"

namespace enm::text {

class AddedTokens {
 public:
  struct Token {
    std::string text;  // as decoding shows it: normalized, if it is matched so
    bool special = false;
    bool hidden = false;  // from decoded text
    bool single_word = false;
    bool takes_left = false;   // white space before it belongs to it
    bool takes_right = false;  // and behind it
  };

  Status read(const Json& list, const Vocabulary& model, const Normalizers& normalizers);

  /// Gives the parts of a text out in order: a token's index, or -1 for what is between.
  /// `normalized` says which tokens are looked for.
  using Take = FunctionRef<void(size_t begin, size_t end, int32_t index)>;
  void split(std::string_view text, bool normalized, Take take) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const Token& token(int32_t index) const { return tokens_[static_cast<size_t>(index)]; }

 private:
  struct Finder {
    Trie trie;
    std::vector<int32_t> indices;   // by the trie's values
    std::array<bool, 256> first{};  // whether a token begins with that byte
    bool empty = true;
  };
  void make_finder(bool normalized, const std::vector<bool>& is_normalized);

  Vocabulary vocabulary_;
  std::vector<Token> tokens_;
  Finder finders_[2];
};

}  // namespace enm::text
