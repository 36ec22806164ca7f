// What a tokenizer.json's `model` section does: words to ids. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "enm/base/json.h"

namespace enm::text {

/// Lets maps with string keys be asked with string_views.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Vocabulary = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

class Model {
 public:
  virtual ~Model() = default;
  /// Cuts `text` (a stretch between added tokens, UTF-8 or any bytes) and appends its ids.
  virtual void encode(std::string_view text, std::vector<int32_t>& out) const = 0;
  /// The text of a token as it stands inside a decoded line. `first` says that nothing precedes it.
  virtual void decode(int32_t id, bool first, std::string& out) const = 0;
};

/// {"token": id}: every id in [0, limit) at most once. Errors name the entry.
Result<Vocabulary> read_vocabulary(const Json& json);

/// Refuses keys of `section` other than those named: what is not understood may change the ids.
Status expect_only(const Json& section, std::string_view where,
                   std::initializer_list<std::string_view> known);

// Both read the whole tokenizer.json: a model goes together with its normalizer, pre-tokenizer and
// decoder, and other combinations are refused by name.
Result<std::unique_ptr<Model>> make_byte_bpe(const Json& root);
Result<std::unique_ptr<Model>> make_wordpiece(const Json& root);

}  // namespace enm::text
