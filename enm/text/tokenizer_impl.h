// What a Tokenizer holds. Private to this room.
#pragma once

#include "enm/text/added_tokens.h"
#include "enm/text/decoders.h"
#include "enm/text/model.h"
#include "enm/text/normalizers.h"
#include "enm/text/post_processors.h"
#include "enm/text/pre_tokenizers.h"
#include "enm/text/tokenizer.h"

namespace enm::text {

struct Truncation {
  enum class Strategy : uint8_t { kLongestFirst, kOnlyFirst, kOnlySecond };
  int64_t max_length = 0;  // 0: none
  Strategy strategy = Strategy::kLongestFirst;
  bool left = false;  // takes from the front
};

struct Padding {
  bool set = false;
  bool left = false;
  int64_t length = 0;
  int64_t multiple = 0;
  int32_t id = 0;
  int32_t type_id = 0;
};

class Tokenizer::Impl {
 public:
  Status read(const TokenizerParts& parts);

  Encoding encode_one(std::string_view text) const;
  Status truncate(std::span<Encoding> texts, bool special_tokens) const;
  void pad(Encoding& out) const;
  /// Gives the token of an id to the stream; false if it has no text, as a special token.
  bool append_token(int32_t id, Decoders::Stream& stream, std::string& out) const;
  std::string_view token(int32_t id) const;
  bool trims() const { return !post_processors.trims().empty(); }

  Normalizers normalizers;
  PreTokenizers pre_tokenizers;
  std::unique_ptr<Model> model;
  AddedTokens added;
  PostProcessors post_processors;
  Decoders decoders;
  Truncation truncation;
  Padding padding;
  bool needs_origins = false;  // ids depend on where a byte came from

 private:
  Status read_model(const TokenizerParts& parts, const Json& json);
  Status read_truncation(const Json& json);
  Status read_padding(const Json& json);
};

}  // namespace enm::text
