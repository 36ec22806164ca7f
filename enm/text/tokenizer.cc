#include "enm/text/tokenizer.h"

#include <algorithm>

#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes of an added token. At a place of a text, at most so many are compared.
constexpr size_t kLongestAdded = 256;
// Pieces of a template, and tokens that a post-processor puts around a text.
constexpr size_t kMostAround = 256;

// Bytes at the end that may become a character with more bytes behind them.
size_t incomplete_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

std::string made_valid(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) append_utf8(out, next_code_point(text, at));
  return out;
}

}  // namespace

Status expect_only(const Json& section, std::string_view where,
                   std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : section.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Unsupported(where, ": key ", quoted(key), " is not understood");
    }
  }
  return {};
}

Result<Tokenizer::Added> Tokenizer::read_added_token(const Json& json, bool normalizes) {
  Added flags;
  ENM_ASSIGN_OR_RETURN(flags.special, json.get_bool("special", false));
  ENM_ASSIGN_OR_RETURN(flags.takes_left, json.get_bool("lstrip", false));
  ENM_ASSIGN_OR_RETURN(flags.takes_right, json.get_bool("rstrip", false));
  ENM_ASSIGN_OR_RETURN(const bool single_word, json.get_bool("single_word", false));
  if (single_word) return Unsupported("single_word is set, which is not supported");
  ENM_ASSIGN_OR_RETURN(const bool normalized, json.get_bool("normalized", false));
  if (normalized && normalizes) {
    return Unsupported("it is matched in normalized text, which is not supported");
  }
  return flags;
}

Status Tokenizer::read_added_tokens(const Json& root) {
  const Json* list = root.find("added_tokens");
  if (list == nullptr) return {};
  const Json* normalizer = root.find("normalizer");
  const bool normalizes = normalizer != nullptr && !normalizer->is_null();
  std::vector<Vocabulary::Entry> entries;
  for (const Json& json : list->items()) {
    const Json* content = json.find("content");
    if (content == nullptr || content->string().empty()) {
      return Corrupt("added_tokens: entry ", entries.size(), " has no content");
    }
    ENM_ASSIGN_OR_RETURN(const int64_t id, json.get_int("id"));
    entries.push_back({content->string(), id});
  }
  auto made = Vocabulary::make(entries, kLongestAdded);
  if (!made.ok()) return made.status().in("added_tokens");
  added_ = *std::move(made);
  added_flags_.resize(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [token, id] = entries[i];
    auto flags = read_added_token(list->items()[i], normalizes);
    if (!flags.ok()) return flags.status().in(cat("added token ", quoted(token)));
    added_flags_[static_cast<size_t>(added_.trie().find(token))] = *flags;
    const int32_t known = model_->vocabulary().id_of(token);
    if (known >= 0 && known != id) {
      return Corrupt("added token ", quoted(token), " has id ", id, ", in the vocabulary ", known);
    }
  }
  return {};
}

Result<int32_t> read_id(const Json& id) {
  if (id.is_int() && id.integer() >= 0 && id.integer() < kIdLimit) {
    return static_cast<int32_t>(id.integer());
  }
  return Corrupt("post_processor: bad id");
}

Status Tokenizer::read_post_processor(const Json& json) {
  if (json.is_null()) return {};
  ENM_ASSIGN_OR_RETURN(const std::string type, json.get_string("type"));
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return read_template(json);
  if (type == "BertProcessing" || type == "RobertaProcessing") return read_cls_and_sep(json);
  if (type != "Sequence") {
    return Unsupported("post_processor ", quoted(type),
                       " is not supported; TemplateProcessing, BertProcessing, RobertaProcessing, "
                       "ByteLevel and Sequence are");
  }
  ENM_ASSIGN_OR_RETURN(const Json* steps, json.get("processors"));
  for (const Json& step : steps->items()) {
    ENM_ASSIGN_OR_RETURN(const std::string name, step.get_string("type"));
    if (name == "Sequence") return Unsupported("post_processor: a Sequence within a Sequence");
    ENM_RETURN_IF_ERROR(read_post_processor(step));
  }
  return {};
}

// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}: one in front, one behind.
Status Tokenizer::read_cls_and_sep(const Json& json) {
  for (const auto& [key, place] : {std::pair("cls", &before_), std::pair("sep", &after_)}) {
    ENM_ASSIGN_OR_RETURN(const Json* token, json.get(key));
    if (token->items().size() != 2) return Corrupt("post_processor.", key, " is no pair");
    ENM_ASSIGN_OR_RETURN(const int32_t id, read_id(token->items()[1]));
    place->push_back(id);
  }
  return check_around();
}

Status Tokenizer::check_around() const {
  if (before_.size() + after_.size() <= kMostAround) return {};
  return Unsupported("post_processor puts more than ", kMostAround, " tokens around a text");
}

// A template for one text: special tokens around a single sequence A.
Status Tokenizer::read_template(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const Json* single, json.get("single"));
  ENM_ASSIGN_OR_RETURN(const Json* tokens, json.get("special_tokens"));
  if (single->items().size() > kMostAround) {
    return Unsupported("post_processor: a template of ", single->items().size(),
                       " pieces; at most ", kMostAround, " are supported");
  }
  bool behind = false;
  for (const Json& piece : single->items()) {
    if (piece.find("Sequence") != nullptr) {
      if (behind) return Unsupported("post_processor: a template with two sequences");
      behind = true;
      continue;
    }
    ENM_ASSIGN_OR_RETURN(const Json* special, piece.get("SpecialToken"));
    ENM_ASSIGN_OR_RETURN(const std::string name, special->get_string("id"));
    ENM_ASSIGN_OR_RETURN(const Json* token, tokens->get(name));
    ENM_ASSIGN_OR_RETURN(const Json* ids, token->get("ids"));
    for (const Json& id : ids->items()) {
      ENM_ASSIGN_OR_RETURN(const int32_t number, read_id(id));
      (behind ? after_ : before_).push_back(number);
      ENM_RETURN_IF_ERROR(check_around());
    }
  }
  return {};
}

Status Tokenizer::read_truncation(const Json& root) {
  const Json* json = root.find("truncation");
  if (json == nullptr || json->is_null()) return {};
  ENM_ASSIGN_OR_RETURN(truncation_, json->get_int("max_length"));
  return truncation_ < 1 ? Corrupt("truncation.max_length is ", truncation_) : Status();
}

Result<Tokenizer> Tokenizer::parse(std::string_view tokenizer_json) {
  const auto read = [&]() -> Result<Tokenizer> {
    ENM_ASSIGN_OR_RETURN(const Json root, Json::parse(tokenizer_json));
    ENM_RETURN_IF_ERROR(
        expect_only(root, "file",
                    {"version", "truncation", "padding", "added_tokens", "normalizer",
                     "pre_tokenizer", "post_processor", "decoder", "model"}));
    ENM_ASSIGN_OR_RETURN(const Json* model, root.get("model"));
    ENM_ASSIGN_OR_RETURN(const std::string type, model->get_string("type"));
    Tokenizer tokenizer;
    if (type == "BPE") {
      ENM_ASSIGN_OR_RETURN(tokenizer.model_, make_byte_bpe(root));
    } else if (type == "WordPiece") {
      ENM_ASSIGN_OR_RETURN(tokenizer.model_, make_wordpiece(root));
    } else {
      return Unsupported("model ", quoted(type), " is not supported; BPE and WordPiece are");
    }
    ENM_RETURN_IF_ERROR(tokenizer.read_added_tokens(root));
    if (const Json* processor = root.find("post_processor"); processor != nullptr) {
      ENM_RETURN_IF_ERROR(tokenizer.read_post_processor(*processor));
    }
    ENM_RETURN_IF_ERROR(tokenizer.read_truncation(root));
    return tokenizer;
  };
  auto tokenizer = read();
  if (!tokenizer.ok()) return tokenizer.status().in("[text] tokenizer.json");
  return tokenizer;
}

namespace {

size_t white_length(std::string_view text) {
  size_t end = 0;
  for (size_t next = 0; end < text.size() && is_white(next_code_point(text, next)); end = next) {
  }
  return end;
}

std::string_view without_white_end(std::string_view text) {
  size_t end = 0;  // of what is kept
  for (size_t at = 0; at < text.size();) {
    if (!is_white(next_code_point(text, at))) end = at;
  }
  return text.substr(0, end);
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool special_tokens) const {
  std::vector<int32_t> out;
  if (special_tokens) out = before_;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Trie::Match match = added_.trie().longest(text.substr(at));
    if (match.length == 0) {
      ++at;
      continue;
    }
    const auto index = static_cast<size_t>(match.value);
    std::string_view before = text.substr(begin, at - begin);
    if (added_flags_[index].takes_left) before = without_white_end(before);
    if (!before.empty()) model_->encode(before, out);
    out.push_back(added_.id(index));
    at += match.length;
    if (added_flags_[index].takes_right) at += white_length(text.substr(at));
    begin = at;
  }
  if (begin < text.size()) model_->encode(text.substr(begin), out);
  if (special_tokens) out.insert(out.end(), after_.begin(), after_.end());
  return out;
}

bool Tokenizer::append_text(int32_t id, bool first, std::string& out) const {
  const int32_t added = added_.index(id);
  if (added >= 0 && added_flags_[static_cast<size_t>(added)].special) return false;
  const Vocabulary& vocabulary = added >= 0 ? added_ : model_->vocabulary();
  const int32_t index = vocabulary.index(id);
  if (index < 0) return false;
  model_->decode(vocabulary.token(static_cast<size_t>(index)), first, out);
  return true;
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  bool first = true;
  for (int32_t id : ids) {
    if (append_text(id, first, out)) first = false;
  }
  return made_valid(out);
}

bool Tokenizer::contains(int32_t id) const {
  return added_.index(id) >= 0 || model_->vocabulary().index(id) >= 0;
}

bool Tokenizer::is_special(int32_t id) const {
  const int32_t index = added_.index(id);
  return index >= 0 && added_flags_[static_cast<size_t>(index)].special;
}

int32_t Tokenizer::id_of(std::string_view token) const {
  const int32_t id = added_.id_of(token);
  return id < 0 ? model_->vocabulary().id_of(token) : id;
}

std::string StreamDecoder::push(int32_t id) {
  if (tokenizer_.append_text(id, first_, held_)) first_ = false;
  const size_t tail = incomplete_tail(held_);
  const std::string ready = made_valid(std::string_view(held_).substr(0, held_.size() - tail));
  held_.erase(0, held_.size() - tail);
  return ready;
}

std::string StreamDecoder::flush() {
  std::string rest = made_valid(held_);
  held_.clear();
  return rest;
}

}  // namespace enm::text
