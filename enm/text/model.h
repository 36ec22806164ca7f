// What a tokenizer.json's `model` section does: words to ids. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "enm/text/bpe_merge.h"
#include "enm/text/parts.h"
#include "enm/text/section.h"
#include "enm/text/vocabulary.h"

namespace enm::text {

/// Tokens of a stretch of text; where asked for, also the bytes of the stretch that each stands
/// for.
struct TokenList {
  struct Span {
    uint32_t begin;
    uint32_t end;
  };
  std::vector<int32_t> ids;
  std::vector<Span> spans;
  bool has_spans = false;

  void add(int32_t id, size_t begin, size_t end) {
    ids.push_back(id);
    if (has_spans) spans.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  }
};

/// What models work with, kept from word to word. Not for two threads at once.
struct ModelScratch {
  std::vector<BpeMerges::Symbol> symbols;
  std::vector<uint32_t> starts;
  BpeMerges::Scratch merges;
  std::string letters;
  struct Best {  // way to a place of a word
    double score;
    uint32_t start;
    int32_t token;
  };
  std::vector<Best> best;
};

class Model {
 public:
  virtual ~Model() = default;
  /// Appends the tokens of `word`, which begins at `at` of its stretch and is valid UTF-8.
  virtual void encode(std::string_view word, size_t at, ModelScratch& scratch,
                      TokenList& out) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  /// Reads the vocabulary; what is wrong is told to `in`.
  void read_vocabulary(const TokenizerParts& parts, Section& in, size_t longest = SIZE_MAX,
                       bool repeats = false) {
    auto made = Vocabulary::make(parts.tokens, longest, repeats);
    if (!made.ok()) return in.fail(made.status().in("vocab"));
    vocabulary_ = *std::move(made);
  }

  Vocabulary vocabulary_;
};

// What is wrong is told to `in`, the section of the model; the model then is of no use.
/// The bytes of words stand for letters of GPT-2's alphabet if `byte_level`.
std::unique_ptr<Model> make_bpe(const TokenizerParts& parts, Section& in, bool byte_level);
std::unique_ptr<Model> make_wordpiece(const TokenizerParts& parts, Section& in);
std::unique_ptr<Model> make_unigram(const TokenizerParts& parts, Section& in);
std::unique_ptr<Model> make_word_level(const TokenizerParts& parts, Section& in);

/// Indices of the tokens <0x00> to <0xFF>, -1 for those that there are not.
std::vector<int32_t> find_byte_tokens(const Vocabulary& vocabulary);

}  // namespace enm::text
