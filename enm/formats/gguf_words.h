// What readers and writers of a GGUF file's tokenizer share.
#pragma once

#include <array>
#include <string_view>

namespace enm::formats {

/// Values of tokenizer.ggml.token_type.
enum GgufTokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

inline constexpr std::string_view kSpace =
    "\xe2\x96\x81";  // U+2581, a space in SentencePiece's tokens

inline constexpr std::string_view kWordsOfLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kWordsOfQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kWordsOfTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kWordsOfGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// How byte-level tokenizers cut words, by tokenizer.ggml.pre.
struct WordCutter {
  std::string_view pre;
  std::string_view pattern;  // empty: GPT-2's own
  bool digits = false;       // one a word
  bool nfc = false;
  bool whole_words = false;  // a word that is a token is not merged ("ignore_merges")
  bool adds_bos = false;     // where nothing says
};

inline constexpr std::array kCutters = {
    WordCutter{"gpt-2", ""},
    WordCutter{"phi-2", ""},
    WordCutter{"olmo", ""},
    WordCutter{"smollm", "", true},
    WordCutter{"starcoder", "", true},
    WordCutter{"llama-bpe", kWordsOfLlama3, false, false, true, true},
    WordCutter{"llama3", kWordsOfLlama3, false, false, true, true},
    WordCutter{"dbrx", kWordsOfLlama3},
    WordCutter{"qwen2", kWordsOfQwen2, false, true},
    WordCutter{"deepseek-r1-qwen", kWordsOfQwen2, false, true},
    WordCutter{"tekken", kWordsOfTekken, false, false, true, true},
    WordCutter{"gpt-4o", kWordsOfGpt4o},
};

}  // namespace enm::formats
