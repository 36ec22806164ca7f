#include "enm/text/grammar/constraint.h"

#include <algorithm>

namespace enm::text::grammar {

TokenTexts::TokenTexts(const Tokenizer& tokenizer, int64_t vocab)
    : inside_(tokenizer, vocab, false) {
  std::string inside;
  std::string first;
  for (int32_t id = 0; id < vocab && inside == first; ++id) {
    inside.clear();
    first.clear();
    tokenizer.append_text(id, false, inside);
    tokenizer.append_text(id, true, first);
  }
  if (inside != first) first_.emplace(tokenizer, vocab, true);
}

Constraint::Constraint(std::shared_ptr<const Program> program, const Tokenizer& tokenizer,
                       const TokenTexts& texts, const std::vector<int32_t>& end_tokens)
    : tokenizer_(tokenizer),
      texts_(texts),
      end_tokens_(end_tokens),
      automaton_(std::move(program)),
      masks_(automaton_, texts.inside()),
      state_(automaton_.start()) {}

void Constraint::restart() {
  state_ = automaton_.start();
  first_ = true;
}

Result<std::span<const uint32_t>> Constraint::allowed() {
  if (automaton_.forget_all_but(state_)) masks_.forget();
  const bool other = first_ && &texts_.first() != &texts_.inside();
  const auto mask = other ? TokenMasks(automaton_, texts_.first()).of(state_) : masks_.of(state_);
  ENM_RETURN_IF_ERROR(automaton_.status());
  allowed_.assign(mask.begin(), mask.end());
  for (int32_t token : end_tokens_) {
    if (token < 0 || token >= texts_.inside().vocab()) continue;
    const uint32_t bit = uint32_t{1} << (token % 32);
    uint32_t& word = allowed_[static_cast<size_t>(token) / 32];
    word = automaton_.may_end(state_) ? word | bit : word & ~bit;
  }
  if (std::ranges::all_of(allowed_, [](uint32_t word) { return word == 0; })) {
    return failure(Code::kUnsupported, {"no token of the vocabulary goes on in the grammar's way"});
  }
  return std::span<const uint32_t>(allowed_);
}

void Constraint::take(int32_t token) {
  text_.clear();
  if (tokenizer_.append_text(token, first_, text_)) first_ = false;
  for (char byte : text_) state_ = automaton_.step(state_, static_cast<uint8_t>(byte));
}

}  // namespace enm::text::grammar
