// Text to token ids and back, as Hugging Face tokenizers do it: byte-pair encoding, WordPiece,
// Unigram and WordLevel with their normalizers, pre-tokenizers, post-processors and decoders.
// Whatever else a file asks for is an error that names it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/file.h"
#include "enm/base/status.h"
#include "enm/text/parts.h"

namespace enm::text {

struct Encoding {
  /// Code points of the text as given that a token stands for; {0, 0} for special tokens around.
  struct Offset {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::vector<Offset> offsets;
  /// Tokens of padding in front and behind, which attention leaves out.
  int64_t padding_before = 0;
  int64_t padding_behind = 0;
};

struct EncodeOptions {
  bool special_tokens = true;
  /// As the file says, if it does.
  bool truncate = false;
  bool pad = false;
};

class Tokenizer {
 public:
  /// The text of a tokenizer.json. kUnsupported names the first part that is not understood.
  static Result<Tokenizer> parse(std::string_view tokenizer_json);
  static Result<Tokenizer> make(const TokenizerParts& parts);
  /// A SentencePiece model (tokenizer.model, spiece.model): Unigram or BPE.
  static Result<Tokenizer> parse_sentencepiece(std::string_view model);
  /// The first there is of tokenizer.json, tokenizer.model and its like, vocab.json with
  /// merges.txt, vocab.txt; the latter with tokenizer_config.json.
  static Result<Tokenizer> load(const FileSource& files);

  /// Ids of a text; with `special_tokens` also those that the post-processor puts around it. Bytes
  /// that are no UTF-8 count as U+FFFD. Nothing is truncated or padded.
  std::vector<int32_t> encode(std::string_view text, bool special_tokens) const;
  /// With offsets; of two texts if `pair` is not null. kInvalidArgument: they cannot be truncated.
  Result<Encoding> encode(std::string_view text, const std::string_view* pair,
                          const EncodeOptions& options) const;

  /// Appends what the id stands for inside a text, maybe bytes that are no whole characters; false
  /// if nothing does, as for a special token. `first` says that no text precedes it.
  bool append_text(int32_t id, bool first, std::string& out) const;

  /// The text of the ids; special tokens are left out. Incomplete characters become U+FFFD.
  std::string decode(std::span<const int32_t> ids) const;

  /// Whether there is an added or ordinary token of that id.
  bool contains(int32_t id) const;
  bool is_special(int32_t id) const;
  /// The id of an added or ordinary token, or -1.
  int32_t id_of(std::string_view token) const;
  /// The token of an id as the file has it; empty if there is none.
  std::string_view token(int32_t id) const;
  /// Ids are below it.
  int32_t id_limit() const;
  /// Longest sequence that the file's truncation allows, special tokens included; 0 if it has none.
  int64_t truncation() const;

  class Impl;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

/// Turns ids into text as they come, holding back what later ones may change.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;

  /// The text that this id completes; often empty in the middle of a character.
  std::string push(int32_t id);
  /// What is held back at the end, incomplete characters as U+FFFD.
  std::string flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace enm::text
