// What a tokenizer is made of, whichever file says it: the sections of a tokenizer.json, the long
// lists of its model beside them. Readers of other formats fill this in; Tokenizer::make does the
// rest.
#pragma once

#include <string_view>
#include <vector>

#include "enm/base/json.h"

namespace enm::text {

/// The text behind the views must live until Tokenizer::make has returned.
struct TokenizerParts {
  struct Token {
    std::string_view text;
    int64_t id = 0;
    double score = 0;  // of a Unigram's token
  };
  struct Merge {
    std::string_view left;
    std::string_view right;
  };

  /// A tokenizer.json: "model" with its type and switches, "normalizer", "pre_tokenizer",
  /// "post_processor", "decoder", "added_tokens", "truncation", "padding". Only model.vocab and
  /// model.merges are not read from it.
  Json settings;
  /// Any order, any ids below kIdLimit, none twice. A Unigram's unk_id is an id.
  std::vector<Token> tokens;
  /// Of a BPE, the first to be applied first.
  std::vector<Merge> merges;
  /// Instead, neighbours that make the token of the highest score, as SentencePiece does.
  bool merges_by_score = false;
  /// A Unigram's scores are summed up as floats, as SentencePiece does, which may decide between
  /// cuts that are equally good.
  bool single_precision = false;
};

}  // namespace enm::text
