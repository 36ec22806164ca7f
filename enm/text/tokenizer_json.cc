// A tokenizer from its parts.
#include <algorithm>

#include "enm/text/json_parts.h"
#include "enm/text/tokenizer_impl.h"

namespace enm::text {

Status expect_only(const Json& section, std::string_view where,
                   std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : section.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Unsupported(where, ": key ", quoted(key), " is not understood");
    }
  }
  return {};
}

Status Tokenizer::Impl::read(const TokenizerParts& parts) {
  const Json& root = parts.settings;
  ENM_RETURN_IF_ERROR(expect_only(root, "file",
                                  {"version", "truncation", "padding", "added_tokens", "normalizer",
                                   "pre_tokenizer", "post_processor", "decoder", "model"}));
  const auto section = [&](std::string_view key) -> const Json& {
    static const Json none;
    const Json* json = root.find(key);
    return json == nullptr ? none : *json;
  };
  ENM_RETURN_IF_ERROR(normalizers.read(section("normalizer")));
  ENM_RETURN_IF_ERROR(pre_tokenizers.read(section("pre_tokenizer")));
  needs_origins =
      pre_tokenizers.needs_origins() || (pre_tokenizers.needs_place() && !normalizers.empty());
  ENM_RETURN_IF_ERROR(read_model(parts));
  ENM_RETURN_IF_ERROR(added.read(section("added_tokens"), model->vocabulary(), normalizers));
  ENM_RETURN_IF_ERROR(post_processors.read(section("post_processor")));
  ENM_RETURN_IF_ERROR(decoders.read(section("decoder")));
  ENM_RETURN_IF_ERROR(read_truncation(section("truncation")));
  return read_padding(section("padding"));
}

Status Tokenizer::Impl::read_model(const TokenizerParts& parts) {
  ENM_ASSIGN_OR_RETURN(const Json* json, parts.settings.get("model"));
  ENM_ASSIGN_OR_RETURN(const std::string type, json->get_string("type"));
  if (type == "BPE") {
    ENM_ASSIGN_OR_RETURN(model, make_bpe(parts, *json, pre_tokenizers.leave_bytes()));
  } else if (type == "WordPiece") {
    ENM_ASSIGN_OR_RETURN(model, make_wordpiece(parts, *json));
  } else if (type == "Unigram") {
    ENM_ASSIGN_OR_RETURN(model, make_unigram(parts, *json));
  } else if (type == "WordLevel") {
    ENM_ASSIGN_OR_RETURN(model, make_word_level(parts, *json));
  } else {
    return Unsupported("model ", quoted(type),
                       " is not supported; BPE, WordPiece, Unigram and WordLevel are");
  }
  return {};
}

namespace {
bool is_left(const Json& json) {
  const Json* direction = json.find("direction");
  return direction != nullptr && direction->string() == "Left";
}
}  // namespace

Status Tokenizer::Impl::read_truncation(const Json& json) {
  if (json.is_null()) return {};
  ENM_RETURN_IF_ERROR(
      expect_only(json, "truncation", {"max_length", "strategy", "stride", "direction"}));
  ENM_ASSIGN_OR_RETURN(truncation.max_length, json.get_int("max_length"));
  if (truncation.max_length < 1) {
    return Corrupt("truncation.max_length is ", truncation.max_length);
  }
  truncation.left = is_left(json);
  ENM_ASSIGN_OR_RETURN(const std::string strategy, json.get_string("strategy", "LongestFirst"));
  using Strategy = Truncation::Strategy;
  truncation.strategy = strategy == "OnlyFirst"    ? Strategy::kOnlyFirst
                        : strategy == "OnlySecond" ? Strategy::kOnlySecond
                                                   : Strategy::kLongestFirst;
  return {};
}

// "strategy" is "BatchLongest" or {"Fixed": length}.
Status Tokenizer::Impl::read_padding(const Json& json) {
  if (json.is_null()) return {};
  ENM_RETURN_IF_ERROR(expect_only(
      json, "padding",
      {"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"}));
  constexpr int64_t kLongest = int64_t{1} << 24;
  padding.set = true;
  const Json* strategy = json.find("strategy");
  if (strategy != nullptr && strategy->is_object()) {
    ENM_ASSIGN_OR_RETURN(padding.length, strategy->get_int("Fixed"));
  }
  ENM_ASSIGN_OR_RETURN(padding.multiple, json.get_int("pad_to_multiple_of", 0));
  if (padding.length > kLongest || padding.multiple > kLongest) {
    return Unsupported("padding to more than ", kLongest, " tokens");
  }
  padding.left = is_left(json);
  ENM_ASSIGN_OR_RETURN(const int64_t id, json.get_int("pad_id", 0));
  ENM_ASSIGN_OR_RETURN(const int64_t type_id, json.get_int("pad_type_id", 0));
  if (id < 0 || id >= kIdLimit || type_id < 0 || type_id >= kIdLimit) {
    return Corrupt("padding: bad id");
  }
  padding.id = static_cast<int32_t>(id);
  padding.type_id = static_cast<int32_t>(type_id);
  return {};
}

Result<Tokenizer> Tokenizer::make(const TokenizerParts& parts) {
  auto impl = std::make_shared<Impl>();
  ENM_RETURN_IF_ERROR(impl->read(parts));
  return Tokenizer(std::move(impl));
}

Result<Tokenizer> Tokenizer::parse(std::string_view tokenizer_json) {
  const auto read = [&]() -> Result<Tokenizer> {
    TokenizerParts parts;
    StringStore store;
    ENM_RETURN_IF_ERROR(read_tokenizer_json(tokenizer_json, parts, store));
    return make(parts);
  };
  auto tokenizer = read();
  if (!tokenizer.ok()) return tokenizer.status().in("[text] tokenizer.json");
  return tokenizer;
}

}  // namespace enm::text
