// Byte-level BPE (GPT-2, Phi): bytes are written as printable characters, words are cut by GPT-2's
// pattern, pairs are merged by rank.
// Source: Sennrich et al., arXiv 1508.07909; GPT-2's encoder.py
#include <array>

#include "enm/text/bpe_merge.h"
#include "enm/text/model.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes (0 to 0x20,
// 0x7f to 0xa0 and 0xad) for U+0100 and up.
uint32_t code_point_of(uint32_t byte) {
  if (byte <= 0x20) return 0x100 + byte;
  if (byte >= 0x7f && byte <= 0xa0) return 0x121 + byte - 0x7f;
  return byte == 0xad ? 0x143 : byte;
}

// -1: the code point stands for no byte.
int32_t byte_of(uint32_t code_point) {
  const uint32_t byte = code_point < 0x100   ? code_point
                        : code_point < 0x121 ? code_point - 0x100
                        : code_point < 0x143 ? code_point - 0x121 + 0x7f
                                             : 0xad;
  return code_point_of(byte) == code_point ? static_cast<int32_t>(byte) : -1;
}

// Ends of the words of `text` by the pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class WordCutter {
 public:
  explicit WordCutter(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }

  std::string_view next() {
    const size_t begin = at_;
    at_ = end_of_word(begin);
    return text_.substr(begin, at_ - begin);
  }

 private:
  enum class Class { kLetter, kNumber, kWhite, kOther };

  Class class_at(size_t at, size_t& after) const {
    after = at;
    const uint32_t c = next_code_point(text_, after);
    return is_letter(c)   ? Class::kLetter
           : is_number(c) ? Class::kNumber
           : is_white(c)  ? Class::kWhite
                          : Class::kOther;
  }

  size_t end_of_word(size_t begin) const {
    for (std::string_view suffix : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      if (text_.substr(begin).starts_with(suffix)) return begin + suffix.size();
    }
    size_t after;
    size_t start = begin;
    Class kind = class_at(begin, after);
    if (text_[begin] == ' ' && after < text_.size()) {
      size_t beyond;
      if (const Class behind = class_at(after, beyond); behind != Class::kWhite) {
        kind = behind;
        start = after;
      }
    }
    size_t end = start;
    size_t last = start;  // where the last character of the run begins
    for (size_t next; end < text_.size() && class_at(end, next) == kind; end = next) last = end;
    // A run of white space leaves its last character to the word behind it, unless it is alone.
    if (kind == Class::kWhite && end < text_.size() && last > begin) return last;
    return end;
  }

  std::string_view text_;
  size_t at_ = 0;
};

class ByteBpe final : public Model {
 public:
  explicit ByteBpe(bool add_prefix_space) : add_prefix_space_(add_prefix_space) {}
  Status read(const Json& model);

  void encode(std::string_view text, std::vector<int32_t>& out) const override {
    std::string valid;  // lossy: what is no UTF-8 becomes U+FFFD
    if (!is_utf8(text)) {
      for (size_t at = 0; at < text.size();) append_utf8(valid, next_code_point(text, at));
      text = valid;
    }
    std::string prefixed;
    if (add_prefix_space_ && !text.empty() && !text.starts_with(' ')) {
      prefixed = cat(" ", text);
      text = prefixed;
    }
    Scratch scratch;
    for (WordCutter cutter(text); !cutter.done();) {
      const std::string_view word = cutter.next();
      for (size_t at = 0; at < word.size(); at += kLongestWord) {
        encode_word(word.substr(at, kLongestWord), scratch, out);
      }
    }
  }

  // A token with a character that stands for no byte stands for itself.
  void decode(std::string_view token, bool, std::string& out) const override {
    const size_t begin = out.size();
    for (size_t at = 0; at < token.size();) {
      const int32_t byte = byte_of(next_code_point(token, at));
      if (byte < 0) {
        out.resize(begin);
        out += token;
        return;
      }
      out.push_back(static_cast<char>(byte));
    }
  }

 private:
  // Bytes. Where a text goes on for longer without a place to cut it, it is cut anyway, so that
  // merging takes less than a gigabyte.
  static constexpr size_t kLongestWord = size_t{1} << 24;

  struct Scratch {
    std::vector<BpeMerges::Symbol> symbols;
    BpeMerges::Scratch merges;
  };

  void encode_word(std::string_view word, Scratch& scratch, std::vector<int32_t>& out) const {
    auto& symbols = scratch.symbols;
    symbols.clear();
    for (char c : word) {
      const int32_t symbol = byte_symbols_[static_cast<unsigned char>(c)];
      if (symbol >= 0) symbols.push_back(static_cast<BpeMerges::Symbol>(symbol));
    }
    symbols.resize(merges_.apply(symbols, scratch.merges));
    for (BpeMerges::Symbol symbol : symbols) out.push_back(vocabulary_.id(symbol));
  }

  Status read_merges(const Json& json);

  const bool add_prefix_space_;
  BpeMerges merges_;                         // symbols are indices of tokens
  std::array<int32_t, 256> byte_symbols_{};  // -1: the vocabulary lacks that byte
};

Status ByteBpe::read(const Json& model) {
  ENM_RETURN_IF_ERROR(expect_only(
      model, "model",
      {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
       "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  for (const char* key :
       {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const Json* value = model.find(key);
    const bool empty =
        value == nullptr || value->is_null() || (value->is_string() && value->string().empty());
    if (!empty)
      return Unsupported("model.", key, " is set; byte-level BPE without it is supported");
  }
  for (const char* key : {"byte_fallback", "ignore_merges", "fuse_unk"}) {
    ENM_ASSIGN_OR_RETURN(const bool on, model.get_bool(key, false));
    if (on) return Unsupported("model.", key, " is true, which is not supported");
  }
  ENM_ASSIGN_OR_RETURN(const Json* vocab, model.get("vocab"));
  ENM_ASSIGN_OR_RETURN(vocabulary_, Vocabulary::read(*vocab));
  for (uint32_t byte = 0; byte < 256; ++byte) {
    std::string symbol;
    append_utf8(symbol, code_point_of(byte));
    byte_symbols_[byte] = vocabulary_.trie().find(symbol);
  }
  ENM_ASSIGN_OR_RETURN(const Json* merges, model.get("merges"));
  return read_merges(*merges);
}

// Merges are "a b" in older files and ["a", "b"] in newer ones.
Status ByteBpe::read_merges(const Json& json) {
  const Trie& trie = vocabulary_.trie();
  std::vector<BpeMerges::Merge> merges;
  merges.reserve(json.items().size());
  for (const Json& merge : json.items()) {
    std::string_view left;
    std::string_view right;
    if (merge.is_string()) {
      const std::string_view both = merge.string();
      const size_t space = both.find(' ');
      left = both.substr(0, space);
      right = space == std::string_view::npos ? "" : both.substr(space + 1);
    } else if (merge.items().size() == 2 && merge.items()[0].is_string() &&
               merge.items()[1].is_string()) {
      left = merge.items()[0].string();
      right = merge.items()[1].string();
    }
    const Trie::Node node = trie.walk(Trie::kRoot, left);
    const int32_t a = trie.value(node);
    const int32_t b = trie.find(right);
    const int32_t both = trie.value(trie.walk(node, right));
    if (a < 0 || b < 0 || both < 0) {
      return Corrupt("merge ", merges.size(), " (", quoted(left), " + ", quoted(right),
                     ") names tokens that the vocabulary lacks");
    }
    merges.push_back({static_cast<BpeMerges::Symbol>(a), static_cast<BpeMerges::Symbol>(b),
                      static_cast<BpeMerges::Symbol>(both)});
  }
  merges_ = BpeMerges(vocabulary_.size(), merges);
  return {};
}

Status expect_byte_level(const Json& root, std::string_view section) {
  ENM_ASSIGN_OR_RETURN(const Json* json, root.get(section));
  ENM_ASSIGN_OR_RETURN(const std::string type, json->get_string("type"));
  if (type != "ByteLevel") {
    return Unsupported(section, " ", quoted(type), " is not supported with BPE; ByteLevel is");
  }
  return expect_only(*json, section, {"type", "add_prefix_space", "trim_offsets", "use_regex"});
}

}  // namespace

Result<std::unique_ptr<Model>> make_byte_bpe(const Json& root) {
  if (const Json* normalizer = root.find("normalizer");
      normalizer != nullptr && !normalizer->is_null()) {
    ENM_ASSIGN_OR_RETURN(const std::string type, normalizer->get_string("type"));
    return Unsupported("normalizer ", quoted(type), " is not supported with byte-level BPE");
  }
  ENM_RETURN_IF_ERROR(expect_byte_level(root, "pre_tokenizer"));
  ENM_RETURN_IF_ERROR(expect_byte_level(root, "decoder"));
  const Json& cutter = *root.find("pre_tokenizer");
  ENM_ASSIGN_OR_RETURN(const bool prefix, cutter.get_bool("add_prefix_space", true));
  ENM_ASSIGN_OR_RETURN(const bool regex, cutter.get_bool("use_regex", true));
  if (!regex) return Unsupported("pre_tokenizer ByteLevel with use_regex false");
  auto model = std::make_unique<ByteBpe>(prefix);
  ENM_ASSIGN_OR_RETURN(const Json* section, root.get("model"));
  ENM_RETURN_IF_ERROR(model->read(*section));
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace enm::text
