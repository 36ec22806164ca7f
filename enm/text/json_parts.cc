#include "enm/text/json_parts.h"

#include <charconv>
#include <cstring>

#include "enm/text/unicode.h"

namespace enm::text {

std::string_view StringStore::keep(std::string_view text) {
  constexpr size_t kBlock = size_t{1} << 16;
  if (text.size() > left_) {
    left_ = std::max(kBlock, text.size());
    blocks_.push_back(std::make_unique<char[]>(left_));
    block_ = left_;
  }
  char* to = blocks_.back().get() + (block_ - left_);
  left_ -= text.size();
  std::memcpy(to, text.data(), text.size());
  return {to, text.size()};
}

namespace {

// Goes through JSON text. What it does not like it leaves to Json::parse, which says why.
class Scanner {
 public:
  Scanner(std::string_view text, StringStore& store) : text_(text), store_(store) {}

  size_t at() const { return at_; }

  bool take(char c) {
    white();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char peek() {
    white();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  // Behind an opening bracket: whether an item comes. `first` is true before the first.
  bool next(char close, bool& first) {
    if (take(close)) return false;
    if (!first && !take(',')) return fail();
    first = false;
    return true;
  }

  bool string(std::string_view& out) {
    if (!take('"')) return fail();
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') return escaped(begin, out);
      ++at_;
    }
    out = text_.substr(begin, at_ - begin);
    return take('"') || fail();
  }

  bool integer(int64_t& out) {
    white();
    const char* begin = text_.data() + at_;
    const auto result = std::from_chars(begin, text_.data() + text_.size(), out);
    if (result.ec != std::errc()) return fail();
    at_ += static_cast<size_t>(result.ptr - begin);
    // 1.5 and 1e3 are no integers.
    if (at_ < text_.size() && (text_[at_] == '.' || (text_[at_] | 32) == 'e')) {
      out = -1;
      return skip_scalar();
    }
    return true;
  }

  // As Hugging Face's reader rounds it, which for long numbers is not always to the nearest: a last
  // bit may decide between cuts of a word that are equally good.
  bool number(double& out) {
    white();
    const size_t begin = at_;
    const bool negative = at_ < text_.size() && text_[at_] == '-';
    if (negative) ++at_;
    uint64_t digits = 0;
    double scale = 1;
    constexpr double kExactScale = 1e22;
    constexpr uint64_t kFull = (UINT64_MAX - 9) / 10;
    bool point = false;
    bool plain = true;  // no exponent, and digits and scale are exact
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '.') {
        point = true;
      } else if (c >= '0' && c <= '9') {
        if (digits > kFull) {
          plain = plain && point;  // further places are left out
          continue;
        }
        digits = digits * 10 + static_cast<uint64_t>(c - '0');
        if (point) scale *= 10;
      } else {
        plain = plain && (c | 32) != 'e';
        break;
      }
    }
    if (plain && at_ > begin + (negative ? 1 : 0) && scale <= kExactScale) {
      out = static_cast<double>(digits) / scale;
      if (negative) out = -out;
      return true;
    }
    const char* at = text_.data() + begin;
    const std::errc error = read_number(at, text_.data() + text_.size(), out);
    if (error == std::errc::result_out_of_range) {
      out = 0;
    } else if (error != std::errc()) {
      return fail();
    }
    at_ = static_cast<size_t>(at - text_.data());
    return true;
  }

  bool skip_value() {
    size_t depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        if (!skip_string()) return false;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return fail();
        --depth;
        ++at_;
      } else if (c == ',' || c == ':') {
        if (depth == 0) return fail();
        ++at_;
      } else if (c == '\0' || !skip_scalar()) {
        return fail();
      }
    } while (depth > 0);
    return true;
  }

  bool failed() const { return failed_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  void white() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool skip_scalar() {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(" \n\t\r,:]}[{\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    return at_ > begin || fail();
  }
  bool skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    return take('"') || fail();
  }

  bool hexadecimal(uint32_t& out) {
    if (text_.size() - at_ < 4) return false;
    const char* begin = text_.data() + at_;
    at_ += 4;
    const auto result = std::from_chars(begin, begin + 4, out, 16);
    return result.ec == std::errc() && result.ptr == begin + 4;
  }

  bool escaped(size_t begin, std::string_view& out) {
    std::string text(text_.substr(begin, at_ - begin));
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (c != '\\') {
        text.push_back(c);
        continue;
      }
      if (at_ == text_.size()) return fail();
      constexpr std::string_view kEscapes = "\"\"\\\\//b\bf\fn\nr\rt\t";
      const char escape = text_[at_++];
      if (escape == 'u') {
        uint32_t code;
        uint32_t low = 0;
        if (!hexadecimal(code)) return fail();
        if (code >= 0xd800 && code < 0xe000) {
          if (code >= 0xdc00 || !text_.substr(at_).starts_with("\\u")) return fail();
          at_ += 2;
          if (!hexadecimal(low) || low < 0xdc00 || low >= 0xe000) return fail();
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        append_utf8(text, code);
        continue;
      }
      size_t known = 0;
      while (known < kEscapes.size() && kEscapes[known] != escape) known += 2;
      if (known == kEscapes.size()) return fail();
      text.push_back(kEscapes[known + 1]);
    }
    out = store_.keep(text);
    return take('"') || fail();
  }

  const std::string_view text_;
  StringStore& store_;
  size_t at_ = 0;
  bool failed_ = false;
};

// {"token": id} or [["token", score]]
void scan_vocabulary(Scanner& in, TokenizerParts& parts) {
  parts.tokens.clear();
  TokenizerParts::Token token;
  bool first = true;
  if (in.take('{')) {
    while (in.next('}', first) && in.string(token.text) && in.take(':') &&
           (in.peek() == '"' || in.peek() == '[' || in.peek() == '{' || in.peek() == 'n' ||
                    in.peek() == 't' || in.peek() == 'f'
                ? (token.id = -1, in.skip_value())
                : in.integer(token.id))) {
      parts.tokens.push_back(token);
    }
  } else if (in.take('[')) {
    while (in.next(']', first) && in.take('[') && in.string(token.text) && in.take(',') &&
           in.number(token.score) && in.take(']')) {
      token.id = static_cast<int64_t>(parts.tokens.size());
      parts.tokens.push_back(token);
    }
  } else {
    in.skip_value();
  }
}

// ["a b"] in older files, [["a", "b"]] in newer ones.
void scan_merges(Scanner& in, TokenizerParts& parts) {
  parts.merges.clear();
  TokenizerParts::Merge merge;
  bool first = true;
  if (!in.take('[')) {
    in.skip_value();
    return;
  }
  while (in.next(']', first)) {
    if (in.take('[')) {
      if (!in.string(merge.left) || !in.take(',') || !in.string(merge.right) || !in.take(']'))
        break;
    } else {
      std::string_view both;
      if (in.peek() == '"' ? !in.string(both) : !in.skip_value()) break;
      if (both.starts_with("#version")) continue;
      const size_t space = std::min(both.find(' '), both.size());
      merge.left = both.substr(0, space);
      merge.right = both.substr(std::min(space + 1, both.size()));
    }
    parts.merges.push_back(merge);
  }
}

struct Cut {
  size_t begin;
  size_t end;
};

void scan_model(Scanner& in, TokenizerParts& parts, std::vector<Cut>& cuts) {
  bool first = true;
  std::string_view key;
  while (in.next('}', first) && in.string(key) && in.take(':')) {
    const size_t begin = in.at();
    if (key == "vocab") {
      scan_vocabulary(in, parts);
    } else if (key == "merges") {
      scan_merges(in, parts);
    } else {
      if (!in.skip_value()) return;
      continue;
    }
    cuts.push_back({begin, in.at()});
  }
}

}  // namespace

Status read_tokenizer_json(std::string_view text, TokenizerParts& parts, StringStore& store) {
  if (const JsonLimits limits; text.size() > limits.max_bytes) return Json::parse(text).status();
  Scanner in(text, store);
  std::vector<Cut> cuts;
  bool first = true;
  std::string_view key;
  if (in.take('{')) {
    while (in.next('}', first) && in.string(key) && in.take(':')) {
      if (key == "model" && in.take('{')) {
        scan_model(in, parts, cuts);
      } else if (!in.skip_value()) {
        break;
      }
      if (in.failed()) break;
    }
  }
  if (in.failed()) {
    ENM_ASSIGN_OR_RETURN(const Json whole, Json::parse(text));
    return Corrupt("model.vocab or model.merges is not understood");
  }
  std::string rest;
  size_t end = 0;
  for (const Cut& cut : cuts) {
    rest += text.substr(end, cut.begin - end);
    rest.append(std::string_view("null"));
    end = cut.end;
  }
  rest += text.substr(end);
  ENM_ASSIGN_OR_RETURN(parts.settings, Json::parse(rest));
  return {};
}

Status read_vocab_json(std::string_view text, TokenizerParts& parts, StringStore& store) {
  Scanner in(text, store);
  scan_vocabulary(in, parts);
  return in.failed() ? Corrupt("vocab.json is no object of ids") : Status();
}

}  // namespace enm::text
