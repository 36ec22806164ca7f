// Byte-pair encoding: a word's characters, or its bytes as letters of GPT-2's alphabet, merged by
// rank. Source: Sennrich et al., arXiv 1508.07909
#include <algorithm>
#include <array>
#include <bit>

#include "enm/base/order.h"
#include "enm/text/bpe_merge.h"
#include "enm/text/byte_alphabet.h"
#include "enm/text/model.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes. Where a text goes on for longer without a place to cut it, it is cut anyway, so that
// merging takes less than a gigabyte.
constexpr size_t kLongestWord = size_t{1} << 24;
// Bytes of a token beyond which nothing is merged to it by its score.
constexpr size_t kLongestScored = 256;

// Which two characters may stand on both sides of a place where merging joins symbols; answers yes
// for some others too. Where it says no, a word can be cut without a change.
class Joints {
 public:
  void reserve(size_t merges) {
    bits_.assign(std::clamp<size_t>(std::bit_ceil(merges), 64, size_t{1} << 17), 0);
  }
  void add(uint32_t before, uint32_t behind) {
    const uint64_t place = place_of(before, behind);
    bits_[place >> 3] |= static_cast<uint8_t>(1 << (place & 7));
  }
  bool may_join(uint32_t before, uint32_t behind) const {
    const uint64_t place = place_of(before, behind);
    return (bits_[place >> 3] >> (place & 7) & 1) != 0;
  }

 private:
  uint64_t place_of(uint32_t before, uint32_t behind) const {
    const uint64_t hash = (uint64_t{before} << 21 | behind) * 0x9e3779b97f4a7c15u;
    return hash >> 40 & (bits_.size() * 8 - 1);
  }
  std::vector<uint8_t> bits_;
};

uint32_t first_code_point(std::string_view text) {
  size_t at = 0;
  return text.empty() ? 0 : next_code_point(text, at);
}

uint32_t last_code_point(std::string_view text) {
  if (text.empty()) return 0;
  size_t at = text.size() - 1;
  while (at > 0 && (text[at] & 0xc0) == 0x80) --at;
  return next_code_point(text, at);
}

class Bpe final : public Model {
 public:
  explicit Bpe(bool byte_level) : byte_level_(byte_level) {}
  void read(const TokenizerParts& parts, Section& in);

  void encode(std::string_view word, size_t at, ModelScratch& scratch,
              TokenList& out) const override {
    while (word.size() > kLongestWord) {
      size_t cut = kLongestWord;
      while (!byte_level_ && (word[cut] & 0xc0) == 0x80) --cut;
      encode_word(word.substr(0, cut), at, scratch, out);
      word.remove_prefix(cut);
      at += cut;
    }
    encode_word(word, at, scratch, out);
  }

 private:
  // The symbols of a word as they are collected, and the bytes that they count for so far.
  struct Word {
    ModelScratch& scratch;
    bool traced;
    size_t at;  // where they begin
    size_t length = 0;
    int32_t unknown = -1;  // bytes of an unknown token that may grow

    void add(int32_t symbol, size_t bytes) {
      scratch.symbols.push_back(static_cast<BpeMerges::Symbol>(symbol));
      if (traced) scratch.starts.push_back(static_cast<uint32_t>(length));
      length += bytes;
    }
  };

  void encode_word(std::string_view word, size_t at, ModelScratch& scratch, TokenList& out) const {
    if (ignore_merges_ && encode_whole(word, at, scratch, out)) return;
    scratch.symbols.clear();
    scratch.starts.clear();
    Word symbols{scratch, out.has_spans, at};
    if (byte_level_) {
      for (size_t i = 0; i < word.size(); ++i) {
        const auto byte = static_cast<unsigned char>(word[i]);
        const size_t place = (i == 0 ? 0 : 1) + (i + 1 == word.size() ? 2 : 0);
        const int32_t symbol = byte_symbols_[place * 256 + byte];
        if (symbol >= 0 && symbols.unknown < 0) {
          symbols.add(symbol, 1);
        } else {
          scratch.letters.clear();
          append_utf8(scratch.letters, letter_of_byte(byte));
          add_character(scratch.letters, i == 0, i + 1 == word.size(), 1, symbols);
        }
      }
    } else {
      add_characters(word, symbols, out);
    }
    finish(symbols, out);
  }

  void add_characters(std::string_view word, Word& symbols, TokenList& out) const {
    uint32_t before = 0;
    bool direct = false;  // the character before is a symbol of its own
    for (size_t i = 0; i < word.size();) {
      const size_t begin = i;
      const uint32_t c = next_code_point(word, i);
      const std::string_view character = word.substr(begin, i - begin);
      int32_t symbol = -1;
      if (plain_) symbol = c < 0x80 ? ascii_[c] : vocabulary_.find(character);
      if (symbol < 0 || symbols.unknown >= 0) {
        add_character(character, begin == 0, i == word.size(), i - begin, symbols);
        direct = false;
        continue;
      }
      if (direct && !joints_.may_join(before, c)) finish(symbols, out);
      symbols.add(symbol, i - begin);
      before = c;
      direct = true;
    }
  }

  // Merges what was collected and gives it out.
  void finish(Word& symbols, TokenList& out) const {
    auto& list = symbols.scratch.symbols;
    auto& starts = symbols.scratch.starts;
    if (symbols.unknown >= 0) {
      symbols.add(unknown_, static_cast<size_t>(symbols.unknown));
      symbols.unknown = -1;
    }
    const size_t size =
        merges_.apply(list, symbols.scratch.merges, symbols.traced ? starts.data() : nullptr);
    for (size_t i = 0; i < size; ++i) {
      const size_t begin = symbols.traced ? starts[i] : 0;
      const size_t end = symbols.traced && i + 1 < size ? starts[i + 1] : symbols.length;
      out.add(vocabulary_.id(list[i]), symbols.at + begin, symbols.at + end);
    }
    list.clear();
    starts.clear();
    symbols.at += symbols.length;
    symbols.length = 0;
  }

  // A character that may need a prefix or suffix, bytes, or the unknown token. An unknown token
  // waits for more to grow; as in Hugging Face's, bytes overtake it.
  void add_character(std::string_view character, bool first, bool last, size_t length,
                     Word& symbols) const {
    std::string text;
    if (!first) text += prefix_;
    text += character;
    if (last) text += suffix_;
    const auto flush = [&] {
      if (symbols.unknown >= 0) symbols.add(unknown_, static_cast<size_t>(symbols.unknown));
      symbols.unknown = -1;
    };
    if (const int32_t symbol = vocabulary_.find(text); symbol >= 0) {
      flush();
      symbols.add(symbol, length);
      return;
    }
    const auto has_token = [&](char c) { return bytes_[static_cast<unsigned char>(c)] >= 0; };
    if (!bytes_.empty() && std::all_of(text.begin(), text.end(), has_token)) {
      for (char c : text) symbols.add(bytes_[static_cast<unsigned char>(c)], 1);
      return;
    }
    if (unknown_ < 0) return;
    if (!fuse_unknown_) flush();
    symbols.unknown = std::max(symbols.unknown, 0) + static_cast<int32_t>(length);
  }

  bool encode_whole(std::string_view word, size_t at, ModelScratch& scratch, TokenList& out) const {
    std::string_view text = word;
    if (byte_level_) {
      scratch.letters.clear();
      for (char c : word)
        append_utf8(scratch.letters, letter_of_byte(static_cast<unsigned char>(c)));
      text = scratch.letters;
    }
    const int32_t index = vocabulary_.find(text);
    if (index >= 0) out.add(vocabulary_.id(static_cast<size_t>(index)), at, at + word.size());
    return index >= 0;
  }

  void read_switches(Section& in);
  Status read_merges(const TokenizerParts& parts);
  Result<std::vector<BpeMerges::Merge>> merges_by_name(const TokenizerParts& parts) const;
  std::vector<BpeMerges::Merge> merges_by_score(const TokenizerParts& parts) const;
  void find_symbols();

  const bool byte_level_;
  bool ignore_merges_ = false;
  bool fuse_unknown_ = false;
  std::string prefix_;
  std::string suffix_;
  bool plain_ = true;           // no prefix, no suffix
  int32_t unknown_ = -1;        // symbols are indices of tokens
  std::vector<int32_t> bytes_;  // symbols of <0x00> and so on; empty: no fallback to them
  // Symbol of each letter: at the front, inside, at the end, alone; -1: the vocabulary lacks it.
  std::array<int32_t, 4 * 256> byte_symbols_{};
  std::array<int32_t, 128> ascii_{};
  BpeMerges merges_;
  Joints joints_;
};

void Bpe::read_switches(Section& in) {
  if (const Json& dropout = in.child("dropout"); dropout.is_number() && dropout.number() != 0) {
    in.fail(Unsupported("dropout is set: ids would be random"));
  }
  prefix_ = in.text("continuing_subword_prefix", "");
  suffix_ = in.text("end_of_word_suffix", "");
  plain_ = prefix_.empty() && suffix_.empty();
  fuse_unknown_ = in.flag("fuse_unk", false);
  ignore_merges_ = in.flag("ignore_merges", false);
  if (in.flag("byte_fallback", false)) bytes_ = find_byte_tokens(vocabulary_);
  if (const Json& unknown = in.child("unk_token"); unknown.is_string()) {
    unknown_ = vocabulary_.find(unknown.string());
  }
}

void Bpe::read(const TokenizerParts& parts, Section& in) {
  read_vocabulary(parts, in);
  read_switches(in);
  if (in.ok()) in.fail(read_merges(parts));
  find_symbols();
}

void Bpe::find_symbols() {
  for (uint32_t place = 0; place < 4; ++place) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      std::string symbol = (place & 1) == 0 ? "" : prefix_;
      append_utf8(symbol, letter_of_byte(byte));
      if ((place & 2) != 0) symbol += suffix_;
      byte_symbols_[place * 256 + byte] = vocabulary_.find(symbol);
    }
  }
  for (size_t c = 0; c < ascii_.size(); ++c) {
    const char character = static_cast<char>(c);
    ascii_[c] = vocabulary_.find({&character, 1});
  }
}

// Every way to cut a token in two that are tokens.
std::vector<BpeMerges::Merge> Bpe::merges_by_score(const TokenizerParts& parts) const {
  const auto& tokens = parts.tokens;
  const auto order =
      sorted_order(static_cast<uint32_t>(tokens.size()),
                   [&](uint32_t a, uint32_t b) { return tokens[a].score > tokens[b].score; });
  std::vector<BpeMerges::Merge> out;
  uint32_t rank = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string_view text = tokens[order[i]].text;
    if (i > 0 && tokens[order[i]].score != tokens[order[i - 1]].score) ++rank;
    if (text.size() > kLongestScored) continue;
    const auto result = static_cast<BpeMerges::Symbol>(vocabulary_.find(text));
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if ((text[cut] & 0xc0) == 0x80) continue;
      const int32_t left = vocabulary_.find(text.substr(0, cut));
      const int32_t right = left < 0 ? -1 : vocabulary_.find(text.substr(cut));
      if (right < 0) continue;
      out.push_back({static_cast<BpeMerges::Symbol>(left), static_cast<BpeMerges::Symbol>(right),
                     result, rank});
    }
  }
  return out;
}

Result<std::vector<BpeMerges::Merge>> Bpe::merges_by_name(const TokenizerParts& parts) const {
  constexpr size_t kBatch = 32;
  std::vector<BpeMerges::Merge> out;
  out.reserve(parts.merges.size());
  std::string joined[kBatch];
  std::string_view names[3 * kBatch];
  int32_t found[3 * kBatch];
  for (size_t begin = 0; begin < parts.merges.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, parts.merges.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      const auto& [left, right] = parts.merges[begin + i];
      joined[i].assign(left);
      joined[i] += right.substr(std::min(prefix_.size(), right.size()));
      names[3 * i] = left;
      names[3 * i + 1] = right;
      names[3 * i + 2] = joined[i];
    }
    vocabulary_.find_all(std::span(names, 3 * count), found);
    for (size_t i = 0; i < count; ++i) {
      const int32_t* each = found + 3 * i;
      if (each[0] < 0 || each[1] < 0 || each[2] < 0) {
        return Corrupt("merge ", out.size(), " (", quoted(names[3 * i]), " + ",
                       quoted(names[3 * i + 1]), ") names tokens that the vocabulary lacks");
      }
      out.push_back({static_cast<BpeMerges::Symbol>(each[0]),
                     static_cast<BpeMerges::Symbol>(each[1]),
                     static_cast<BpeMerges::Symbol>(each[2]), static_cast<uint32_t>(out.size())});
    }
  }
  return out;
}

Status Bpe::read_merges(const TokenizerParts& parts) {
  std::vector<BpeMerges::Merge> merges;
  if (parts.merges_by_score) {
    merges = merges_by_score(parts);
  } else {
    ENM_ASSIGN_OR_RETURN(merges, merges_by_name(parts));
  }
  joints_.reserve(merges.size());
  for (const BpeMerges::Merge& merge : merges) {
    joints_.add(last_code_point(vocabulary_.token(merge.left)),
                first_code_point(vocabulary_.token(merge.right)));
  }
  ENM_ASSIGN_OR_RETURN(merges_, BpeMerges::make(merges));
  return {};
}

}  // namespace

std::vector<int32_t> find_byte_tokens(const Vocabulary& vocabulary) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::vector<int32_t> out(256);
  for (size_t byte = 0; byte < 256; ++byte) {
    out[byte] = vocabulary.find(cat("<0x", kDigits[byte >> 4], kDigits[byte & 15], ">"));
  }
  return out;
}

std::unique_ptr<Model> make_bpe(const TokenizerParts& parts, Section& in, bool byte_level) {
  auto model = std::make_unique<Bpe>(byte_level);
  model->read(parts, in);
  return model;
}

}  // namespace enm::text
