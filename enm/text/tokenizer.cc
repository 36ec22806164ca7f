#include "enm/text/tokenizer.h"

#include <algorithm>

#include "enm/text/unicode.h"

namespace enm::text {
namespace {

constexpr int64_t kMaxId = int64_t{1} << 24;

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

// WordPiece's clean-up of the spaces that decoding puts before punctuation and contractions.
void clean_up(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
}

}  // namespace

Result<Vocabulary> read_vocabulary(const Json& json) {
  if (!json.is_object()) return Corrupt("model.vocab is no object");
  Vocabulary vocabulary;
  vocabulary.reserve(json.members().size());
  for (const auto& [token, id] : json.members()) {
    if (!id.is_int() || id.integer() < 0 || id.integer() >= kMaxId) {
      return Corrupt("model.vocab: token ", quoted(token), " has no id from 0 to ", kMaxId - 1);
    }
    vocabulary.emplace(token, static_cast<int32_t>(id.integer()));
  }
  return vocabulary;
}

Status expect_only(const Json& section, std::string_view where,
                   std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : section.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Unsupported(where, ": key ", quoted(key), " is not understood");
    }
  }
  return {};
}

Status Tokenizer::read_added_tokens(const Json& root) {
  const Json* list = root.find("added_tokens");
  if (list == nullptr) return {};
  for (const Json& json : list->items()) {
    Added token;
    ENM_ASSIGN_OR_RETURN(token.content, json.get_string("content"));
    ENM_ASSIGN_OR_RETURN(const int64_t id, json.get_int("id"));
    ENM_ASSIGN_OR_RETURN(token.special, json.get_bool("special", false));
    if (token.content.empty() || id < 0 || id >= kMaxId) {
      return Corrupt("added_tokens: ", quoted(token.content), " with id ", id);
    }
    ENM_ASSIGN_OR_RETURN(token.takes_left, json.get_bool("lstrip", false));
    ENM_ASSIGN_OR_RETURN(token.takes_right, json.get_bool("rstrip", false));
    ENM_ASSIGN_OR_RETURN(const bool single_word, json.get_bool("single_word", false));
    if (single_word) {
      return Unsupported("added token ", quoted(token.content),
                         " has single_word, which is not supported");
    }
    ENM_ASSIGN_OR_RETURN(const bool normalized, json.get_bool("normalized", false));
    const Json* normalizer = root.find("normalizer");
    if (normalized && normalizer != nullptr && !normalizer->is_null()) {
      return Unsupported("added token ", quoted(token.content),
                         " is matched in normalized text, which is not supported");
    }
    token.id = static_cast<int32_t>(id);
    vocabulary_.insert_or_assign(token.content, token.id);
    added_.push_back(std::move(token));
  }
  // Where two begin alike, the longer one wins.
  std::stable_sort(added_.begin(), added_.end(), [](const Added& a, const Added& b) {
    return a.content.size() > b.content.size();
  });
  return {};
}

Result<int32_t> read_id(const Json& id) {
  if (id.is_int() && id.integer() >= 0 && id.integer() < kMaxId) {
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
  return {};
}

// A template for one text: special tokens around a single sequence A.
Status Tokenizer::read_template(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const Json* single, json.get("single"));
  ENM_ASSIGN_OR_RETURN(const Json* tokens, json.get("special_tokens"));
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
      ENM_ASSIGN_OR_RETURN(tokenizer.clean_up_, root.find("decoder")->get_bool("cleanup", true));
    } else {
      return Unsupported("model ", quoted(type), " is not supported; BPE and WordPiece are");
    }
    ENM_ASSIGN_OR_RETURN(const Json* vocab, model->get("vocab"));
    ENM_ASSIGN_OR_RETURN(tokenizer.vocabulary_, read_vocabulary(*vocab));
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

const Tokenizer::Added* Tokenizer::added_at(std::string_view text, size_t at) const {
  for (const Added& token : added_) {
    if (text.substr(at).starts_with(token.content)) return &token;
  }
  return nullptr;
}

const Tokenizer::Added* Tokenizer::added(int32_t id) const {
  for (const Added& token : added_) {
    if (token.id == id) return &token;
  }
  return nullptr;
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
    const Added* token = added_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::string_view before = text.substr(begin, at - begin);
    if (token->takes_left) before = without_white_end(before);
    if (!before.empty()) model_->encode(before, out);
    out.push_back(token->id);
    at += token->content.size();
    if (token->takes_right) at += white_length(text.substr(at));
    begin = at;
  }
  if (begin < text.size()) model_->encode(text.substr(begin), out);
  if (special_tokens) out.insert(out.end(), after_.begin(), after_.end());
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  for (int32_t id : ids) {
    const Added* token = added(id);
    if (token != nullptr && token->special) continue;
    if (token != nullptr) {
      out += token->content;
    } else {
      model_->decode(id, out.empty(), out);
    }
  }
  out = made_valid(out);
  if (clean_up_) clean_up(out);
  return out;
}

bool Tokenizer::is_special(int32_t id) const {
  const Added* token = added(id);
  return token != nullptr && token->special;
}

int32_t Tokenizer::id_of(std::string_view token) const {
  const auto found = vocabulary_.find(token);
  return found == vocabulary_.end() ? -1 : found->second;
}

std::string StreamDecoder::push(int32_t id) {
  const Tokenizer::Added* token = tokenizer_.added(id);
  if (token != nullptr && token->special) return "";
  if (token != nullptr) {
    held_ += token->content;
  } else {
    tokenizer_.model_->decode(id, first_, held_);
  }
  first_ = false;
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
