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
  void read(const TokenizerParts& parts, Section& in);

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

void WordPiece::read(const TokenizerParts& parts, Section& in) {
  read_vocabulary(parts, in, kLongestToken);
  const int64_t most = in.integer("max_input_chars_per_word", 100);
  if (most < 1 || most > 10000) in.fail(Corrupt("max_input_chars_per_word is ", most));
  max_characters_ = static_cast<size_t>(most);
  const std::string_view unknown = in.text("unk_token");
  unknown_ = vocabulary_.id_of(unknown);
  if (unknown_ < 0) in.fail(Corrupt("unk_token ", quoted(unknown), " is not in the vocabulary"));
  trie_ = Trie(vocabulary_.tokens());
  inside_ = trie_.walk(Trie::kRoot, in.text("continuing_subword_prefix", "##"));
}

// A word is a token or it is unknown.
class WordLevel final : public Model {
 public:
  void read(const TokenizerParts& parts, Section& in) {
    read_vocabulary(parts, in);
    unknown_ = vocabulary_.id_of(in.text("unk_token", "<unk>"));
  }

  void encode(std::string_view word, size_t at, ModelScratch&, TokenList& out) const override {
    const int32_t id = vocabulary_.id_of(word);
    if (id >= 0 || unknown_ >= 0) out.add(id >= 0 ? id : unknown_, at, at + word.size());
  }

 private:
  int32_t unknown_ = -1;
};

}  // namespace

std::unique_ptr<Model> make_wordpiece(const TokenizerParts& parts, Section& in) {
  auto model = std::make_unique<WordPiece>();
  model->read(parts, in);
  return model;
}

std::unique_ptr<Model> make_word_level(const TokenizerParts& parts, Section& in) {
  auto model = std::make_unique<WordLevel>();
  model->read(parts, in);
  return model;
}

}  // namespace enm::text
