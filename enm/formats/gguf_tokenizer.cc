#include "enm/formats/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "enm/base/json.h"
#include "enm/base/strings.h"
#include "enm/formats/gguf_words.h"
#include "enm/text/trie.h"

namespace enm::formats {
namespace {

// Bytes of a token, and of all merges as they are written: both far above those of real files, and
// what keeps a hostile one from making much of little.
constexpr size_t kLongestToken = 1024;
constexpr size_t kMostMergeBytes = size_t{192} << 20;

Result<WordCutter> find_cutter(const GgufMetadata& metadata) {
  // Files from before the key was there were cut as GPT-2 cuts.
  ENM_ASSIGN_OR_RETURN(const std::string_view pre, metadata.text("tokenizer.ggml.pre", "gpt-2"));
  const auto found = std::ranges::find(kCutters, pre, &WordCutter::pre);
  if (found != kCutters.end()) return *found;
  std::vector<std::string> known;
  for (const WordCutter& cutter : kCutters) known.emplace_back(cutter.pre);
  return Unsupported("tokenizer.ggml.pre ", quoted(pre), " is not known; known are ",
                     join(known, ", "));
}

/// The vocabulary as the metadata has it, each token being UTF-8.
struct Tokens {
  std::span<const std::string_view> texts;
  std::vector<int64_t> types;  // of each

  bool is_added(size_t id) const { return types[id] >= kUnknown && types[id] <= kUserDefined; }
};

using Merge = text::TokenizerParts::Merge;

/// A tokenizer.json without its long lists, and these.
struct Description {
  std::string sections;  // members of the whole: all but the model
  std::string model;     // members of the model: all but vocab and merges
  std::vector<Merge> merges;
  std::vector<float> scores;  // of tokens, where those decide instead of merges
};

Result<Tokens> read_tokens(const GgufMetadata& metadata) {
  Tokens out;
  ENM_ASSIGN_OR_RETURN(out.texts, metadata.strings("tokenizer.ggml.tokens"));
  if (metadata.find("tokenizer.ggml.token_type") != nullptr) {
    ENM_ASSIGN_OR_RETURN(out.types, metadata.integers("tokenizer.ggml.token_type"));
  } else {
    out.types.assign(out.texts.size(), kNormal);
  }
  if (out.types.size() != out.texts.size()) {
    return Corrupt("tokenizer.ggml.token_type has ", out.types.size(), " elements for ",
                   out.texts.size(), " tokens");
  }
  for (size_t id = 0; id < out.texts.size(); ++id) {
    if (!is_utf8(out.texts[id])) return Corrupt("token ", id, " is no UTF-8");
    if (out.texts[id].size() > kLongestToken) {
      return Unsupported("token ", id, " has ", out.texts[id].size(), " bytes; at most ",
                         kLongestToken);
    }
  }
  return out;
}

// The id that a key names; nothing where the key is absent or -1.
Result<std::optional<size_t>> token_id(const GgufMetadata& metadata, std::string_view key,
                                       size_t count) {
  const std::string full = cat("tokenizer.ggml.", key, "_token_id");
  ENM_ASSIGN_OR_RETURN(const int64_t id, metadata.integer(full, -1));
  if (id == -1 || id == UINT32_MAX) return std::optional<size_t>();
  if (id < 0 || static_cast<size_t>(id) >= count) {
    return Corrupt(full, " is ", id, "; there are ", count, " tokens");
  }
  return std::optional<size_t>(static_cast<size_t>(id));
}

std::string added_tokens_json(const Tokens& tokens) {
  std::vector<std::string> items;
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    if (!tokens.is_added(id) || tokens.texts[id].empty()) continue;
    items.push_back(cat(R"({"id":)", id, R"(,"content":)", json_quote(tokens.texts[id]),
                        R"(,"single_word":false,"lstrip":false,"rstrip":false,)",
                        R"("normalized":false,"special":)", tokens.types[id] != kUserDefined, "}"));
  }
  return cat("[", join(items, ","), "]");
}

std::string vocabulary_json(const Tokens& tokens) {
  std::string out = "{";
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    if (id > 0) out += ',';
    out += json_quote(tokens.texts[id]);
    append(out, ':');
    append(out, id);
  }
  return out + "}";
}

// Bos and eos around a text, as add_bos_token and add_eos_token say.
Result<std::string> post_processor_json(const GgufMetadata& metadata, const Tokens& tokens,
                                        bool adds_bos) {
  std::string single = R"({"Sequence":{"id":"A","type_id":0}})";
  std::string pair = R"({"Sequence":{"id":"B","type_id":1}})";
  std::vector<std::string> special;
  const auto item = [&](size_t id, int type) {
    return cat(R"({"SpecialToken":{"id":)", json_quote(tokens.texts[id]), R"(,"type_id":)", type,
               "}}");
  };
  for (const char* key : {"bos", "eos"}) {
    const bool is_bos = std::string_view(key) == "bos";
    ENM_ASSIGN_OR_RETURN(const bool adds, metadata.flag(cat("tokenizer.ggml.add_", key, "_token"),
                                                        is_bos && adds_bos));
    ENM_ASSIGN_OR_RETURN(const auto id, token_id(metadata, key, tokens.texts.size()));
    if (!adds || !id) continue;
    single = is_bos ? cat(item(*id, 0), ",", single) : cat(single, ",", item(*id, 0));
    pair = is_bos ? cat(item(*id, 1), ",", pair) : cat(pair, ",", item(*id, 1));
    const std::string text = json_quote(tokens.texts[*id]);
    const std::string entry =
        cat(text, R"(:{"id":)", text, R"(,"ids":[)", *id, R"(],"tokens":[)", text, "]}");
    if (special.empty() || special[0] != entry) special.push_back(entry);
  }
  if (special.empty()) return std::string("null");
  return cat(R"({"type":"TemplateProcessing","single":[)", single, R"(],"pair":[)", single, ",",
             pair, R"(],"special_tokens":{)", join(special, ","), "}}");
}

std::string sections(const Tokens& tokens, std::string_view normalizer,
                     std::string_view pre_tokenizer, std::string_view post_processor,
                     std::string_view decoder) {
  return cat(R"("version":"1.0","truncation":null,"padding":null,"added_tokens":)",
             added_tokens_json(tokens), R"(,"normalizer":)", normalizer, R"(,"pre_tokenizer":)",
             pre_tokenizer, R"(,"post_processor":)", post_processor, R"(,"decoder":)", decoder);
}

Result<Description> describe_byte_level(const GgufMetadata& metadata, const Tokens& tokens) {
  ENM_ASSIGN_OR_RETURN(const WordCutter cutter, find_cutter(metadata));
  const bool own = cutter.pattern.empty();
  std::string pre_tokenizer = cat(R"({"type":"ByteLevel","add_prefix_space":false,)",
                                  R"("trim_offsets":true,"use_regex":)", own, "}");
  std::string before;
  if (cutter.digits) before = R"({"type":"Digits","individual_digits":true})";
  if (!own) {
    before = cat(R"({"type":"Split","pattern":{"Regex":)", json_quote(cutter.pattern),
                 R"(},"behavior":"Isolated","invert":false})");
  }
  if (!before.empty()) {
    pre_tokenizer =
        cat(R"({"type":"Sequence","pretokenizers":[)", before, ",", pre_tokenizer, "]}");
  }
  Description out;
  ENM_ASSIGN_OR_RETURN(const auto merges, metadata.strings("tokenizer.ggml.merges"));
  for (const std::string_view merge : merges) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || !is_utf8(merge)) {
      return Corrupt("merge ", quoted(merge), " is no pair");
    }
    out.merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  ENM_ASSIGN_OR_RETURN(const std::string post_processor,
                       post_processor_json(metadata, tokens, cutter.adds_bos));
  out.sections = sections(
      tokens, cutter.nfc ? R"({"type":"NFC"})" : "null", pre_tokenizer, post_processor,
      R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})");
  out.model =
      cat(R"("type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)",
          R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,)",
          R"("ignore_merges":)", cutter.whole_words);
  return out;
}

/// Two tokens that make a third, which is joined the earlier the higher its score.
struct ScoredMerge {
  float score;
  int32_t left, right;
  uint32_t left_characters, right_characters;
};

uint32_t characters(std::string_view text) {
  return static_cast<uint32_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

// SentencePiece joins any two neighbours that make a token; here as the list of pairs that
// transformers writes for it (convert_slow_tokenizer.py, generate_merges).
std::vector<Merge> merges_of(const Tokens& tokens, const std::vector<float>& scores) {
  const text::Trie trie(tokens.texts);
  std::vector<ScoredMerge> all;
  std::vector<ScoredMerge> own;
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    const std::string_view whole = tokens.texts[id];
    if (tokens.is_added(id)) continue;
    own.clear();
    text::Trie::Node node = text::Trie::kRoot;
    for (size_t at = 1; at < whole.size() && node != text::Trie::kNoNode; ++at) {
      node = trie.child(node, whole[at - 1]);
      const int32_t left = trie.value(node);
      const int32_t right = left < 0 ? -1 : trie.find(whole.substr(at));
      if (right < 0) continue;
      own.push_back(
          {scores[id], left, right, characters(whole.substr(0, at)), characters(whole.substr(at))});
    }
    std::ranges::sort(own, {}, [](const ScoredMerge& m) { return std::pair(m.left, m.right); });
    all.insert(all.end(), own.begin(), own.end());
  }
  std::ranges::stable_sort(all, std::ranges::greater(), [](const ScoredMerge& m) {
    return std::tuple(m.score, m.left_characters, m.right_characters);
  });
  std::vector<Merge> out;
  for (const ScoredMerge& merge : all) {
    out.push_back({tokens.texts[static_cast<size_t>(merge.left)],
                   tokens.texts[static_cast<size_t>(merge.right)]});
  }
  return out;
}

Result<Description> describe_sentencepiece(const GgufMetadata& metadata, const Tokens& tokens) {
  Description out;
  ENM_ASSIGN_OR_RETURN(out.scores, metadata.numbers("tokenizer.ggml.scores"));
  if (out.scores.size() != tokens.texts.size()) {
    return Corrupt("tokenizer.ggml.scores has ", out.scores.size(), " elements for ",
                   tokens.texts.size(), " tokens");
  }
  ENM_ASSIGN_OR_RETURN(const bool prefix, metadata.flag("tokenizer.ggml.add_space_prefix", true));
  ENM_ASSIGN_OR_RETURN(const auto unknown, token_id(metadata, "unknown", tokens.texts.size()));
  ENM_ASSIGN_OR_RETURN(const std::string post_processor,
                       post_processor_json(metadata, tokens, true));
  const std::string replace =
      cat(R"({"type":"Replace","pattern":{"String":" "},"content":")", kSpace, R"("})");
  const std::string prepend = cat(R"({"type":"Prepend","prepend":")", kSpace, R"("})");
  const std::string restore =
      cat(R"({"type":"Replace","pattern":{"String":")", kSpace, R"("},"content":" "},)",
          R"({"type":"ByteFallback"},{"type":"Fuse"})");
  const std::string strip = R"(,{"type":"Strip","content":" ","start":1,"stop":0})";
  out.sections = sections(
      tokens,
      prefix ? cat(R"({"type":"Sequence","normalizers":[)", prepend, ",", replace, "]}") : replace,
      "null", post_processor,
      cat(R"({"type":"Sequence","decoders":[)", restore, prefix ? strip : "", "]}"));
  out.model = cat(R"("type":"BPE","dropout":null,"unk_token":)",
                  unknown ? json_quote(tokens.texts[*unknown]) : "null",
                  R"(,"continuing_subword_prefix":null,"end_of_word_suffix":null,)",
                  R"("fuse_unk":true,"byte_fallback":true,"ignore_merges":false)");
  return out;
}

Result<Description> describe(const GgufMetadata& metadata, const Tokens& tokens) {
  ENM_ASSIGN_OR_RETURN(const std::string_view model, metadata.text("tokenizer.ggml.model"));
  if (model == "gpt2") return describe_byte_level(metadata, tokens);
  if (model == "llama") return describe_sentencepiece(metadata, tokens);
  return Unsupported("tokenizer.ggml.model ", quoted(model),
                     " is not supported; gpt2 and llama are");
}

}  // namespace

Result<text::Tokenizer> gguf_tokenizer(const GgufMetadata& metadata) {
  ENM_ASSIGN_OR_RETURN(const Tokens tokens, read_tokens(metadata));
  ENM_ASSIGN_OR_RETURN(Description description, describe(metadata, tokens));
  text::TokenizerParts parts;
  ENM_ASSIGN_OR_RETURN(parts.settings, Json::parse(cat("{", description.sections, ",\"model\":{",
                                                       description.model, "}}")));
  const bool by_score = !description.scores.empty();
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    // Neighbours never join to a token that is cut out beforehand.
    if (by_score && tokens.is_added(id) && tokens.types[id] != kUnknown) continue;
    const double score = by_score ? description.scores[id] : 0;
    parts.tokens.push_back({tokens.texts[id], static_cast<int64_t>(id), score});
  }
  parts.merges = std::move(description.merges);
  parts.merges_by_score = by_score;
  return text::Tokenizer::make(parts);
}

Result<std::string> gguf_tokenizer_json(const GgufMetadata& metadata) {
  ENM_ASSIGN_OR_RETURN(const Tokens tokens, read_tokens(metadata));
  ENM_ASSIGN_OR_RETURN(Description description, describe(metadata, tokens));
  if (!description.scores.empty()) description.merges = merges_of(tokens, description.scores);
  std::string merges;
  for (const Merge& merge : description.merges) {
    if (merges.size() > kMostMergeBytes) return ResourceExhausted("too many merges of tokens");
    if (!merges.empty()) merges += ',';
    merges += cat("[", json_quote(merge.left), ",", json_quote(merge.right), "]");
  }
  return cat("{", description.sections, ",\"model\":{", description.model,
             ",\"vocab\":", vocabulary_json(tokens), ",\"merges\":[", merges, "]}}");
}

Result<std::string> gguf_tokenizer_config_json(const GgufMetadata& metadata) {
  ENM_ASSIGN_OR_RETURN(const Tokens tokens, read_tokens(metadata));
  ENM_ASSIGN_OR_RETURN(const std::string_view chat, metadata.text("tokenizer.chat_template", ""));
  std::vector<std::string> members;
  constexpr std::array<std::array<const char*, 2>, 4> kKeys = {{{"bos", "bos_token"},
                                                                {"eos", "eos_token"},
                                                                {"unknown", "unk_token"},
                                                                {"padding", "pad_token"}}};
  for (const auto& [key, name] : kKeys) {
    ENM_ASSIGN_OR_RETURN(const auto id, token_id(metadata, key, tokens.texts.size()));
    if (id) members.push_back(cat('"', name, "\":", json_quote(tokens.texts[*id])));
  }
  if (!is_utf8(chat)) return Corrupt("tokenizer.chat_template is no UTF-8");
  if (!chat.empty()) members.push_back(cat("\"chat_template\":", json_quote(chat)));
  return cat("{", join(members, ","), "}");
}

Result<std::string> gguf_generation_config_json(const GgufMetadata& metadata) {
  // What ends a turn of chat, whatever the keys say.
  static constexpr std::array<std::string_view, 6> kEnds = {
      "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>"};
  ENM_ASSIGN_OR_RETURN(const Tokens tokens, read_tokens(metadata));
  std::vector<std::string> ends;
  const auto add = [&](size_t id) {
    const std::string text = cat(id);
    if (std::ranges::find(ends, text) == ends.end()) ends.push_back(text);
  };
  for (const char* key : {"eos", "eot", "eom"}) {
    ENM_ASSIGN_OR_RETURN(const auto id, token_id(metadata, key, tokens.texts.size()));
    if (id) add(*id);
  }
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    if (tokens.is_added(id) && std::ranges::find(kEnds, tokens.texts[id]) != kEnds.end()) add(id);
  }
  ENM_ASSIGN_OR_RETURN(const auto bos, token_id(metadata, "bos", tokens.texts.size()));
  return cat("{", bos ? cat("\"bos_token_id\":", *bos, ",") : "", "\"eos_token_id\":[",
             join(ends, ","), "]}");
}

}  // namespace enm::formats
