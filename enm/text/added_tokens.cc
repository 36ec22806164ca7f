#include "enm/text/added_tokens.h"

#include <algorithm>

#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes of an added token. At a place of a text, at most so many are compared.
constexpr size_t kLongestAdded = 256;

bool is_of_word(uint32_t c) { return is_word(c) || c == 0x200c || c == 0x200d; }

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  size_t at = text.size() - 1;
  while (at > 0 && (text[at] & 0xc0) == 0x80) --at;
  return is_of_word(next_code_point(text, at));
}

bool starts_with_word(std::string_view text) {
  size_t at = 0;
  return !text.empty() && is_of_word(next_code_point(text, at));
}

size_t white_length(std::string_view text) {
  size_t end = 0;
  for (size_t next = 0; end < text.size() && is_white(next_code_point(text, next)); end = next) {
  }
  return end;
}

// Where the white space at the end of `text` begins, at or behind `begin`.
size_t white_begin(std::string_view text, size_t begin) {
  size_t end = text.size();
  while (end > begin) {
    size_t at = end - 1;
    while (at > begin && (text[at] & 0xc0) == 0x80) --at;
    const size_t start = at;
    if (!is_white(next_code_point(text, at))) break;
    end = start;
  }
  return end;
}

}  // namespace

Status AddedTokens::read(const Json& list, const Vocabulary& model,
                         const Normalizers& normalizers) {
  std::vector<TokenizerParts::Token> entries;
  for (const Json& json : list.items()) {
    const Json* content = json.find("content");
    if (content == nullptr || content->string().empty()) {
      return Corrupt("added_tokens: entry ", entries.size(), " has no content");
    }
    ENM_ASSIGN_OR_RETURN(const int64_t id, json.get_int("id"));
    entries.push_back({content->string(), id});
  }
  auto made = Vocabulary::make(entries, kLongestAdded);
  if (!made.ok()) return made.status().in("added_tokens");
  vocabulary_ = *std::move(made);
  tokens_.resize(entries.size());
  std::vector<bool> is_normalized(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const Json& json = list.items()[i];
    const auto& [text, id, score] = entries[i];
    const auto index = static_cast<size_t>(vocabulary_.find(text));
    Token& token = tokens_[index];
    Section in(json, "added_tokens");
    for (const char* key : {"id", "content"}) in.child(key);
    token.special = in.flag("special", false);
    token.takes_left = in.flag("lstrip", false);
    token.takes_right = in.flag("rstrip", false);
    token.single_word = in.flag("single_word", false);
    const bool normalized = in.flag("normalized", false);
    ENM_RETURN_IF_ERROR(in.finish());
    is_normalized[index] = normalized;
    token.text = normalized ? normalizers.run(text) : std::string(text);
    // Special tokens are told by their text, so that one that is shown otherwise is not hidden.
    token.hidden = token.special && token.text == text;
    if (const int32_t known = model.id_of(text); known >= 0 && known != id) {
      return Corrupt("added token ", quoted(text), " has id ", id, ", in the vocabulary ", known);
    }
  }
  for (const bool normalized : {false, true}) make_finder(normalized, is_normalized);
  return {};
}

void AddedTokens::make_finder(bool normalized, const std::vector<bool>& is_normalized) {
  Finder& finder = finders_[normalized ? 1 : 0];
  std::vector<std::string_view> texts;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (is_normalized[i] != normalized || tokens_[i].text.empty()) continue;
    texts.push_back(tokens_[i].text);
    finder.indices.push_back(static_cast<int32_t>(i));
    finder.first[static_cast<unsigned char>(texts.back()[0])] = true;
  }
  finder.empty = texts.empty();
  finder.trie = Trie(texts);
}

void AddedTokens::split(std::string_view text, bool normalized, Take take) const {
  const Finder& finder = finders_[normalized ? 1 : 0];
  size_t done = 0;
  for (size_t at = 0; !finder.empty && at < text.size();) {
    if (!finder.first[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const Trie::Match match = finder.trie.longest(text.substr(at));
    if (match.length == 0) {
      ++at;
      continue;
    }
    const int32_t index = finder.indices[static_cast<size_t>(match.value)];
    const Token& token = tokens_[static_cast<size_t>(index)];
    size_t begin = at;
    size_t end = at + match.length;
    at = end;
    if (token.single_word &&
        (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) {
      continue;
    }
    if (token.takes_left) {
      begin = std::max(white_begin(text.substr(0, begin), std::min(done, begin)), done);
      begin = std::min(begin, end);
    }
    if (token.takes_right) end += white_length(text.substr(end));
    if (begin > done) take(done, begin, -1);
    take(begin, end, index);
    done = end;
  }
  if (done < text.size()) take(done, text.size(), -1);
}

}  // namespace enm::text
