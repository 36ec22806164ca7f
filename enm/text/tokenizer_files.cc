// The files a tokenizer comes in.
#include "enm/base/bytes.h"
#include "enm/text/json_parts.h"
#include "enm/text/tokenizer.h"

namespace enm::text {
namespace {

constexpr const char* kSentencePiece[] = {"tokenizer.model", "spiece.model",
                                          "sentencepiece.bpe.model"};

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  return line;
}

// Special tokens that the folder names, with the ids of the vocabulary.
std::string named_tokens(const Json& config, const TokenizerParts& parts) {
  std::string out;
  for (const char* key : {"unk_token", "bos_token", "eos_token", "sep_token", "cls_token",
                          "pad_token", "mask_token"}) {
    const Json* token = config.find(key);
    if (token != nullptr && token->is_object()) token = token->find("content");
    if (token == nullptr || token->string().empty()) continue;
    const std::string content = json_quote(token->string());
    if (out.find(cat("\"content\":", content, ",")) != std::string::npos) continue;
    for (const auto& [text, id, score] : parts.tokens) {
      if (text != token->string()) continue;
      out += cat(out.empty() ? "" : ",", R"({"id":)", id, R"(,"content":)", content,
                 R"(,"special":true,"lstrip":)",
                 std::string_view(key) == "mask_token" ? "true" : "false", "}");
      break;
    }
  }
  return out;
}

int64_t id_of(const TokenizerParts& parts, std::string_view token) {
  for (const auto& each : parts.tokens) {
    if (each.text == token) return each.id;
  }
  return -1;
}

std::string name_of(const Json& config, std::string_view key, std::string_view fallback) {
  const Json* token = config.find(key);
  if (token != nullptr && token->is_object()) token = token->find("content");
  return std::string(token == nullptr || token->string().empty() ? fallback : token->string());
}

// vocab.txt, a token a line: BERT's.
Result<Tokenizer> read_wordpiece(std::string_view vocabulary, const Json& config) {
  TokenizerParts parts;
  for (std::string_view line : split(vocabulary, '\n')) {
    parts.tokens.push_back({without_end(line), static_cast<int64_t>(parts.tokens.size())});
  }
  if (parts.tokens.back().text.empty()) parts.tokens.pop_back();
  ENM_ASSIGN_OR_RETURN(const bool lowercase, config.get_bool("do_lower_case", true));
  ENM_ASSIGN_OR_RETURN(const bool chinese, config.get_bool("tokenize_chinese_chars", true));
  const Json* accents = config.find("strip_accents");
  const std::string strips =
      accents != nullptr && accents->is_bool() ? cat(accents->boolean()) : std::string("null");
  const std::string cls = name_of(config, "cls_token", "[CLS]");
  const std::string sep = name_of(config, "sep_token", "[SEP]");
  const int64_t cls_id = id_of(parts, cls);
  const int64_t sep_id = id_of(parts, sep);
  std::string around;
  if (cls_id >= 0 && sep_id >= 0) {
    around = cat(R"("post_processor":{"type":"BertProcessing","cls":[)", json_quote(cls), ",",
                 cls_id, R"(],"sep":[)", json_quote(sep), ",", sep_id, "]},");
  }
  ENM_ASSIGN_OR_RETURN(
      parts.settings,
      Json::parse(
          cat(R"({"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":)",
              chinese, R"(,"strip_accents":)", strips, R"(,"lowercase":)", lowercase,
              R"(},"pre_tokenizer":{"type":"BertPreTokenizer"},)", around,
              R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"added_tokens":[)",
              named_tokens(config, parts), R"(],"model":{"type":"WordPiece","unk_token":)",
              json_quote(name_of(config, "unk_token", "[UNK]")), "}}")));
  return Tokenizer::make(parts);
}

// vocab.json and merges.txt: GPT-2's.
Result<Tokenizer> read_byte_bpe(std::string_view vocabulary, std::string_view merges,
                                const Json& config) {
  TokenizerParts parts;
  StringStore store;
  ENM_RETURN_IF_ERROR(read_vocab_json(vocabulary, parts, store));
  for (std::string_view line : split(merges, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t space = line.find(' ');
    if (line.starts_with("#version") || space == std::string_view::npos) continue;
    parts.merges.push_back({line.substr(0, space), line.substr(space + 1)});
  }
  ENM_ASSIGN_OR_RETURN(const bool prefix, config.get_bool("add_prefix_space", false));
  ENM_ASSIGN_OR_RETURN(
      parts.settings,
      Json::parse(cat(R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":)", prefix,
                      R"(},"decoder":{"type":"ByteLevel"},"post_processor":{"type":"ByteLevel",)",
                      R"("trim_offsets":false},"added_tokens":[)", named_tokens(config, parts),
                      R"(],"model":{"type":"BPE"}})")));
  return Tokenizer::make(parts);
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const FileSource& files) {
  const auto read = [&](std::string_view name, Blob& blob) -> Result<std::string_view> {
    ENM_ASSIGN_OR_RETURN(blob, files.open(name));
    return as_text(blob.bytes());
  };
  Blob blob;
  if (files.contains("tokenizer.json")) {
    ENM_ASSIGN_OR_RETURN(const std::string_view text, read("tokenizer.json", blob));
    return parse(text);
  }
  for (const char* name : kSentencePiece) {
    if (!files.contains(name)) continue;
    ENM_ASSIGN_OR_RETURN(const std::string_view model, read(name, blob));
    return parse_sentencepiece(model);
  }
  Json config;
  if (files.contains("tokenizer_config.json")) {
    Blob json;
    ENM_ASSIGN_OR_RETURN(const std::string_view text, read("tokenizer_config.json", json));
    ENM_ASSIGN_OR_RETURN(config, Json::parse(text));
  }
  if (files.contains("vocab.json") && files.contains("merges.txt")) {
    Blob merges;
    ENM_ASSIGN_OR_RETURN(const std::string_view vocabulary, read("vocab.json", blob));
    ENM_ASSIGN_OR_RETURN(const std::string_view lines, read("merges.txt", merges));
    auto made = read_byte_bpe(vocabulary, lines, config);
    return made.ok() ? std::move(made) : made.status().in("[text] vocab.json and merges.txt");
  }
  if (files.contains("vocab.txt")) {
    ENM_ASSIGN_OR_RETURN(const std::string_view lines, read("vocab.txt", blob));
    auto made = read_wordpiece(lines, config);
    return made.ok() ? std::move(made) : made.status().in("[text] vocab.txt");
  }
  return NotFound("no tokenizer here: looked for tokenizer.json, tokenizer.model, spiece.model, ",
                  "vocab.json with merges.txt, and vocab.txt");
}

}  // namespace enm::text
