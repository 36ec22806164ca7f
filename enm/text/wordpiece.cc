// WordPiece (BERT): the longest known piece from the front of each word, pieces inside a word being
// marked by a prefix. Source: Devlin et al., arXiv 1810.04805; bert/tokenization.py
#include "enm/text/model.h"
#include "enm/text/trie.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes. A word takes at most so many steps for each byte of its own.
constexpr size_t kLongestToken = 256;

class WordPiece final : public Model {
 public:
  Status read(const TokenizerParts& parts, const Json& model);

  void encode(std::string_view word, size_t at, ModelScratch&, TokenList& out) const override {
    const size_t ids = out.ids.size();
    const size_t spans = out.spans.size();
    const bool too_long =
        word.size() > max_characters_ && count_code_points(word) > max_characters_;
    Trie::Node node = Trie::kRoot;
    for (size_t begin = 0; begin < word.size(); node = inside_) {
      const Trie::Match piece = too_long ? Trie::Match() : trie_.longest(word.substr(begin), node);
      // One unknown part makes the whole word unknown.
      if (piece.length == 0) {
        out.ids.resize(ids);
        out.spans.resize(spans);
        out.add(unknown_, at, at + word.size());
        return;
      }
      out.add(vocabulary_.id(static_cast<size_t>(piece.value)), at + begin,
              at + begin + piece.length);
      begin += piece.length;
    }
  }

 private:
  Trie trie_;
  Trie::Node inside_ = Trie::kNoNode;  // where pieces within a word begin: behind their prefix
  size_t max_characters_ = 100;
  int32_t unknown_ = 0;
};

Status WordPiece::read(const TokenizerParts& parts, const Json& model) {
  ENM_RETURN_IF_ERROR(expect_only(
      model, "model",
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  ENM_ASSIGN_OR_RETURN(const int64_t most, model.get_int("max_input_chars_per_word", 100));
  if (most < 1 || most > 10000) return Corrupt("model.max_input_chars_per_word is ", most);
  max_characters_ = static_cast<size_t>(most);
  auto made = Vocabulary::make(parts.tokens, kLongestToken);
  if (!made.ok()) return made.status().in("model.vocab");
  vocabulary_ = *std::move(made);
  trie_ = Trie(vocabulary_.tokens());
  ENM_ASSIGN_OR_RETURN(const std::string prefix,
                       model.get_string("continuing_subword_prefix", "##"));
  inside_ = trie_.walk(Trie::kRoot, prefix);
  ENM_ASSIGN_OR_RETURN(const std::string unknown, model.get_string("unk_token"));
  unknown_ = vocabulary_.id_of(unknown);
  if (unknown_ < 0)
    return Corrupt("model.unk_token ", quoted(unknown), " is not in the vocabulary");
  return {};
}

// A word is a token or it is unknown.
class WordLevel final : public Model {
 public:
  Status read(const TokenizerParts& parts, const Json& model) {
    ENM_RETURN_IF_ERROR(expect_only(model, "model", {"type", "unk_token", "vocab"}));
    auto made = Vocabulary::make(parts.tokens);
    if (!made.ok()) return made.status().in("model.vocab");
    vocabulary_ = *std::move(made);
    ENM_ASSIGN_OR_RETURN(const std::string unknown, model.get_string("unk_token", "<unk>"));
    unknown_ = vocabulary_.id_of(unknown);
    return {};
  }

  void encode(std::string_view word, size_t at, ModelScratch&, TokenList& out) const override {
    const int32_t id = vocabulary_.id_of(word);
    if (id >= 0 || unknown_ >= 0) out.add(id >= 0 ? id : unknown_, at, at + word.size());
  }

 private:
  int32_t unknown_ = -1;
};

}  // namespace

Result<std::unique_ptr<Model>> make_wordpiece(const TokenizerParts& parts, const Json& json) {
  auto model = std::make_unique<WordPiece>();
  ENM_RETURN_IF_ERROR(model->read(parts, json));
  return std::unique_ptr<Model>(std::move(model));
}

Result<std::unique_ptr<Model>> make_word_level(const TokenizerParts& parts, const Json& json) {
  auto model = std::make_unique<WordLevel>();
  ENM_RETURN_IF_ERROR(model->read(parts, json));
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace enm::text
