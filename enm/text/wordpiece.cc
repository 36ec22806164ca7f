// WordPiece (BERT): clean, split at white space and punctuation, then the longest known piece from
// the front of each word, pieces inside a word being marked by a prefix. Source: Devlin et al.,
// arXiv 1810.04805; bert/tokenization.py
#include "enm/text/model.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

using CodePoints = std::vector<uint32_t>;

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
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;

  CodePoints run(std::string_view text) const {
    CodePoints cleaned;
    for (size_t at = 0; at < text.size();) {
      const uint32_t c = next_code_point(text, at);
      const bool line_white = c == '\t' || c == '\n' || c == '\r';
      if (clean_text && (c == 0 || c == 0xfffd || (is_other(c) && !line_white))) continue;
      const bool blank = line_white || is_white(c);
      const bool apart = handle_chinese_chars && is_chinese(c);
      if (apart) cleaned.push_back(' ');
      cleaned.push_back(clean_text && blank ? ' ' : c);
      if (apart) cleaned.push_back(' ');
    }
    if (strip_accents) {
      CodePoints parts;
      for (uint32_t c : cleaned) append_decomposed(parts, c);
      std::erase_if(parts, is_mark);
      cleaned = std::move(parts);
    }
    if (lowercase) {
      CodePoints lower;
      for (uint32_t c : cleaned) append_lower(lower, c);
      cleaned = std::move(lower);
    }
    return cleaned;
  }
};

class WordPiece final : public Model {
 public:
  Status read(const Json& root);

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    const CodePoints points = normalizer_.run(text);
    CodePoints word;
    const auto flush = [&] {
      if (!word.empty()) encode_word(word, out);
      word.clear();
    };
    for (uint32_t c : points) {
      if (is_white(c)) {
        flush();
      } else if (is_bert_punctuation(c)) {
        flush();
        word.push_back(c);
        flush();
      } else {
        word.push_back(c);
      }
    }
    flush();
  }

  void decode(int32_t id, bool first, std::string& out) const override {
    if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return;
    const std::string_view token = tokens_[static_cast<size_t>(id)];
    if (!first && token.starts_with(prefix_)) {
      out += token.substr(prefix_.size());
    } else {
      if (!first) out += ' ';
      out += token;
    }
  }

 private:
  void encode_word(const CodePoints& word, std::vector<int32_t>& out) const {
    std::string utf8;
    std::vector<size_t> ends;  // of each character
    for (uint32_t c : word) {
      append_utf8(utf8, c);
      ends.push_back(utf8.size());
    }
    const size_t first_piece = out.size();
    if (word.size() > max_characters_) {
      out.push_back(unknown_);
      return;
    }
    std::string candidate;
    for (size_t begin = 0; begin < utf8.size();) {
      int32_t id = -1;
      size_t end = 0;
      for (auto at = ends.rbegin(); at != ends.rend() && *at > begin; ++at) {
        candidate.assign(begin > 0 ? prefix_ : "");
        candidate.append(utf8, begin, *at - begin);
        if (const auto found = vocabulary_.find(candidate); found != vocabulary_.end()) {
          id = found->second;
          end = *at;
          break;
        }
      }
      if (id < 0) {  // one unknown part makes the whole word unknown
        out.resize(first_piece);
        out.push_back(unknown_);
        return;
      }
      out.push_back(id);
      begin = end;
    }
  }

  Status read_normalizer(const Json& json);

  Normalizer normalizer_;
  Vocabulary vocabulary_;
  std::vector<std::string> tokens_;
  std::string prefix_ = "##";
  size_t max_characters_ = 100;
  int32_t unknown_ = 0;
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
  ENM_ASSIGN_OR_RETURN(prefix_, model->get_string("continuing_subword_prefix", "##"));
  ENM_ASSIGN_OR_RETURN(const int64_t most, model->get_int("max_input_chars_per_word", 100));
  if (most < 1 || most > 10000) return Corrupt("model.max_input_chars_per_word is ", most);
  max_characters_ = static_cast<size_t>(most);
  ENM_ASSIGN_OR_RETURN(const Json* vocab, model->get("vocab"));
  ENM_ASSIGN_OR_RETURN(vocabulary_, read_vocabulary(*vocab));
  ENM_ASSIGN_OR_RETURN(const std::string unknown, model->get_string("unk_token"));
  const auto found = vocabulary_.find(unknown);
  if (found == vocabulary_.end())
    return Corrupt("model.unk_token ", quoted(unknown), " is not in the vocabulary");
  unknown_ = found->second;
  for (const auto& [token, id] : vocabulary_) {
    if (tokens_.size() <= static_cast<size_t>(id)) tokens_.resize(static_cast<size_t>(id) + 1);
    tokens_[static_cast<size_t>(id)] = token;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Model>> make_wordpiece(const Json& root) {
  auto model = std::make_unique<WordPiece>();
  ENM_RETURN_IF_ERROR(model->read(root));
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace enm::text
