// Byte-level BPE (GPT-2, Phi): bytes are written as printable characters, words are cut by GPT-2's
// pattern, pairs are merged by rank.
// Source: Sennrich et al., arXiv 1508.07909; GPT-2's encoder.py
#include <array>
#include <climits>

#include "enm/text/model.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// GPT-2's alphabet: printable Latin-1 characters stand for themselves, other bytes for U+0100 and
// up.
const std::array<std::string, 256>& byte_symbols() {
  static const std::array<std::string, 256> symbols = [] {
    std::array<std::string, 256> table;
    uint32_t next = 256;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      append_utf8(table[byte], printable ? byte : next++);
    }
    return table;
  }();
  return symbols;
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
    std::vector<int32_t> symbols;
    for (WordCutter cutter(text); !cutter.done();) encode_word(cutter.next(), symbols, out);
  }

  void decode(int32_t id, bool, std::string& out) const override {
    if (id >= 0 && static_cast<size_t>(id) < bytes_.size()) out += bytes_[static_cast<size_t>(id)];
  }

 private:
  struct Merge {
    int32_t rank = INT_MAX;
    int32_t result = 0;
  };
  static uint64_t pair_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  Merge merge_of(int32_t left, int32_t right) const {
    const auto found = merges_.find(pair_key(left, right));
    return found == merges_.end() ? Merge() : found->second;
  }

  // Words are short: finding the best pair by a scan beats keeping a heap.
  void encode_word(std::string_view word, std::vector<int32_t>& symbols,
                   std::vector<int32_t>& out) const {
    symbols.clear();
    for (char c : word) {
      const int32_t id = byte_ids_[static_cast<unsigned char>(c)];
      if (id >= 0) symbols.push_back(id);
    }
    while (symbols.size() > 1) {
      Merge best;
      size_t where = 0;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        const Merge merge = merge_of(symbols[i], symbols[i + 1]);
        if (merge.rank < best.rank) {
          best = merge;
          where = i;
        }
      }
      if (best.rank == INT_MAX) break;
      symbols[where] = best.result;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(where) + 1);
    }
    out.insert(out.end(), symbols.begin(), symbols.end());
  }

  Status read_merges(const Json& merges, const Vocabulary& vocabulary);
  void read_bytes(const Vocabulary& vocabulary);

  const bool add_prefix_space_;
  std::unordered_map<uint64_t, Merge> merges_;
  std::array<int32_t, 256> byte_ids_{};
  std::vector<std::string> bytes_;  // of each token
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
  ENM_ASSIGN_OR_RETURN(const Vocabulary vocabulary, read_vocabulary(*vocab));
  ENM_ASSIGN_OR_RETURN(const Json* merges, model.get("merges"));
  ENM_RETURN_IF_ERROR(read_merges(*merges, vocabulary));
  read_bytes(vocabulary);
  return {};
}

// Merges are "a b" in older files and ["a", "b"] in newer ones.
Status ByteBpe::read_merges(const Json& merges, const Vocabulary& vocabulary) {
  int32_t rank = 0;
  for (const Json& merge : merges.items()) {
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
    const auto a = vocabulary.find(left);
    const auto b = vocabulary.find(right);
    const auto c = vocabulary.find(cat(left, right));
    if (a == vocabulary.end() || b == vocabulary.end() || c == vocabulary.end()) {
      return Corrupt("merge ", rank, " (", quoted(left), " + ", quoted(right),
                     ") names tokens that the vocabulary lacks");
    }
    merges_.try_emplace(pair_key(a->second, b->second), Merge{rank++, c->second});
  }
  return {};
}

void ByteBpe::read_bytes(const Vocabulary& vocabulary) {
  std::unordered_map<uint32_t, char> byte_of;
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string& symbol = byte_symbols()[byte];
    size_t at = 0;
    byte_of[next_code_point(symbol, at)] = static_cast<char>(byte);
    const auto found = vocabulary.find(symbol);
    byte_ids_[byte] = found == vocabulary.end() ? -1 : found->second;
  }
  for (const auto& [token, id] : vocabulary) {
    if (bytes_.size() <= static_cast<size_t>(id)) bytes_.resize(static_cast<size_t>(id) + 1);
    std::string& bytes = bytes_[static_cast<size_t>(id)];
    for (size_t at = 0; at < token.size();) {
      const uint32_t c = next_code_point(token, at);
      const auto found = byte_of.find(c);
      if (found != byte_of.end()) {
        bytes.push_back(found->second);
      } else {
        append_utf8(bytes, c);
      }
    }
  }
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
