// tokenizer.json as the metadata of a GGUF file.
#include <algorithm>
#include <map>
#include <optional>

#include "enm/base/json.h"
#include "enm/base/strings.h"
#include "enm/formats/gguf_export.h"
#include "enm/formats/gguf_words.h"

namespace enm::formats {
namespace {

struct Vocabulary {
  std::vector<std::string> texts;
  std::vector<int32_t> types;

  std::optional<uint32_t> find(std::string_view text) const {
    const auto found = std::ranges::find(texts, text);
    if (found == texts.end()) return std::nullopt;
    return static_cast<uint32_t>(found - texts.begin());
  }
};

Result<Json> read_json(const FileSource& files, const char* name) {
  if (!files.contains(name)) return Json(std::vector<Json::Member>());
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(name));
  auto json = Json::parse(as_text(bytes.bytes()));
  if (!json.ok()) return json.status().in(name);
  return json;
}

const Json& member(const Json& json, std::string_view key) {
  static const Json kNull;
  const Json* found = json.find(key);
  return found == nullptr ? kNull : *found;
}

// Calls `each` with the object and all objects in it that have a type.
template <typename Each>
void each_part(const Json& json, Each each) {
  if (!json.find("type")) return;
  each(json);
  for (const char* list : {"pretokenizers", "normalizers", "processors"}) {
    for (const Json& part : member(json, list).items()) each(part);
  }
}

bool has_part(const Json& json, std::string_view type) {
  bool found = false;
  each_part(json, [&](const Json& part) { found |= member(part, "type").string() == type; });
  return found;
}

// Tokens by id; ids that nothing has are padding, as conversion for llama.cpp names it.
Result<Vocabulary> read_vocabulary(const Json& root, const Json& model, int64_t count) {
  Vocabulary out;
  for (int64_t id = 0; id < count; ++id) out.texts.push_back(cat("[PAD", id, "]"));
  out.types.assign(out.texts.size(), kUnused);
  const auto put = [&](const std::string& text, const Json& id, GgufTokenType type) -> Status {
    if (!id.is_int() || id.integer() < 0 || id.integer() >= count) {
      return Unsupported("token ", quoted(text), " has no row among the table's ", count);
    }
    out.texts[static_cast<size_t>(id.integer())] = text;
    out.types[static_cast<size_t>(id.integer())] = type;
    return {};
  };
  const bool fallback = member(model, "byte_fallback").boolean();
  for (const auto& [text, id] : member(model, "vocab").members()) {
    const bool is_byte = fallback && text.size() == 6 && text.starts_with("<0x") && text[5] == '>';
    ENM_RETURN_IF_ERROR(put(text, id, is_byte ? kByte : kNormal));
  }
  for (const Json& token : member(root, "added_tokens").items()) {
    const bool special = member(token, "special").boolean();
    ENM_RETURN_IF_ERROR(put(member(token, "content").string(), member(token, "id"),
                            special ? kControl : kUserDefined));
  }
  return out;
}

// "l r" of each merge, which newer files write as a pair.
Result<std::vector<std::string>> read_merges(const Json& model) {
  std::vector<std::string> out;
  for (const Json& merge : member(model, "merges").items()) {
    if (merge.is_string()) {
      out.push_back(merge.string());
    } else if (merge.items().size() == 2) {
      out.push_back(cat(merge.items()[0].string(), " ", merge.items()[1].string()));
    } else {
      return Corrupt("tokenizer.json: a merge is neither a string nor a pair");
    }
  }
  return out;
}

// Byte-level BPE: the name of the way that words are cut.
Result<std::string_view> find_cutter(const Json& root, const Json& model) {
  const Json& pre_tokenizer = member(root, "pre_tokenizer");
  std::string pattern;
  bool prefix = false;
  each_part(pre_tokenizer, [&](const Json& part) {
    const Json& regex = member(member(part, "pattern"), "Regex");
    if (regex.is_string()) pattern = regex.string();
    prefix |= member(part, "add_prefix_space").boolean();
  });
  const bool digits = has_part(pre_tokenizer, "Digits");
  const bool nfc = has_part(member(root, "normalizer"), "NFC");
  const bool whole = member(model, "ignore_merges").boolean();
  const auto found = std::ranges::find_if(kCutters, [&](const WordCutter& cutter) {
    return cutter.pattern == pattern && cutter.digits == digits && cutter.whole_words == whole;
  });
  if (prefix || found == kCutters.end() || (!nfc && !member(root, "normalizer").is_null())) {
    return Unsupported("tokenizer.json: llama.cpp has no name for the way that words are cut here");
  }
  return found->pre;
}

// SentencePiece joins the pair whose token has the highest score: minus the merge's place.
std::vector<float> scores_of(const Vocabulary& vocabulary, const std::vector<std::string>& merges) {
  std::map<std::string, float, std::less<>> by_text;
  for (size_t i = 0; i < merges.size(); ++i) {
    std::string joined = merges[i];
    joined.erase(joined.find(' '), 1);
    by_text.emplace(std::move(joined), -static_cast<float>(i));
  }
  std::vector<float> out;
  for (const std::string& text : vocabulary.texts) {
    const auto found = by_text.find(text);
    out.push_back(found != by_text.end() ? found->second : -static_cast<float>(merges.size()));
  }
  return out;
}

// The content of a token that is a string, or an object with one.
std::string_view token_text(const Json& config, std::string_view key) {
  const Json& token = member(config, key);
  return token.is_string() ? token.string() : member(token, "content").string();
}

// Whether the post-processor puts the token in front of a text.
bool puts_first(const Json& root, std::string_view text) {
  bool found = false;
  each_part(member(root, "post_processor"), [&](const Json& part) {
    const auto& single = member(part, "single").items();
    if (!single.empty()) found |= member(member(single[0], "SpecialToken"), "id").string() == text;
  });
  return found;
}

Status add_special_tokens(const Json& root, const Json& config, const Vocabulary& vocabulary,
                          GgufWriter& writer) {
  const std::pair<const char*, const char*> kKeys[] = {{"bos", "bos_token"},
                                                       {"eos", "eos_token"},
                                                       {"unknown", "unk_token"},
                                                       {"padding", "pad_token"}};
  for (const auto& [key, name] : kKeys) {
    const std::string_view text = token_text(config, name);
    const auto id = text.empty() ? std::nullopt : vocabulary.find(text);
    if (!id) continue;
    writer.add_u32(cat("tokenizer.ggml.", key, "_token_id"), *id);
  }
  const std::string_view bos = token_text(config, "bos_token");
  writer.add_flag("tokenizer.ggml.add_bos_token", !bos.empty() && puts_first(root, bos));
  writer.add_flag("tokenizer.ggml.add_eos_token", false);
  return {};
}

Status add_model(const Json& root, const Json& model, const Vocabulary& vocabulary,
                 GgufWriter& writer) {
  if (member(model, "type").string() != "BPE") {
    return Unsupported("tokenizer.json: model ", quoted(member(model, "type").string()),
                       "; only BPE is written");
  }
  ENM_ASSIGN_OR_RETURN(const auto merges, read_merges(model));
  if (has_part(member(root, "pre_tokenizer"), "ByteLevel")) {
    ENM_ASSIGN_OR_RETURN(const std::string_view pre, find_cutter(root, model));
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", pre);
    writer.add_texts("tokenizer.ggml.merges", merges);
  } else if (member(model, "byte_fallback").boolean()) {
    const Json& normalizer = member(root, "normalizer");
    const bool metaspace = has_part(member(root, "pre_tokenizer"), "Metaspace");
    writer.add_text("tokenizer.ggml.model", "llama");
    writer.add_text("tokenizer.ggml.pre", "default");
    writer.add_f32s("tokenizer.ggml.scores", scores_of(vocabulary, merges));
    writer.add_flag("tokenizer.ggml.add_space_prefix",
                    metaspace || has_part(normalizer, "Prepend"));
  } else {
    return Unsupported("tokenizer.json: BPE that is neither byte-level nor falls back to bytes");
  }
  writer.add_texts("tokenizer.ggml.tokens", vocabulary.texts);
  writer.add_i32s("tokenizer.ggml.token_type", vocabulary.types);
  return {};
}

}  // namespace

Status add_gguf_tokenizer(const FileSource& files, int64_t vocab, GgufWriter& writer) {
  ENM_ASSIGN_OR_RETURN(const Json root, read_json(files, "tokenizer.json"));
  ENM_ASSIGN_OR_RETURN(const Json config, read_json(files, "tokenizer_config.json"));
  const Json& model = member(root, "model");
  ENM_ASSIGN_OR_RETURN(const Vocabulary vocabulary, read_vocabulary(root, model, vocab));
  ENM_RETURN_IF_ERROR(add_model(root, model, vocabulary, writer));
  ENM_RETURN_IF_ERROR(add_special_tokens(root, config, vocabulary, writer));
  const Json& chat = member(config, "chat_template");
  if (chat.is_string()) {
    writer.add_text("tokenizer.chat_template", chat.string());
  } else if (files.contains("chat_template.jinja")) {
    ENM_ASSIGN_OR_RETURN(const Blob text, files.open("chat_template.jinja"));
    writer.add_text("tokenizer.chat_template", as_text(text.bytes()));
  }
  return {};
}

}  // namespace enm::formats
