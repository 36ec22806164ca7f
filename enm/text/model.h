// What a tokenizer.json's `model` section does: words to ids. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/text/vocabulary.h"

namespace enm::text {

class Model {
 public:
  virtual ~Model() = default;
  /// Cuts `text` (a stretch between added tokens, UTF-8 or any bytes) and appends its ids.
  virtual void encode(std::string_view text, std::vector<int32_t>& out) const = 0;
  /// Appends a token as it stands inside a decoded text, maybe as bytes that are no whole
  /// characters. `first` says that no token precedes it.
  virtual void decode(std::string_view token, bool first, std::string& out) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  Vocabulary vocabulary_;
};

/// Refuses keys of `section` other than those named: what is not understood may change the ids.
Status expect_only(const Json& section, std::string_view where,
                   std::initializer_list<std::string_view> known);

// Both read the whole tokenizer.json: a model goes together with its normalizer, pre-tokenizer and
// decoder, and other combinations are refused by name.
Result<std::unique_ptr<Model>> make_byte_bpe(const Json& root);
Result<std::unique_ptr<Model>> make_wordpiece(const Json& root);

}  // namespace enm::text
