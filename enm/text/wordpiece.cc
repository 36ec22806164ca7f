// WordPiece (BERT): clean, split at white space and punctuation, then the longest known piece from
// the front of each word, pieces inside a word being marked by a prefix. Source: Devlin et al.,
// arXiv 1810.04805; bert/tokenization.py
#include <algorithm>

#include "enm/base/function_ref.h"
#include "enm/text/model.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// The blocks of CJK Unified Ideographs, which BERT sets apart character by character.
bool is_chinese(uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

bool is_bert_punctuation(uint32_t c) {
  const bool ascii = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
                     (c >= 123 && c <= 126);
  return ascii || is_punctuation(c);
}

struct Normalizer {
  using Take = FunctionRef<void(uint32_t)>;
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;

  /// Gives the normalized text out, a code point at a time.
  void run(std::string_view text, Take take) const {
    std::vector<uint32_t> parts;
    std::vector<uint32_t> lower;
    for (size_t at = 0; at < text.size();) {
      const uint32_t c = next_code_point(text, at);
      const bool line_white = c == '\t' || c == '\n' || c == '\r';
      if (clean_text && (c == 0 || c == 0xfffd || (is_other(c) && !line_white))) continue;
      if (clean_text && (line_white || is_white(c))) {
        take(' ');
        continue;
      }
      const bool apart = handle_chinese_chars && is_chinese(c);
      if (apart) take(' ');
      parts.clear();
      lower.clear();
      if (strip_accents && c >= 0x80) {
        append_decomposed(parts, c);
        std::erase_if(parts, is_mark);
      } else {
        parts.push_back(c);
      }
      for (uint32_t part : parts) {
        if (lowercase) {
          append_lower(lower, part);
        } else {
          lower.push_back(part);
        }
      }
      for (uint32_t each : lower) take(each);
      if (apart) take(' ');
    }
  }
};

// Replaces what stands at or behind `begin`; `to` is no longer than `from`.
void replace_all(std::string& text, size_t begin, std::string_view from, std::string_view to) {
  size_t at = std::min(text.find(from, begin), text.size());
  size_t kept = at;
  while (at < text.size()) {
    if (std::string_view(text).substr(at).starts_with(from)) {
      kept += to.copy(&text[kept], to.size());
      at += from.size();
    } else {
      text[kept++] = text[at++];
    }
  }
  text.resize(kept);
}

// Of the spaces that decoding puts before punctuation and contractions, in the part of `text` that
// begins at `begin`.
void clean_up(std::string& text, size_t begin) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace_all(text, begin, from, to);
}

class WordPiece final : public Model {
 public:
  Status read(const Json& root);

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    Word word;
    const auto flush = [&] {
      if (word.characters > 0) encode_word(word, out);
      word.utf8.clear();
      word.characters = 0;
    };
    const auto add = [&](uint32_t c) {  // beyond the limit characters only count
      if (++word.characters <= max_characters_) append_utf8(word.utf8, c);
    };
    normalizer_.run(text, [&](uint32_t c) {
      if (is_white(c)) {
        flush();
      } else if (is_bert_punctuation(c)) {
        flush();
        add(c);
        flush();
      } else {
        add(c);
      }
    });
    flush();
  }

  void decode(std::string_view token, bool first, std::string& out) const override {
    const size_t begin = out.size();
    if (!first && token.starts_with(decoder_prefix_)) {
      out += token.substr(decoder_prefix_.size());
    } else {
      if (!first) out += ' ';
      out += token;
    }
    if (clean_up_) clean_up(out, begin);
  }

 private:
  struct Word {
    std::string utf8;
    size_t characters = 0;
  };

  void encode_word(const Word& word, std::vector<int32_t>& out) const {
    const size_t first_piece = out.size();
    Trie::Node node = Trie::kRoot;
    for (std::string_view rest = word.utf8; !rest.empty(); node = inside_) {
      const Trie::Match piece = vocabulary_.trie().longest(rest, node);
      // One unknown part makes the whole word unknown.
      if (piece.length == 0 || word.characters > max_characters_) {
        out.resize(first_piece);
        out.push_back(unknown_);
        return;
      }
      out.push_back(vocabulary_.id(static_cast<size_t>(piece.value)));
      rest.remove_prefix(piece.length);
    }
  }

  Status read_normalizer(const Json& json);

  // Bytes. A word takes at most so many steps for each byte of its own.
  static constexpr size_t kLongestToken = 256;

  Normalizer normalizer_;
  Trie::Node inside_ = Trie::kNoNode;  // where pieces within a word begin: behind their prefix
  size_t max_characters_ = 100;
  int32_t unknown_ = 0;
  std::string decoder_prefix_;
  bool clean_up_ = false;
};

Status WordPiece::read_normalizer(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const std::string type, json.get_string("type"));
  if (type != "BertNormalizer") {
    return Unsupported("normalizer ", quoted(type),
                       " is not supported with WordPiece; BertNormalizer is");
  }
  ENM_RETURN_IF_ERROR(
      expect_only(json, "normalizer",
                  {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}));
  ENM_ASSIGN_OR_RETURN(normalizer_.clean_text, json.get_bool("clean_text", true));
  ENM_ASSIGN_OR_RETURN(normalizer_.handle_chinese_chars,
                       json.get_bool("handle_chinese_chars", true));
  ENM_ASSIGN_OR_RETURN(normalizer_.lowercase, json.get_bool("lowercase", true));
  ENM_ASSIGN_OR_RETURN(normalizer_.strip_accents,
                       json.get_bool("strip_accents", normalizer_.lowercase));
  return {};
}

Status expect_type(const Json& root, std::string_view section, std::string_view expected) {
  ENM_ASSIGN_OR_RETURN(const Json* json, root.get(section));
  ENM_ASSIGN_OR_RETURN(const std::string type, json->get_string("type"));
  if (type == expected) return {};
  return Unsupported(section, " ", quoted(type), " is not supported with WordPiece; ", expected,
                     " is");
}

Status WordPiece::read(const Json& root) {
  ENM_ASSIGN_OR_RETURN(const Json* normalizer, root.get("normalizer"));
  ENM_RETURN_IF_ERROR(read_normalizer(*normalizer));
  ENM_RETURN_IF_ERROR(expect_type(root, "pre_tokenizer", "BertPreTokenizer"));
  ENM_RETURN_IF_ERROR(expect_type(root, "decoder", "WordPiece"));
  ENM_ASSIGN_OR_RETURN(const Json* model, root.get("model"));
  ENM_RETURN_IF_ERROR(expect_only(
      *model, "model",
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  ENM_ASSIGN_OR_RETURN(const int64_t most, model->get_int("max_input_chars_per_word", 100));
  if (most < 1 || most > 10000) return Corrupt("model.max_input_chars_per_word is ", most);
  max_characters_ = static_cast<size_t>(most);
  ENM_ASSIGN_OR_RETURN(const Json* vocab, model->get("vocab"));
  ENM_ASSIGN_OR_RETURN(vocabulary_, Vocabulary::read(*vocab, kLongestToken));
  ENM_ASSIGN_OR_RETURN(const std::string prefix,
                       model->get_string("continuing_subword_prefix", "##"));
  inside_ = vocabulary_.trie().walk(Trie::kRoot, prefix);
  ENM_ASSIGN_OR_RETURN(const std::string unknown, model->get_string("unk_token"));
  unknown_ = vocabulary_.id_of(unknown);
  if (unknown_ < 0)
    return Corrupt("model.unk_token ", quoted(unknown), " is not in the vocabulary");
  const Json& decoder = *root.find("decoder");
  ENM_ASSIGN_OR_RETURN(decoder_prefix_, decoder.get_string("prefix", "##"));
  ENM_ASSIGN_OR_RETURN(clean_up_, decoder.get_bool("cleanup", true));
  return {};
}

}  // namespace

Result<std::unique_ptr<Model>> make_wordpiece(const Json& root) {
  auto model = std::make_unique<WordPiece>();
  ENM_RETURN_IF_ERROR(model->read(root));
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace enm::text
