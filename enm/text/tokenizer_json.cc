// A tokenizer from its parts.
#include "enm/text/json_parts.h"
#include "enm/text/tokenizer_impl.h"

namespace enm::text {

Status Tokenizer::Impl::read(const TokenizerParts& parts) {
  Section in(parts.settings, "file");
  in.child("version");
  ENM_RETURN_IF_ERROR(normalizers.read(in.child("normalizer")));
  ENM_RETURN_IF_ERROR(pre_tokenizers.read(in.child("pre_tokenizer")));
  needs_origins =
      pre_tokenizers.needs_origins() || (pre_tokenizers.needs_place() && !normalizers.empty());
  ENM_RETURN_IF_ERROR(read_model(parts, in.child("model")));
  ENM_RETURN_IF_ERROR(added.read(in.child("added_tokens"), model->vocabulary(), normalizers));
  ENM_RETURN_IF_ERROR(post_processors.read(in.child("post_processor")));
  ENM_RETURN_IF_ERROR(decoders.read(in.child("decoder")));
  ENM_RETURN_IF_ERROR(read_truncation(in.child("truncation")));
  ENM_RETURN_IF_ERROR(read_padding(in.child("padding")));
  return in.finish();
}

Status Tokenizer::Impl::read_model(const TokenizerParts& parts, const Json& json) {
  Section in(json, "model");
  const std::string_view type = in.text("type");
  for (const char* key : {"vocab", "merges"}) in.child(key);
  if (type == "BPE") {
    model = make_bpe(parts, in, pre_tokenizers.leave_bytes());
  } else if (type == "WordPiece") {
    model = make_wordpiece(parts, in);
  } else if (type == "Unigram") {
    model = make_unigram(parts, in);
  } else if (type == "WordLevel") {
    model = make_word_level(parts, in);
  } else {
    in.fail(
        Unsupported(quoted(type), " is not supported; BPE, WordPiece, Unigram and WordLevel are"));
  }
  return in.finish();
}

Status Tokenizer::Impl::read_truncation(const Json& json) {
  if (json.is_null()) return {};
  Section in(json, "truncation");
  in.child("stride");
  truncation.max_length = in.integer("max_length");
  if (truncation.max_length < 1) in.fail(Corrupt("max_length is ", truncation.max_length));
  truncation.left = in.text("direction", "Right") == "Left";
  const std::string_view strategy = in.text("strategy", "LongestFirst");
  using Strategy = Truncation::Strategy;
  truncation.strategy = strategy == "OnlyFirst"    ? Strategy::kOnlyFirst
                        : strategy == "OnlySecond" ? Strategy::kOnlySecond
                                                   : Strategy::kLongestFirst;
  return in.finish();
}

// "strategy" is "BatchLongest" or {"Fixed": length}.
Status Tokenizer::Impl::read_padding(const Json& json) {
  if (json.is_null()) return {};
  constexpr int64_t kLongest = int64_t{1} << 20;
  Section in(json, "padding");
  in.child("pad_token");
  padding.set = true;
  if (const Json& strategy = in.child("strategy"); strategy.is_object()) {
    Section fixed(strategy, "padding.strategy");
    padding.length = fixed.integer("Fixed");
    in.fail(fixed.finish());
  }
  padding.multiple = in.integer("pad_to_multiple_of", 0);
  padding.left = in.text("direction", "Right") == "Left";
  const int64_t id = in.integer("pad_id", 0);
  const int64_t type_id = in.integer("pad_type_id", 0);
  if (padding.length > kLongest || padding.multiple > kLongest || id < 0 || id >= kIdLimit ||
      type_id < 0 || type_id >= kIdLimit) {
    in.fail(Corrupt("a number is too large"));
  }
  padding.id = static_cast<int32_t>(id);
  padding.type_id = static_cast<int32_t>(type_id);
  return in.finish();
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
