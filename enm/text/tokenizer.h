// tokenizer.json: text to token ids and back, as Hugging Face tokenizers do it.
// Supported: byte-level BPE and WordPiece with BERT's normalizer. Whatever else a file asks for is
// an error that names it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/model.h"

namespace enm::text {

class Tokenizer {
 public:
  /// The text of a tokenizer.json. kUnsupported names the first part that is not understood.
  static Result<Tokenizer> parse(std::string_view tokenizer_json);

  /// Ids of a text; with `special_tokens` also those that the post-processor puts around it. Bytes
  /// that are no UTF-8 count as U+FFFD.
  std::vector<int32_t> encode(std::string_view text, bool special_tokens) const;

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
  /// Longest sequence that the file's truncation allows, special tokens included; 0 if it has none.
  int64_t truncation() const { return truncation_; }

 private:
  friend class StreamDecoder;
  struct Added {
    bool special = false;
    bool takes_left = false;   // white space before it belongs to it
    bool takes_right = false;  // and behind it
  };
  static Result<Added> read_added_token(const Json& json, bool normalizes);
  Status read_added_tokens(const Json& root);
  Status read_post_processor(const Json& json);
  Status read_template(const Json& json);
  Status read_cls_and_sep(const Json& json);
  Status check_around() const;
  Status read_truncation(const Json& root);

  std::shared_ptr<const Model> model_;
  Vocabulary added_;
  std::vector<Added> added_flags_;  // of the tokens of added_
  std::vector<int32_t> before_;     // special tokens in front of and behind a single text
  std::vector<int32_t> after_;
  int64_t truncation_ = 0;
};

/// Turns ids into text as they come, holding back bytes until they are whole characters.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// The text that this id completes; often empty in the middle of a character.
  std::string push(int32_t id);
  /// What is held back at the end, incomplete characters as U+FFFD.
  std::string flush();

 private:
  const Tokenizer& tokenizer_;
  std::string held_;
  bool first_ = true;
};

}  // namespace enm::text
