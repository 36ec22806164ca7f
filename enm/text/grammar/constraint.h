// Keeps a text within a grammar, token by token.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "enm/text/grammar/token_masks.h"

namespace enm::text::grammar {

/// The tokens of a vocabulary by their texts. Made once for a model.
class TokenTexts {
 public:
  TokenTexts(const Tokenizer& tokenizer, int64_t vocab);

  const TokenTrie& inside() const { return inside_; }
  /// Those of the first token of a text, which may lack a space.
  const TokenTrie& first() const { return first_ ? *first_ : inside_; }

 private:
  TokenTrie inside_;
  std::optional<TokenTrie> first_;  // where it is another
};

class Constraint {
 public:
  /// The last three outlive it.
  Constraint(std::shared_ptr<const Program> program, const Tokenizer& tokenizer,
             const TokenTexts& texts, const std::vector<int32_t>& end_tokens);

  /// A bit for each token of the vocabulary that may come next, the lowest first; end tokens where
  /// the text may end. Valid until the next call. kResourceExhausted beyond the automaton's limits;
  /// kUnsupported if no token of the vocabulary goes on.
  Result<std::span<const uint32_t>> allowed();
  /// Takes one of them that is no end token.
  void take(int32_t token);
  /// Whether the text is whole: nothing but an end can follow.
  bool finished() const { return !automaton_.may_go_on(state_) && automaton_.may_end(state_); }

  /// Back to the beginning of a text; what was learned of the grammar is kept.
  void restart();

 private:
  const Tokenizer& tokenizer_;
  const TokenTexts& texts_;
  const std::vector<int32_t>& end_tokens_;
  Automaton automaton_;
  TokenMasks masks_;
  Automaton::State state_;
  bool first_ = true;
  Words allowed_;
  std::string text_;  // of a token
};

}  // namespace enm::text::grammar
