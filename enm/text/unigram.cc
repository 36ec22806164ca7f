// Unigram: the cut of a word into tokens whose scores sum up highest. Source: Kudo, arXiv
// 1804.10959
#include <algorithm>

#include "enm/text/model.h"
#include "enm/text/trie.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes. A word takes at most so many steps for each byte of its own.
constexpr size_t kLongestToken = 512;
// Bytes of a word, 16 of memory each; longer ones are cut.
constexpr size_t kLongestWord = size_t{1} << 24;
// How much worse an unknown character is than the worst token.
constexpr double kUnknownPenalty = 10;

class Unigram final : public Model {
 public:
  void read(const TokenizerParts& parts, Section& in);

  void encode(std::string_view word, size_t at, ModelScratch& scratch,
              TokenList& out) const override {
    while (word.size() > kLongestWord) {
      size_t cut = kLongestWord;
      while ((word[cut] & 0xc0) == 0x80) --cut;
      encode_word(word.substr(0, cut), at, scratch, out);
      word.remove_prefix(cut);
      at += cut;
    }
    encode_word(word, at, scratch, out);
  }

 private:
  using Best = ModelScratch::Best;
  static constexpr uint32_t kNowhere = UINT32_MAX;

  void encode_word(std::string_view word, size_t at, ModelScratch& scratch, TokenList& out) const {
    find_best(word, scratch.best);
    // The way back from the end; each place then holds where the token from there ends.
    auto& best = scratch.best;
    auto end = static_cast<uint32_t>(word.size());
    scratch.starts.clear();
    for (; end > 0; end = best[end].start) scratch.starts.push_back(end);
    uint32_t begin = 0;
    for (size_t i = scratch.starts.size(); i-- > 0; begin = end) {
      end = scratch.starts[i];
      if (best[end].token != unknown_) {
        out.add(vocabulary_.id(static_cast<size_t>(best[end].token)), at + begin, at + end);
        continue;
      }
      while (i > 0 && best[scratch.starts[i - 1]].token == unknown_) end = scratch.starts[--i];
      add_unknown(word.substr(begin, end - begin), at + begin, out);
    }
  }

  void find_best(std::string_view word, std::vector<Best>& best) const {
    best.assign(word.size() + 1, {0, kNowhere, -1});
    for (size_t begin = 0, next = 0; begin < word.size(); begin = next) {
      next = begin + utf8_length(word[begin]);
      const double score = best[begin].score;
      const auto reach = [&](size_t end, double more, int32_t token) {
        const double sum = single_precision_ ? static_cast<double>(static_cast<float>(score + more))
                                             : score + more;
        if (best[end].start != kNowhere && sum <= best[end].score) return;
        best[end] = {sum, static_cast<uint32_t>(begin), token};
      };
      bool has_character = false;
      Trie::Node node = Trie::kRoot;
      for (size_t end = begin; end < word.size();) {
        node = trie_.child(node, word[end++]);
        if (node == Trie::kNoNode) break;
        const int32_t token = trie_.value(node);
        if (token < 0) continue;
        reach(end, scores_[static_cast<size_t>(token)], token);
        has_character = has_character || end == next;
      }
      if (!has_character) reach(next, unknown_score_, unknown_);
    }
  }

  void add_unknown(std::string_view text, size_t at, TokenList& out) const {
    const auto has_token = [&](char c) { return bytes_[static_cast<unsigned char>(c)] >= 0; };
    int32_t token = vocabulary_.find(text);
    if (token < 0 && !bytes_.empty() && std::all_of(text.begin(), text.end(), has_token)) {
      for (char c : text) {
        const int32_t byte = bytes_[static_cast<unsigned char>(c)];
        out.add(vocabulary_.id(static_cast<size_t>(byte)), at, at + text.size());
      }
      return;
    }
    if (token < 0) token = unknown_;
    if (token >= 0) {
      out.add(vocabulary_.id(static_cast<size_t>(token)), at, at + text.size());
    }
  }

  Trie trie_;  // tokens are their indices
  std::vector<double> scores_;
  std::vector<int32_t> bytes_;  // tokens of <0x00> and so on; empty: no fallback to them
  double unknown_score_ = 0;
  bool single_precision_ = false;
  int32_t unknown_ = -1;
};

void Unigram::read(const TokenizerParts& parts, Section& in) {
  read_vocabulary(parts, in, kLongestToken, true);
  const int64_t unknown = in.integer("unk_id", -1);
  const bool byte_fallback = in.flag("byte_fallback", false);
  if (!in.ok()) return;
  trie_ = Trie(vocabulary_.tokens());
  scores_.resize(vocabulary_.size());
  double lowest = 0;
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    const auto& [token, id, score] = parts.tokens[i];
    if (!(score > -1e30 && score < 1e30)) {
      return in.fail(Corrupt("token ", quoted(token), " has no score"));
    }
    scores_[static_cast<size_t>(vocabulary_.index(static_cast<int32_t>(id)))] = score;
    lowest = i == 0 ? score : std::min(lowest, score);
  }
  unknown_score_ = lowest - kUnknownPenalty;
  single_precision_ = parts.single_precision;
  if (unknown >= 0 && unknown < kIdLimit) {
    unknown_ = vocabulary_.index(static_cast<int32_t>(unknown));
  }
  if (unknown >= 0 && unknown_ < 0) in.fail(Corrupt("unk_id is ", unknown));
  if (byte_fallback) bytes_ = find_byte_tokens(vocabulary_);
}

}  // namespace

std::unique_ptr<Model> make_unigram(const TokenizerParts& parts, Section& in) {
  auto model = std::make_unique<Unigram>();
  model->read(parts, in);
  return model;
}

}  // namespace enm::text
